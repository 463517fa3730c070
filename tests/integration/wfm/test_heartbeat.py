"""The heartbeat thread: it beats by the clock, tells each result, and nothing but stop ends it."""

from __future__ import annotations

import queue
from collections.abc import Iterator

import pytest

from flex_plugin_backend.clock import ManualClock
from flex_plugin_backend.wfm import Beat, CXoneWfmException, FailureKind, Heartbeat, WFMConnection

from .conftest import START_MS, Wfm


@pytest.fixture
def beats() -> queue.Queue[Beat]:
    return queue.Queue()


@pytest.fixture
def heartbeat(connection: WFMConnection, beats: queue.Queue[Beat]) -> Iterator[Heartbeat]:
    made = Heartbeat(connection, beats.put)
    yield made
    assert made.stop()


def test_it_beats_at_once_and_in_each_period(
    heartbeat: Heartbeat, beats: queue.Queue[Beat], clock: ManualClock
) -> None:
    """The first beat comes at the start, the next ones each 60 seconds of the clock."""
    heartbeat.start()
    first = beats.get(timeout=10)
    assert (first.ok, first.at_ms, first.response is not None) == (True, START_MS, True)
    clock.advance(59)
    with pytest.raises(queue.Empty):
        beats.get(timeout=0.2)
    clock.advance(1)
    assert beats.get(timeout=10).at_ms == START_MS + 60_000


def test_a_failure_does_not_stop_it(
    heartbeat: Heartbeat, beats: queue.Queue[Beat], clock: ManualClock, wfm: Wfm
) -> None:
    """A failed beat is told with its error; the next beat goes out as usual."""
    wfm.script("heartbeat", wfm.answer(503), wfm.answer(200, {}))
    heartbeat.start()
    failed = beats.get(timeout=10)
    assert not failed.ok
    assert isinstance(failed.error, CXoneWfmException)
    assert failed.error.kind is FailureKind.PASSING
    clock.advance(60)
    assert beats.get(timeout=10).ok


def test_a_bad_listener_does_not_stop_it(
    connection: WFMConnection, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """What the listener raises is logged, and the beating goes on."""
    beats: queue.Queue[Beat] = queue.Queue()

    def listen(beat: Beat) -> None:
        beats.put(beat)
        raise KeyError("listener")

    heartbeat = Heartbeat(connection, listen, period_s=5)
    heartbeat.start()
    beats.get(timeout=10)
    clock.advance(5)
    assert beats.get(timeout=10).ok
    assert heartbeat.stop()
    assert any("listener failed" in record.message for record in caplog.records)


def test_it_starts_once_and_stops_without_a_start(connection: WFMConnection) -> None:
    """A second start is an error; stopping what never ran is none."""
    heartbeat = Heartbeat(connection, lambda _: None)
    assert heartbeat.stop()
    heartbeat = Heartbeat(connection, lambda _: None)
    heartbeat.start()
    with pytest.raises(RuntimeError):
        heartbeat.start()
    assert heartbeat.stop()
