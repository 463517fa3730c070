"""The plan of the floor, as a planner would have it: shifts and breaks, activity codes, and a forecast per queue."""

from __future__ import annotations

from typing import Any

from simulator.world.arrivals import demand_of, rate_into
from simulator.world.engine import World
from simulator.world.figures_ledger import PlannedShift
from simulator.world.figures_rules import INTERVAL_MS, FigureRules

OPEN = "Open"
_DAY_MS = 86_400_000
_DEFAULT_RULES = FigureRules()


def planned_schedule(world: World, rules: FigureRules = _DEFAULT_RULES) -> dict[str, Any]:
    """What POST /sim/schedule of the fake WFM takes; shifts are known from the agent's log-in on."""
    floor = world.floor
    away = [
        one for one in floor.activities.values() if not one.available and not one.pseudo and one is not floor.offline
    ]
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
    """Expected volume and handle time per queue and interval, for each day that the world has seen.

    Rushes and failures are in no forecast.
    """
    scenario, rows = world.scenario, []
    first_ms = scenario.start_ms // _DAY_MS * _DAY_MS
    last_ms = (world.now_ms // _DAY_MS + 1) * _DAY_MS
    for queue, plan in zip(world.floor.queues, scenario.queues, strict=True):
        channel, per_ms = scenario.channels.of(plan.channel), rate_into(scenario, plan)
        aht_s = round((plan.talk or channel.talk).mean_s + (plan.wrap_up or channel.wrap_up).mean_s, 1)
        demand = demand_of(scenario, plan.channel, plan.site, foreseen=True)
        queue_id = rules.queue_id(queue.sid, queue.name, queue.medium)
        for start_ms in range(first_ms, last_ms, INTERVAL_MS):
            if start_ms >= scenario.start_ms:
                volume = round(per_ms * INTERVAL_MS * demand.factor(start_ms), 2)
                rows.append({"queue_id": queue_id, "start_ms": start_ms, "volume": volume, "aht_s": aht_s})
    return rows
