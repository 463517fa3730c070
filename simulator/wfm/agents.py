"""Every agent of the fake WFM: the adherence of the past from activity reports, and of this moment from states."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from simulator.wfm.adherence import Actual, RtaState, hours_of, measures, out_spans, pieces_of
from simulator.wfm.holdings import INTERVAL_MS, Told, newest_reports, states_by_agent
from simulator.wfm.schedule import PlannedAgent, Schedule
from simulator.wfm.service import FakeWfm

_DAY_MS = 86_400_000
_NOBODY = PlannedAgent("", ())


def adherence(
    wfm: FakeWfm, schedule: Schedule, from_ms: int, to_ms: int, agent_id: str | None = None
) -> list[dict[str, Any]]:
    """The adherence of each agent between two instants, as far as the present.

    What an agent did comes from the agent activity reports; what has not completed yet, so that no report has it,
    from the real-time states. Where a report is held and says nothing, the agent was logged off.
    """
    to_ms = min(to_ms, wfm.now_ms())
    held: set[int] = set()
    rows: dict[str, list[Mapping[str, Any]]] = {}
    # An activity stands in the report of the interval where it ends, which may be long after it began.
    for report in newest_reports(wfm, "agent_activity", from_ms - _DAY_MS, to_ms + _DAY_MS):
        held.add(report.start_ms)
        for row in report.plain.get("report_data") or ():
            rows.setdefault(str(row["agent_id"]), []).append(row)
    states = states_by_agent(wfm)
    found = []
    for agent in sorted(schedule.agents.keys() | rows.keys() | states.keys()):
        if agent_id is None or agent == agent_id:
            planned = schedule.agents.get(agent, _NOBODY)
            actuals = _actuals(rows.get(agent, ()), states.get(agent, ()), held, from_ms, to_ms)
            pieces = pieces_of(schedule, planned.stretches, actuals, from_ms, to_ms)
            found.append(
                {
                    "agent_id": agent,
                    "agent_name": planned.name or agent,
                    **measures(pieces, from_ms, to_ms),
                    "hours": hours_of(pieces, from_ms, to_ms),
                    "out_spans": out_spans(pieces),
                }
            )
    return found


def _actuals(
    rows: Iterable[Mapping[str, Any]], states: Sequence[Told], held: set[int], from_ms: int, to_ms: int
) -> list[Actual]:
    """What an agent did from `from_ms` to `to_ms`, without holes."""
    actuals: list[Actual] = []
    at_ms = from_ms
    for row in sorted(rows, key=lambda row: int(row["start_ms"])):
        start_ms, end_ms = max(int(row["start_ms"]), at_ms), min(int(row["end_ms"]), to_ms)
        if start_ms < end_ms:
            actuals.extend(_silence(at_ms, start_ms, held))
            told = Told(int(row["start_ms"]), str(row["event_id"]), str(row.get("event_reason") or ""))
            actuals.append(Actual(start_ms, end_ms, told))
            at_ms = end_ms
    for number, told in enumerate(states):
        end_ms = states[number + 1].start_ms if number + 1 < len(states) else to_ms
        start_ms, end_ms = max(told.start_ms, at_ms), min(end_ms, to_ms)
        if start_ms < end_ms:
            actuals.extend(_silence(at_ms, start_ms, held))
            actuals.append(Actual(start_ms, end_ms, told))
            at_ms = end_ms
    actuals.extend(_silence(at_ms, to_ms, held))
    return actuals


def _silence(from_ms: int, to_ms: int, held: set[int]) -> Iterable[Actual]:
    """Nothing reported: logged off in intervals whose report is held, unknown in the others."""
    while from_ms < to_ms:
        start_ms = from_ms // INTERVAL_MS * INTERVAL_MS
        end_ms = min(to_ms, start_ms + INTERVAL_MS)
        yield Actual(from_ms, end_ms, known=start_ms in held)
        from_ms = end_ms


def rta(wfm: FakeWfm, schedule: Schedule, agent_id: str | None = None) -> dict[str, Any]:
    """The real-time adherence of this moment: one row per agent, and how many agents are in which state.

    An event stays in force until the next one. `flags`: `no_event`, `unmapped_event`, `unknown_login` (the ACD login
    id belongs to nobody in the schedule).
    """
    now_ms = wfm.now_ms()
    states = states_by_agent(wfm)
    rows = [
        _now(agent, schedule, states.get(agent, []), now_ms)
        for agent in sorted(schedule.agents.keys() | states.keys())
        if agent_id is None or agent == agent_id
    ]
    counts = {state.value: sum(row["state"] == state.value for row in rows) for state in RtaState}
    return {"now_ms": now_ms, "counts": counts, "agents": rows}


def _now(agent: str, schedule: Schedule, states: list[Told], now_ms: int) -> dict[str, Any]:
    planned = schedule.agents.get(agent, _NOBODY)
    from_ms, to_ms = now_ms - _DAY_MS, now_ms + 1  # the last millisecond is the present
    told_by_now = [told for told in states if told.start_ms <= now_ms]
    actuals: list[Actual] = []
    at_ms = from_ms
    for number, told in enumerate(told_by_now):
        end_ms = told_by_now[number + 1].start_ms if number + 1 < len(told_by_now) else to_ms
        if max(told.start_ms, at_ms) < end_ms:
            actuals.append(Actual(at_ms, max(told.start_ms, at_ms), known=False))
            actuals.append(Actual(max(told.start_ms, at_ms), end_ms, told))
            at_ms = end_ms
    actuals.append(Actual(at_ms, to_ms, known=False))
    pieces = pieces_of(schedule, planned.stretches, actuals, from_ms, to_ms)
    present = pieces[-1]
    out_since_ms = None
    for piece in reversed(pieces):
        if not piece.out:
            break
        out_since_ms = piece.start_ms
    flags = {
        "no_event": present.told is None,
        "unmapped_event": present.told is not None and present.actual is None,
        "unknown_login": agent not in schedule.agents,
    }
    told = present.told or Told(0, "", "")
    return {
        "agent_id": agent,
        "agent_name": planned.name or agent,
        "scheduled": present.scheduled,
        "actual": present.actual,
        "event_id": told.event_id or None,
        "event_reason": told.event_reason or None,
        "since_ms": told.start_ms or None,
        "state": present.state.value,
        "out_since_ms": out_since_ms,
        "out_s": None if out_since_ms is None else now_ms // 1000 - out_since_ms // 1000,
        "flags": [name for name, is_set in flags.items() if is_set],
    }
