"""From Twilio's words to the WFM's: worker to agent id, task to channel and direction, state to event id and reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from flex_plugin_backend.domain.events import TaskRouterEvent


class State(StrEnum):
    """The effective state of an agent; one at a time (Twilio reference 5.3)."""

    OFFLINE = "OFFLINE"
    AVAILABLE = "AVAILABLE"
    UNAVAILABLE = "UNAVAILABLE"
    RESERVED = "RESERVED"
    DIALLING = "DIALLING"
    CONTACT = "CONTACT"
    WRAPUP = "WRAPUP"
    UNKNOWN = "UNKNOWN"


class Channel(StrEnum):
    """The WFM's channels; the last three are not reportable."""

    VOICE = "voice"
    CHAT = "chat"
    SMS = "sms"
    WEB = "web"
    EMAIL = "email"
    FAX = "fax"
    OTHER = "other"


class Direction(StrEnum):
    """Who began the contact."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"
    INTERNAL = "internal"


# Twilio's names in lower case -> the WFM's channel. `voice`, `chat`, `sms` and `web` are documented names; which WFM
# channel other messaging media belong to is assumed to be chat, and a setting changes it.
DEFAULT_CHANNELS: Mapping[str, Channel] = {
    "voice": Channel.VOICE,
    "call": Channel.VOICE,
    "chat": Channel.CHAT,
    "sms": Channel.SMS,
    "web": Channel.WEB,
    "whatsapp": Channel.CHAT,
    "messenger": Channel.CHAT,
    "email": Channel.EMAIL,
    "fax": Channel.FAX,
}


@dataclass(frozen=True, slots=True)
class Activity:
    """One activity of the workspace's catalogue."""

    sid: str
    name: str
    available: bool


@dataclass(frozen=True, slots=True)
class ActivityOverride:
    """What a setting says of one activity; `None` leaves the default."""

    state: State | None = None
    event_id: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class EffectiveState:
    """What an agent is doing, in our words.

    Attributes:
        channel, direction: of the main contact; `None` for every state but CONTACT.
        activity_sid, activity_name: only where the activity decides (OFFLINE, AVAILABLE, UNAVAILABLE, UNKNOWN).
    """

    state: State
    channel: Channel | None = None
    direction: Direction | None = None
    activity_sid: str | None = None
    activity_name: str | None = None


@dataclass(frozen=True, slots=True)
class WfmState:
    """The (event id, reason) pair that the WFM is told; a change of this pair is a state change."""

    event_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Unmapped:
    """Why a state or an agent has no counterpart in the WFM; it is held until somebody maps it."""

    problem: str


EventTable = Callable[[State, Channel | None, Direction | None], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingRules:
    """All that is configured about names.

    Attributes:
        event_table: (state, channel, direction) -> event id; from the contract profile.
        agent_id: `worker_sid`, `friendly_name`, or `attribute` (then the event's `agent_key` holds it).
        activities: by activity sid; Twilio's catalogue.
        offline_activity_sid: the logged-out activity (Flex configuration or setting), never found by name.
        overrides: settings by activity sid or by name in lower case.
        pseudo_activities: sids or lower-case names that say nothing of their own (Twilio reference 4.1).
        channels: Twilio's channel names in lower case -> channel.
    """

    event_table: EventTable
    agent_id: str = "worker_sid"
    activities: Mapping[str, Activity] = field(default_factory=dict)
    offline_activity_sid: str | None = None
    overrides: Mapping[str, ActivityOverride] = field(default_factory=dict)
    pseudo_activities: frozenset[str] = frozenset()
    channels: Mapping[str, Channel] = field(default_factory=lambda: DEFAULT_CHANNELS)

    def is_pseudo(self, sid: str | None, name: str | None) -> bool:
        """Is this an activity of a plug-in that only mirrors reservations."""
        if not self.pseudo_activities:
            return False
        return sid in self.pseudo_activities or (name or "").casefold() in self.pseudo_activities

    def override(self, sid: str | None, name: str | None) -> ActivityOverride:
        """The settings of an activity, by sid first, then by name."""
        if not self.overrides:
            return _NO_OVERRIDE
        found = self.overrides.get(sid or "") or self.overrides.get((name or "").casefold())
        return found or _NO_OVERRIDE

    def activity_state(self, sid: str | None, name: str | None) -> EffectiveState:
        """The state that an activity means when no contact is open; UNKNOWN where the catalogue does not know it."""
        known = self.activities.get(sid or "")
        shown = (known.name if known else None) or name
        override = self.override(sid, shown)
        if override.state is not None:
            state = override.state
        elif sid is not None and sid == self.offline_activity_sid:
            state = State.OFFLINE
        elif known is None:
            state = State.UNKNOWN
        else:
            state = State.AVAILABLE if known.available else State.UNAVAILABLE
        return EffectiveState(state, activity_sid=sid, activity_name=shown)

    def wfm_state(self, effective: EffectiveState) -> WfmState | Unmapped:
        """The pair for a state, or why there is none."""
        if effective.state is State.UNKNOWN:
            named = effective.activity_sid or "not known yet"
            return Unmapped(f"activity {named} is not in Twilio's catalogue: it cannot be told whether it is available")
        override = self.override(effective.activity_sid, effective.activity_name) if effective.activity_sid else None
        event_id = override.event_id if override else None
        if event_id is None:
            event_id = self.event_table(effective.state, effective.channel, effective.direction)
        if event_id is None:
            return Unmapped(f"the contract profile has no event id for the state {effective.state}")
        reason = override.reason if override else None
        if reason is None:
            reason = effective.activity_name or "" if effective.state is State.UNAVAILABLE else ""
        return WfmState(event_id, reason)

    def agent_for(self, worker_sid: str, worker_name: str | None, agent_key: str | None) -> str | Unmapped:
        """The WFM's agent id of a worker (the employee's ACD login id), or why there is none."""
        if self.agent_id == "worker_sid":
            return worker_sid
        if self.agent_id == "friendly_name":
            return worker_name or Unmapped("the worker's friendly name is not known yet")
        return agent_key or Unmapped("the worker's attributes hold nothing at the configured path")

    def channel_of(self, event: TaskRouterEvent) -> tuple[int, Channel] | None:
        """The channel of the event's task: channelType, else Flex Insights' channel, else the task channel.

        With it comes its place in that order: of two events of a task, the one with the lower place knows better,
        because the attributes of the other could not be read.
        """
        names = (event.channel_type, event.communication_channel, event.task_channel)
        for place, name in enumerate(names):
            found = self.channels.get((name or "").strip().lower())
            if found is not None:
                return place, found
        return (len(names), Channel.OTHER) if any(names) else None


_NO_OVERRIDE = ActivityOverride()


def direction_of(event: TaskRouterEvent) -> Direction | None:
    """The direction of the event's task; `None` where the event does not say."""
    text = (event.direction or "").strip().lower()
    if not text:
        return None
    if text.startswith("outbound"):
        return Direction.OUTBOUND
    if text == "internal":
        return Direction.INTERNAL
    return Direction.INBOUND
