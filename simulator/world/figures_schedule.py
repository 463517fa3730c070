"""The plan of the floor, as a planner would have it: shifts and breaks, activity codes, and a forecast per queue."""

from __future__ import annotations

import math
from typing import Any

from simulator.world.arrivals import busyness
from simulator.world.engine import World
from simulator.world.figures_ledger import PlannedShift
from simulator.world.figures_rules import INTERVAL_MS, FigureRules
from simulator.world.scenario import Scenario

OPEN = "Open"
_DAY_MS = 86_400_000
_HOUR_MS = 3_600_000
_DEFAULT_RULES = FigureRules()
# The spread of the log-normal talk and wrap-up times: the mean lies above the median by exp(spread^2 / 2).
_TALK_SPREAD, _WRAP_SPREAD = 0.6, 0.7


def planned_schedule(world: World, rules: FigureRules = _DEFAULT_RULES) -> dict[str, Any]:
    """What POST /sim/schedule of the fake WFM takes; shifts are known from the agent's log-in on."""
    floor = world.floor
    away = [one for one in floor.activities.values() if not one.available and one is not floor.offline]
    mapping = [
        {"event_id": rules.event_ids["UNAVAILABLE"], "event_reason": one.name, "activity": one.name} for one in away
    ]
    mapping.append({"event_id": rules.event_ids["OFFLINE"], "event_reason": "", "activity": "Logoff"})
    busy = {event_id for state, event_id in rules.event_ids.items() if state not in ("UNAVAILABLE", "OFFLINE")}
    mapping.extend({"event_id": event_id, "event_reason": "", "activity": OPEN} for event_id in sorted(busy))
    return {
        "activities": [{"activity": OPEN, "open": True}, *({"activity": one.name, "open": False} for one in away)],
        "mapping": mapping,
        "agents": [
            {
                "agent_id": worker.sid,
                "name": worker.name,
                "activities": [
                    part for shift in world.truth.ledger.shifts.get(worker.sid, []) for part in _parts(shift)
                ],
            }
            for worker in floor.workers
        ],
        "forecast": forecast(world, rules),
    }


def _parts(shift: PlannedShift) -> list[dict[str, Any]]:
    """A shift as stretches without holes: open, but for the duties."""
    parts: list[tuple[int, int, str]] = []
    at_ms = shift.start_ms
    for duty in shift.duties:
        parts.append((at_ms, duty.start_ms, OPEN))
        parts.append((duty.start_ms, duty.end_ms, duty.name))
        at_ms = duty.end_ms
    parts.append((at_ms, shift.end_ms, OPEN))
    return [{"start_ms": start, "end_ms": end, "activity": name} for start, end, name in parts if start < end]


def forecast(world: World, rules: FigureRules = _DEFAULT_RULES) -> list[dict[str, Any]]:
    """Expected volume and handle time per queue and interval, for each day that the world has seen."""
    scenario, rows = world.scenario, []
    first_ms = scenario.start_ms // _DAY_MS * _DAY_MS
    last_ms = (world.now_ms // _DAY_MS + 1) * _DAY_MS
    for queue in world.floor.queues:
        sharing = sum(1 for other in world.floor.queues if other.medium == queue.medium)
        per_hour = scenario.arrivals.get(queue.medium, 0.0) * scenario.agents / sharing
        aht_s = round(_mean_handle_s(scenario, queue.medium), 1)
        queue_id = rules.queue_id(queue.sid, queue.name, queue.medium)
        for start_ms in range(first_ms, last_ms, INTERVAL_MS):
            if start_ms >= scenario.start_ms:
                volume = per_hour * busyness(scenario, start_ms + INTERVAL_MS // 2) * INTERVAL_MS / _HOUR_MS
                rows.append({"queue_id": queue_id, "start_ms": start_ms, "volume": round(volume, 2), "aht_s": aht_s})
    return rows


def _mean_handle_s(scenario: Scenario, medium: str) -> float:
    talk_s = scenario.talk_s[medium] * math.exp(_TALK_SPREAD**2 / 2)
    return talk_s + scenario.wrap_s[medium] * math.exp(_WRAP_SPREAD**2 / 2)
