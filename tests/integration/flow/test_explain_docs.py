"""The examples of docs/explain.md are what the commands print."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from command_line import flex_wfm
from flow_bench import Bench, Peer, answer
from histories import event

from flex_plugin_backend.clock import ManualClock
from flex_plugin_backend.domain.events import TaskRouterEvent
from flex_plugin_backend.domain.mapping import Activity
from flex_plugin_backend.flow.rules import StoredCatalogue

PAGE = Path(__file__).parents[3] / "docs" / "explain.md"
EXAMPLES = re.findall(r"```console\n\$ flex-wfm (.+)\n((?:.*\n)*?)```", PAGE.read_text())
SIDS = {"Offline": "WA0", "Available": "WA1"}
CATALOGUE = StoredCatalogue({sid: Activity(sid, name, sid != "WA0") for name, sid in SIDS.items()}, "WA0")


def at(time: str) -> int:
    return round(datetime.fromisoformat(f"2026-01-05T{time}+00:00").timestamp() * 1000)


def change(sid: str, time: str, to: str, before: str | None = None, **worker: str) -> TaskRouterEvent:
    """A worker changes its activity."""
    names = {"activity_sid": SIDS[to], "activity_name": to, "previous_activity_name": before}
    return event("worker.activity.update", at(time), sid=sid, **names, **worker)


@pytest.fixture
def morning(make_bench: Callable[..., Bench], peer: Peer) -> Bench:
    """Ana logs off at 08:58; Ben goes to work at 09:01, and the WFM refuses to hear of it."""
    bench = make_bench(
        peer.url, clock=ManualClock(at("08:00")), catalogue=CATALOGUE, mapping={"agent_id": "friendly_name"}
    )
    told = (
        ("08:00:00.190", change("EV1", "08:00", "Available", worker_sid="WK1", worker_name="ana@example.com")),
        ("08:00:01.402", change("EV2", "08:00:01.200", "Offline", worker_sid="WK2", worker_name="ben@example.com")),
        ("08:58:12.702", change("EV3", "08:58:12.431", "Offline", "Available", worker_sid="WK1")),
        ("09:01:30.115", change("EV4", "09:01:30.002", "Available", "Offline", worker_sid="WK2")),
    )
    for received, one in told:
        bench.clock.set_ms(at(received))
        bench.tell(one)
        bench.clock.advance(0.021)
        if one.sid == "EV4":
            peer.then(answer(422, {"message": "agent ben@example.com has no ACD login id"}))
        bench.drain()
    bench.clock.set_ms(at("09:05:10"))
    return bench


def test_the_examples_are_what_is_printed(morning: Bench) -> None:
    """Each block of the page, line by line."""
    assert len(EXAMPLES) == 2
    for words, shown in EXAMPLES:
        done = flex_wfm(morning, *shlex.split(words))
        assert done.exit_code == 0, done.output
        assert done.output == shown
