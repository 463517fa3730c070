"""Which rule of state derivation holds for an agent at an instant, and what makes it hold."""

from __future__ import annotations

from dataclasses import dataclass

from flex_plugin_backend.domain.agents import AgentTimeline, Rules, Segment
from flex_plugin_backend.domain.mapping import Channel, State
from flex_plugin_backend.domain.reservations import Reservation, Status


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table of docs/states.md; the highest that applies wins (Twilio reference 5.3)."""

    number: str
    name: str


RULES = {
    State.CONTACT: Rule("1", "on a contact"),
    State.WRAPUP: Rule("2", "wrap-up"),
    State.RESERVED: Rule("3", "reserved"),
    State.DIALLING: Rule("3b", "dialling"),
    State.OFFLINE: Rule("4", "logged out"),
    State.AVAILABLE: Rule("5", "available"),
    State.UNAVAILABLE: Rule("6", "unavailable, with its reason"),
    State.UNKNOWN: Rule("-", "held: the activity is not in the catalogue"),
}
DELETED = Rule("4", "logged out: deleted")


@dataclass(frozen=True, slots=True)
class OpenWork:
    """A reservation that is open at the instant."""

    sid: str
    task_sid: str | None
    queue_sid: str | None
    status: str
    since_ms: int
    channel: str | None
    direction: str | None


@dataclass(frozen=True, slots=True)
class Ruling:
    """The rule, why it holds, and the reservations that were open."""

    rule: Rule
    because: str
    open: tuple[OpenWork, ...]


def ruling(segment: Segment, at_ms: int, as_of_ms: int, timeline: AgentTimeline, rules: Rules, offline: str) -> Ruling:
    """Why the agent was in the state of `segment` at `at_ms`.

    Args:
        offline: where the logged-out activity is known from, for people.
    """
    work = sorted(
        (_work(one, status) for one, status in _open(timeline, at_ms, as_of_ms, rules)),
        key=lambda one: (one.channel != Channel.VOICE, one.since_ms, one.sid),
    )
    state = segment.state.state
    gone_ms = timeline.deleted_ms
    if gone_ms is not None and at_ms >= gone_ms:
        return Ruling(DELETED, "the worker was deleted in Twilio; that ends its contacts, too", ())
    decisive = [one for one in work if one.status == _DECISIVE.get(state)]
    if decisive:
        return Ruling(RULES[state], _by_work(state, decisive), tuple(work))
    because = _by_activity(segment, rules, offline)
    parked = [one for one in work if one.status == Status.ACCEPTED]
    if parked and state in (State.OFFLINE, State.UNAVAILABLE):
        setting = f"parked_messaging = {rules.states.parked_messaging}"
        because += f"; its open {parked[0].channel} contact {parked[0].sid} does not count ({setting})"
    elif state not in _DECISIVE and not work:
        because += "; no reservation is open"
    return Ruling(RULES[state], because, tuple(work))


_DECISIVE = {
    State.CONTACT: Status.ACCEPTED,
    State.WRAPUP: Status.WRAPPING,
    State.RESERVED: Status.PENDING,
    State.DIALLING: Status.PENDING,
}


def _open(timeline: AgentTimeline, at_ms: int, as_of_ms: int, rules: Rules) -> list[tuple[Reservation, Status]]:
    found = ((one, one.status_at(at_ms, as_of_ms, rules.states)) for one in timeline.reservations.values())
    return [(one, status) for one, status in found if status is not None]


def _work(one: Reservation, status: Status) -> OpenWork:
    began = {Status.ACCEPTED: one.accepted_ms, Status.WRAPPING: one.wrapup_ms, Status.PENDING: one.created_ms}
    return OpenWork(
        one.sid,
        one.task_sid,
        one.queue_sid,
        status.value,
        began[status] or one.open_since_ms(),
        one.channel.value if one.channel else None,
        one.direction.value if one.direction else None,
    )


def _by_work(state: State, decisive: list[OpenWork]) -> str:
    main = decisive[0]
    what = " ".join(word for word in (main.direction, main.channel) if word)
    task = f" of task {main.task_sid}" if main.task_sid else ""
    text = f"the {what} reservation {main.sid}{task} is {main.status}".replace("the  ", "the ")
    if len(decisive) > 1:
        first = "voice comes first, else the oldest" if state is State.CONTACT else "the first of them"
        text += f", and {len(decisive) - 1} more ({first})"
    return text


def _by_activity(segment: Segment, rules: Rules, offline: str) -> str:
    """What the activity says, where it decides."""
    state = segment.state
    if state.activity_sid is None:
        return "nothing is known of its activity" if state.state is State.UNKNOWN else "by what had been seen of it"
    named = f"activity {state.activity_name or '?'} ({state.activity_sid})"
    override = rules.mapping.override(state.activity_sid, state.activity_name)
    if override.state is not None:
        return f"{named} counts as {override.state} by the setting [mapping.activities]"
    if state.state is State.OFFLINE:
        return f"{named} is the logged-out one {offline}"
    if state.state is State.UNKNOWN:
        return f"{named} is not in Twilio's catalogue, so nobody knows whether it is available"
    return f"{named} is {'available' if state.state is State.AVAILABLE else 'not available'} by Twilio's catalogue"
