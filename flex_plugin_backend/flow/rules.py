"""Settings, contract profile and Twilio's catalogue -> the rules of derivation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flex_plugin_backend.domain.agents import Rules
from flex_plugin_backend.domain.mapping import (
    DEFAULT_CHANNELS,
    Activity,
    ActivityOverride,
    Channel,
    Direction,
    MappingRules,
    State,
)
from flex_plugin_backend.domain.report_rules import ReportRules
from flex_plugin_backend.domain.reservations import StateRules
from flex_plugin_backend.settings import TenantSettings
from flex_plugin_backend.wfm.contract import Profile


@dataclass(frozen=True, slots=True)
class StoredCatalogue:
    """Twilio's activities and the logged-out one, as kept in the ledger."""

    activities: Mapping[str, Activity] = field(default_factory=dict)
    offline_activity_sid: str | None = None

    def with_activity(self, activity: Activity) -> StoredCatalogue:
        """The catalogue with one activity added or changed."""
        return StoredCatalogue({**self.activities, activity.sid: activity}, self.offline_activity_sid)

    def to_record(self) -> dict[str, Any]:
        """The catalogue as JSON-able data."""
        return {
            "offline_activity_sid": self.offline_activity_sid,
            "activities": [[one.sid, one.name, one.available] for one in self.activities.values()],
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> StoredCatalogue:
        """The catalogue back from `to_record`."""
        activities = {sid: Activity(sid, name, available) for sid, name, available in record["activities"]}
        return cls(activities, record["offline_activity_sid"])


def derive_rules(settings: TenantSettings, profile: Profile, catalogue: StoredCatalogue) -> Rules:
    """Everything that derivation needs, in one frozen record."""
    mapping = settings.mapping
    overrides = {
        key: ActivityOverride(State(rule.state) if rule.state else None, rule.event_id, rule.reason)
        for name, rule in mapping.activities.items()
        for key in (name, name.casefold())
    }
    channels = dict(DEFAULT_CHANNELS)
    known = {channel.value for channel in Channel}
    for name, channel in mapping.channels.items():
        channels[name.lower()] = Channel(channel.lower()) if channel.lower() in known else Channel.OTHER
    pseudo = {key for name in mapping.pseudo_activities for key in (name, name.casefold())}
    return Rules(
        MappingRules(
            event_table=_event_table(profile),
            agent_id="attribute" if mapping.agent_attribute else mapping.agent_id,
            activities=catalogue.activities,
            offline_activity_sid=mapping.offline_activity_sid or catalogue.offline_activity_sid,
            overrides=overrides,
            pseudo_activities=frozenset(pseudo),
            channels=channels,
        ),
        derive_state_rules(settings),
    )


def derive_state_rules(settings: TenantSettings) -> StateRules:
    """The settings of state derivation as the domain takes them."""
    states = settings.states
    return StateRules(
        task_end_grace_ms=round(states.task_end_grace_s * 1000),
        wrap_up_cap_ms=round(states.wrap_up_cap_s * 1000),
        parked_messaging=states.parked_messaging,
        parked_limit_ms=round(states.parked_limit_s * 1000),
    )


def derive_report_rules(settings: TenantSettings, states: StateRules) -> ReportRules:
    """The settings of the interval reports as the domain takes them."""
    reports = settings.reports
    by_queue = {
        key: round(seconds * 1000)
        for name, seconds in reports.queue_service_level_s.items()
        for key in (name, name.casefold())
    }
    return ReportRules(
        states=states,
        min_state_ms=round(settings.states.min_state_s * 1000),
        service_level_ms=round(reports.service_level_s * 1000),
        queue_service_level_ms=by_queue,
        short_abandon_ms=round(reports.short_abandon_s * 1000),
        diverted_reasons=frozenset(one.strip().casefold() for one in reports.diverted_reasons),
        diverted_abandoned=frozenset(one.strip().casefold() for one in reports.diverted_abandoned),
        no_queue_id=reports.no_queue_id,
        queue_id_format=reports.queue_id_format,
    )


def _event_table(profile: Profile) -> Callable[[State, Channel | None, Direction | None], str | None]:
    known: dict[tuple[State, Channel | None, Direction | None], str | None] = {}

    def look_up(state: State, channel: Channel | None, direction: Direction | None) -> str | None:
        key = (state, channel, direction)
        if key not in known:
            known[key] = profile.event_id(
                state.value, channel.value if channel else None, direction.value if direction else None
            )
        return known[key]

    return look_up
