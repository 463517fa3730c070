"""The truth as JSON: the reports of the intervals asked for, their totals, who stands in them, and all states."""

from __future__ import annotations

from typing import Any

from simulator.world.engine import World
from simulator.world.figures import Figures
from simulator.world.figures_rules import INTERVAL_MS, FigureRules

_DEFAULT_RULES = FigureRules()


def true_reports(
    world: World,
    *,
    from_ms: int | None = None,
    to_ms: int | None = None,
    known_from_ms: int | None = None,
    rules: FigureRules = _DEFAULT_RULES,
) -> dict[str, Any]:
    """Every interval that lies wholly between the two instants, in the world's life, and is over.

    `totals` are the figures of the whole stretch, computed at once and not by adding up intervals.
    """
    first_ms = max(world.scenario.start_ms, world.scenario.start_ms if from_ms is None else from_ms)
    first_ms = -(-first_ms // INTERVAL_MS) * INTERVAL_MS
    last_ms = min(world.now_ms, world.now_ms if to_ms is None else to_ms) // INTERVAL_MS * INTERVAL_MS
    figures = Figures(world.truth.ledger, rules, until_ms=world.now_ms, known_from_ms=known_from_ms)
    intervals = figures.intervals(first_ms, last_ms)
    return {
        "now_ms": world.now_ms,
        "from_ms": first_ms,
        "to_ms": max(first_ms, last_ms),
        "known_from_ms": known_from_ms,
        "interval_ms": INTERVAL_MS,
        "rules": rules.to_dict(),
        "agents": [{"worker_sid": worker.sid, "name": worker.name} for worker in world.floor.workers],
        "queues": [
            {"queue_sid": queue.sid, "name": queue.name, "channel": queue.medium} for queue in world.floor.queues
        ],
        "intervals": intervals,
        "totals": figures.total(first_ms, last_ms) if intervals else None,
    }


def true_states(world: World, known_from_ms: int | None = None) -> list[dict[str, Any]]:
    """Every agent's states as the model went through them, in the order of the workers' creation.

    Without those whom nobody could know who came at `known_from_ms`, because they had been deleted.
    """
    return [
        {
            "worker_sid": worker.sid,
            "name": worker.name,
            "states": [
                {
                    "start_ms": state.start_ms,
                    "state": state.state,
                    "channel": state.channel,
                    "direction": state.direction,
                    "reason": state.reason,
                    "cause_sid": state.cause_sid,
                }
                for state in world.truth.until(worker, world.now_ms)
            ],
        }
        for worker in world.floor.workers
        if known_from_ms is None or worker.is_known_at(known_from_ms)
    ]
