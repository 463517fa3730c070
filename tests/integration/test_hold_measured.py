"""Hold on a floor where everything strange happens: what `flex-wfm report` shows is what was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from flex_plugin_backend.flow.rebuild import ReportDesk, each
from flex_plugin_backend.ledger.store import Ledger
from flex_plugin_backend.web.state import EXTENSION
from simulator.harness.config import TENANT
from simulator.harness.routes import Route
from simulator.harness.virtual import VirtualFloor, callback_route, stream_route
from simulator.world.figures_face import true_reports
from simulator.world.scenario.files import load_scenario

Held = dict[tuple[Any, ...], int]


def _run(folder: Path, route: Callable[[VirtualFloor], Route], *, agents: int, hours: int) -> tuple[Held, Held]:
    """Seconds of hold by interval, queue and agent (empty: of the queue): as they were, and as the ledger has them."""
    changes = {"agents": agents, "start": "2026-01-05T09:00:00Z", "hold.share": 0.8, "transfers.to_worker_share": 0.4}
    scenario = load_scenario("everything-strange", changes)
    with VirtualFloor(scenario, folder, route=route) as floor:
        end_ms = floor.start_ms + hours * 3_600_000
        floor.service.end_ms = end_ms
        floor.run_to(end_ms + 60_000)
        with floor.service.present() as (world, _):
            truth = dict(_true(true_reports(world, known_from_ms=floor.start_ms)))
        settings = floor.host.connectors[-1].app.extensions[EXTENSION].settings
        with closing(Ledger(settings.ledger.url)) as ledger:
            desk = ReportDesk(TENANT, settings.tenants[TENANT], ledger)
            shown = dict(_shown(desk, floor.start_ms, end_ms, floor.now_ms))
    return truth, shown


def _true(reports: dict[str, Any]) -> Iterator[tuple[tuple[Any, ...], int]]:
    for one in reports["intervals"]:
        for row in one["queue_report"]:
            yield (one["start_ms"], row["queue_id"], ""), row["hold_time_s"]
        for row in one["agent_queue_report"]:
            yield (one["start_ms"], row["queue_id"], row["agent_id"]), row["hold_time_s"]


def _shown(desk: ReportDesk, from_ms: int, to_ms: int, now_ms: int) -> Iterator[tuple[tuple[Any, ...], int]]:
    for interval in each(from_ms, to_ms):
        rows = desk.rows(interval, now_ms)
        for queue in rows.queues:
            yield (interval.start_ms, queue.queue_id, ""), queue.hold_time_s
        for agent in rows.agent_queues:
            yield (interval.start_ms, agent.queue_id, agent.agent_id), agent.hold_time_s


def test_by_event_streams_hold_is_measured_to_the_second(tmp_path: Path) -> None:
    """In every interval, of every queue and agent, transfers and deleted workers included."""
    truth, shown = _run(tmp_path, stream_route, agents=8, hours=2)
    assert shown == truth
    assert sum(1 for seconds in truth.values() if seconds) > 30


def test_by_callbacks_there_is_none(tmp_path: Path) -> None:
    """TaskRouter does not tell of it, so it is part of the talk."""
    truth, shown = _run(tmp_path, callback_route, agents=3, hours=1)
    assert shown.keys() == truth.keys()
    assert not any(shown.values())
    assert any(truth.values())
