"""The routes under /sim that show what a WFM does with what it holds: history, adherence, intraday, this moment."""

from __future__ import annotations

import threading
from typing import Any

from flask import Blueprint, Response, jsonify, request

from simulator.wfm.adherence import as_csv
from simulator.wfm.agents import adherence, rta
from simulator.wfm.history import skill_history
from simulator.wfm.intraday import DAY_MS, intraday
from simulator.wfm.schedule import BadSchedule, Schedule, changed
from simulator.wfm.service import FakeWfm


class Planner:
    """Holds the schedule that was posted last; safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._schedule = Schedule()

    @property
    def schedule(self) -> Schedule:
        """The schedule as it is now; it is frozen."""
        with self._lock:
            return self._schedule

    def change(self, given: Any) -> Schedule:
        """Replace the parts that are given; BadSchedule says what is wrong with them."""
        with self._lock:
            self._schedule = changed(self._schedule, given)
            return self._schedule


def add_uses(control: Blueprint, wfm: FakeWfm, planner: Planner) -> None:
    """The routes for one fake WFM and its planner."""

    @control.post("/schedule")
    def post_schedule() -> tuple[Response, int] | Response:
        """Plan: activities, mapping, agents, forecast, method; each part given replaces what was there."""
        try:
            schedule = planner.change(request.get_json(silent=True, force=True))
        except BadSchedule as problem:
            return jsonify(problem=str(problem)), 400
        return jsonify(
            activities=len(schedule.codes),
            mapping=len(schedule.mapping),
            agents=len(schedule.agents),
            forecast=len(schedule.forecast),
            method="category" if schedule.by_category else "activity",
        )

    @control.get("/wfm/history")
    def history() -> Response:
        """Skill history of `from_ms` to `to_ms`, all that is held by default; `queue_id` picks one queue."""
        to_ms = _instant("to_ms", wfm.now_ms() + DAY_MS)
        return jsonify(skill_history(wfm, _instant("from_ms", 0), to_ms, request.args.get("queue_id")))

    @control.get("/wfm/adherence")
    def past_adherence() -> Response:
        """Adherence of `from_ms` to `to_ms`, of today until now by default; `agent_id` picks one agent."""
        from_ms, to_ms = _period(wfm)
        agents = adherence(wfm, planner.schedule, from_ms, to_ms, request.args.get("agent_id"))
        return jsonify(from_ms=from_ms, to_ms=min(to_ms, wfm.now_ms()), agents=agents)

    @control.get("/wfm/adherence.csv")
    def adherence_csv() -> tuple[Response, int] | Response:
        """The same as CSV: `rows` is `hours` (default) or `spans`."""
        rows = request.args.get("rows", "hours")
        if rows not in ("hours", "spans"):
            return jsonify(problem="rows must be hours or spans"), 400
        from_ms, to_ms = _period(wfm)
        agents = adherence(wfm, planner.schedule, from_ms, to_ms, request.args.get("agent_id"))
        headers = {"Content-Disposition": f"attachment; filename=adherence-{rows}.csv"}
        return Response(as_csv(agents, rows), mimetype="text/csv", headers=headers)

    @control.get("/wfm/intraday")
    def actual_and_forecast() -> Response:
        """The day of `day_ms`, today by default; `queue_id` picks one queue."""
        day_ms = _instant("day_ms", wfm.now_ms())
        return jsonify(intraday(wfm, planner.schedule, day_ms, request.args.get("queue_id")))

    @control.get("/wfm/rta")
    def real_time() -> Response:
        """Real-time adherence of this moment; `agent_id` picks one agent."""
        return jsonify(rta(wfm, planner.schedule, request.args.get("agent_id")))


def _period(wfm: FakeWfm) -> tuple[int, int]:
    now_ms = wfm.now_ms()
    from_ms = _instant("from_ms", now_ms // DAY_MS * DAY_MS)
    # An adherence report goes back no more than a month (CXone reference 5.2).
    return max(from_ms, now_ms - 31 * DAY_MS), _instant("to_ms", now_ms)


def _instant(name: str, default: int) -> int:
    return max(0, min(request.args.get(name, default, type=int), 2**53))
