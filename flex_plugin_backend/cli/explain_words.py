"""An explanation as ten lines for people, or as JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from flex_plugin_backend.cli.moments import as_time
from flex_plugin_backend.domain.events import TaskRouterEvent
from flex_plugin_backend.domain.mapping import EffectiveState, State
from flex_plugin_backend.flow.explain import Explanation
from flex_plugin_backend.ledger.lookups import Received, StoredAnswer, StoredState
from flex_plugin_backend.ledger.outbox import Delivery, Kind

Tell = Callable[[int], str]
_LABEL = 10
_ANSWER_CHARS = 200
_DAY = len("2026-01-05T")


def as_lines(one: Explanation) -> list[str]:
    """The explanation in about ten lines; times of the day in question are written without the day."""
    day = as_time(one.at_ms)[:_DAY]

    def time(at_ms: int) -> str:
        return as_time(at_ms).removeprefix(day)

    person = one.person
    names = ", ".join(
        word
        for word in (
            f"agent id {person.agent_id or '-'}",
            f"worker {person.worker_sid}",
            f"tenant {person.tenant}",
            "deleted in Twilio" if person.timeline.deleted else "",
        )
        if word
    )
    lines = [f"{person.name or person.agent_id or person.worker_sid} ({names}) at {as_time(one.at_ms)}"]

    def say(label: str, text: str) -> None:
        lines.append(f"{label:<{_LABEL}} {text}")

    say("WFM shows", _shown(one, time))
    say("agent is", _state(one, time))
    if one.state is None:
        return lines + _notes(one)
    if one.cause is not None:
        say("event", _cause(one))
    if one.ruling is not None:
        say("rule", f"{one.ruling.rule.number}, {one.ruling.rule.name}: {one.ruling.because}")
    if one.naming is not None:
        say("mapping", _mapping(one))
    say("happened", time(one.state.start_ms))
    event = one.cause.event if one.cause else None
    say("received", _received(event, one, time))
    say("delivered", _delivered(one, one.state, event, time))
    say("answer", _answered(one))
    return lines + _notes(one)


def _shown(one: Explanation, time: Tell) -> str:
    shown, person = one.shown, one.person
    if shown is None:
        if person.agent_id is None and person.called is None:
            return "nothing: the worker has no agent id"
        return "nothing: no state of this agent had been delivered"
    text = f"{_pair(shown)} since {time(shown.start_ms)}, told at {time(shown.delivered_ms or 0)}"
    if shown.kind is Kind.SNAPSHOT:
        text += " again, as the present state"
    if shown.agent_id != (person.called or person.agent_id):
        text += f", under the agent id {shown.agent_id}"
    if shown.worker_sid != person.worker_sid:
        text += f", by worker {shown.worker_sid}, which has the same agent id"
    return text


def _state(one: Explanation, time: Tell) -> str:
    state, segment = one.state, one.segment
    if state is None:
        if one.first_ms is None:
            return "not known: no state of this worker was ever derived"
        return f"not known: the first state known of this worker began at {time(one.first_ms)}"
    name = _called(segment.state) if segment else state.state
    text = f"{name} since {time(segment.start_ms if segment else state.start_ms)}"
    if one.agrees:
        return f"{text}, as the WFM shows"
    return f"{text}, by all that is known now: {_why_apart(one, state)}"


def _called(state: EffectiveState) -> str:
    reason = state.activity_name if state.state is State.UNAVAILABLE else None
    return f"{state.state} {reason}" if reason else state.state.value


def _why_apart(one: Explanation, state: StoredState) -> str:
    """Why the WFM did not hold the state that the agent was in."""
    if one.shown is not None and one.shown.kind is Kind.WITHDRAWN:
        return "what the WFM shows turned out never to have been"
    if state.status is Delivery.DELIVERED:
        if state.delivered_ms is not None and state.delivered_ms > one.at_ms:
            return "the WFM was told later"
        if one.shown is not None and one.shown.worker_sid != one.person.worker_sid:
            return "another worker was told under the same agent id"
        return "the WFM was told otherwise since"
    return {
        Delivery.PENDING: "the WFM has not been told yet",
        Delivery.SENDING: "the WFM is being told",
        Delivery.UNMAPPED: "it is held as a dead letter",
        Delivery.DEAD: "the WFM refused it",
        Delivery.SKIPPED: "the WFM was not told, because it was over",
        Delivery.LATE: "the WFM was not told, because it came to be known too late",
        Delivery.REPLACED: "it was corrected before it was told",
    }[state.status]


def _cause(one: Explanation) -> str:
    cause = one.cause
    if cause is None or cause.event is None:
        return cause.words if cause else ""
    event = cause.event.event
    text = f"{event.type} {event.sid} by {event.route.value}"
    told = _told_by(event)
    text += f": {told}" if told else ""
    return f"{text}; {cause.words}" if cause.words else text


def _told_by(event: TaskRouterEvent) -> str:
    if event.reservation_sid is not None:
        return " of ".join(word for word in (event.reservation_sid, event.task_sid) if word)
    if event.activity_sid is not None:
        now = event.activity_name or event.activity_sid
        before = event.previous_activity_name or event.previous_activity_sid
        return f"{before} -> {now}" if before else now
    return event.task_sid or ""


def _mapping(one: Explanation) -> str:
    naming, segment = one.naming, one.segment
    if naming is None or segment is None:
        return ""
    if naming.problem is not None:
        return f"none: {naming.problem}"
    event_id, reason = naming.told or ("", "")
    what = " ".join(str(word) for word in (segment.state.state, segment.state.channel, segment.state.direction) if word)
    reason_words = f"reason {reason}" if reason else "no reason"
    text = f"{what} -> {event_id}, {reason_words} ({naming.by}); agent id by {naming.agent_by}"
    if one.state is not None and one.state.event_id is not None and one.state.pair != naming.told:
        text += f"; when it was told it was {_pair(one.state)}"
    return text


def _received(event: Received | None, one: Explanation, time: Tell) -> str:
    if event is None:
        return f"no event; recorded at {time(one.state.recorded_ms)}" if one.state else ""
    text = f"{time(event.received_ms)}, {_span(event.received_ms - event.event.occurred_ms)} after it happened"
    return f"{text}; the time in question was over" if event.received_ms > one.at_ms else text


def _delivered(one: Explanation, state: StoredState, event: Received | None, time: Tell) -> str:
    if state.delivered_ms is not None:
        begun_ms = event.received_ms if event else state.recorded_ms
        return f"{time(state.delivered_ms)}, {_span(state.delivered_ms - begun_ms)} after it was received"
    note = f": {state.note}" if state.note else ""
    if state.status is Delivery.PENDING:
        ahead = f", {_counted(one.before, 'state')} before it" if one.before else ""
        return f"not yet; it waits{ahead}"
    if state.status is Delivery.SENDING:
        return "not yet; it is in a request whose outcome is not known"
    if state.status is Delivery.UNMAPPED:
        return f"not; dead letter {state.id}{note}"
    if state.status is Delivery.DEAD:
        return f"not; dead letter {state.id}{note}"
    shown = one.shown
    if one.agrees and shown is not None and shown.delivered_ms is not None:
        return f"not itself ({state.note or state.status.value}); as the present state at {time(shown.delivered_ms)}"
    return f"not; {state.status.value}{note}"


def _answered(one: Explanation) -> str:
    if one.answer is None:
        return "none"
    own = one.state is not None and one.state.answer_id == one.answer.id
    return _answer(one.answer) if own else f"none; to what it shows: {_answer(one.answer)}"


def _answer(answer: StoredAnswer) -> str:
    body = " ".join((answer.body or "").split())
    body = body if len(body) <= _ANSWER_CHARS else body[: _ANSWER_CHARS - 3] + "..."
    return f"{answer.status or 'no status'} to {_counted(answer.rows, 'state')}{': ' + body if body else ''}"


def _notes(one: Explanation) -> list[str]:
    """What else an operator must know, and what to do."""
    notes: list[str] = []
    person, state = one.person, one.state
    if one.unapplied:
        notes.append(f"{_counted(one.unapplied, 'event')} of this worker stored and not applied yet.")
    if one.running is False:
        notes.append("No connector works on this ledger: what waits goes on when flex-wfm serve is started.")
    elif one.running:
        notes.append("A connector works on this ledger; flex-wfm health tells whether the WFM takes states at present.")
    if person.called is not None:
        now = person.agent_id or "nobody"
        notes.append(
            f"The worker is no longer told as {person.called} but as {now}; the former id keeps its last state."
        )
    if person.others:
        notes.append(f"The same agent id is mapped to {', '.join(person.others)}: the WFM shows whoever was told last.")
    if state is not None and not one.agrees:
        notes += _repairs(state)
    return [f"note: {one}" for one in notes]


def _repairs(state: StoredState) -> list[str]:
    if state.status is Delivery.UNMAPPED:
        return ["It is sent by itself once it has a name: [mapping] in the settings, or Twilio's catalogue."]
    if state.status is Delivery.DEAD:
        return [
            f"flex-wfm dead-letters show {state.id} tells how to mend it; then flex-wfm dead-letters replay {state.id}."
        ]
    return []


def _pair(one: StoredState) -> str:
    return f"{one.event_id or one.state} {one.reason}".strip()


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _span(ms: int) -> str:
    sign, ms = ("-" if ms < 0 else ""), abs(ms)
    if ms < 1_000:
        return f"{sign}{ms} ms"
    if ms < 60_000:
        return f"{sign}{ms / 1_000:.1f} s"
    minutes, seconds = divmod(ms // 1_000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{sign}{hours} h {minutes} min" if hours else f"{sign}{minutes} min {seconds} s"


# -- JSON -----------------------------------------------------------------------------------------------------------


def as_json(one: Explanation) -> dict[str, Any]:
    """The explanation as JSON-able data; what is not known is null."""
    person, event = one.person, one.cause.event if one.cause else None
    return {
        "tenant": person.tenant,
        "worker_sid": person.worker_sid,
        "name": person.name,
        "agent_id": person.agent_id,
        "deleted": person.timeline.deleted,
        "same_agent_id": list(person.others),
        "at": as_time(one.at_ms),
        "agrees": one.agrees,
        "wfm_shows": _plain_state(one.shown),
        "state": _plain_state(one.state),
        "known_as": one.segment.state.state.value if one.segment else None,
        "event": _plain_event(event, one.cause.words if one.cause else ""),
        "rule": None
        if one.ruling is None
        else {"number": one.ruling.rule.number, "name": one.ruling.rule.name, "because": one.ruling.because},
        "open": [] if one.ruling is None else [_plain_work(work) for work in one.ruling.open],
        "mapping": None if one.naming is None else asdict(one.naming),
        "happened": as_time(one.state.start_ms) if one.state else None,
        "received": as_time(event.received_ms) if event else None,
        "delivered": as_time(one.state.delivered_ms) if one.state and one.state.delivered_ms is not None else None,
        "answer": None
        if one.answer is None
        else {
            "at": as_time(one.answer.at_ms),
            "status": one.answer.status,
            "rows": one.answer.rows,
            "body": one.answer.body,
        },
        "waiting_before": one.before,
        "unapplied_events": one.unapplied,
        "connector_running": one.running,
        "notes": [note.removeprefix("note: ") for note in _notes(one)],
    }


def _plain_state(one: StoredState | None) -> dict[str, Any] | None:
    if one is None:
        return None
    return {
        "id": one.id,
        "worker_sid": one.worker_sid,
        "agent_id": one.agent_id,
        "event_id": one.event_id,
        "reason": one.reason,
        "since": as_time(one.start_ms),
        "kind": one.kind.value,
        "status": one.status.value,
        "note": one.note,
        "delivered": None if one.delivered_ms is None else as_time(one.delivered_ms),
    }


def _plain_event(one: Received | None, words: str) -> dict[str, Any] | None:
    if one is None:
        return {"sid": None, "words": words} if words else None
    event = one.event
    return {
        "sid": event.sid,
        "type": event.type,
        "route": event.route.value,
        "at": as_time(event.occurred_ms),
        "words": words,
    }


def _plain_work(work: Any) -> dict[str, Any]:
    return {
        **{name: value for name, value in asdict(work).items() if name != "since_ms"},
        "since": as_time(work.since_ms),
    }
