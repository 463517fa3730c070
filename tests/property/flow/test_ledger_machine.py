"""Whatever happens to two connectors on one ledger: what was acknowledged is delivered, in order, and nothing else.

The machine is `tests/support/ledger_machine.py`; run as a program it prints what it has tried.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ledger_machine import Stand, run
from ledger_rig import TROUBLES, ScriptedWfm
from structlog.testing import capture_logs

from flex_plugin_backend.flow.forwarder import Forwarder
from flex_plugin_backend.ledger import eventlog, outbox

FULL = os.environ.get("FLEX_WFM_SOAK") == "full"
ANSWERS = (*ScriptedWfm.MOODS, "422")


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Thousands of conditions are not worth a line each."""
    with capture_logs():
        yield


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    """A ledger on the disk, open in two processes and a command."""
    found = Stand(tmp_path)
    yield found
    found.close()


@pytest.mark.soak
@pytest.mark.timeout(7_200 if FULL else 240)
def test_no_course_loses_invents_or_swaps_anything(stand: Stand) -> None:
    """In short the same courses each time; with FLEX_WFM_SOAK=full many and others, with each kind of answer."""
    if FULL:
        run(stand, examples=3_000, steps=60)
    else:
        run(stand, examples=30, steps=25, derandomize=True)
    counts = stand.counts()
    assert [one for one in TROUBLES if not counts[one]] == []
    assert sum(counts[one] > 0 for one in ANSWERS) >= len(ANSWERS) / (1 if FULL else 2)
    assert counts["ends that were right"] == counts["courses"]


def _forgets_requests_of_the_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "release_unfinished", lambda *_: 0)


def _acknowledges_what_it_does_not_store(monkeypatch: pytest.MonkeyPatch) -> None:
    store = eventlog.store
    monkeypatch.setattr(eventlog, "store", lambda connection, arrivals: store(connection, arrivals[:1]))


def _sends_the_newest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    pending = outbox.pending
    monkeypatch.setattr(outbox, "pending", lambda *words: pending(*words)[::-1])


def _takes_a_reset_for_a_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    release = Forwarder._release

    def marks(self: Forwarder, batch: Any) -> None:
        release(self, batch)
        with self._ledger.write() as connection:
            outbox.mark_delivered(connection, [one.id for one in batch], self._clock.now_ms(), 0)

    monkeypatch.setattr(Forwarder, "_release", marks)


@pytest.mark.parametrize(
    "fault",
    [
        _forgets_requests_of_the_dead,
        _acknowledges_what_it_does_not_store,
        _sends_the_newest_first,
        _takes_a_reset_for_a_yes,
    ],
)
def test_a_planted_fault_is_found(
    stand: Stand, monkeypatch: pytest.MonkeyPatch, fault: Callable[[pytest.MonkeyPatch], None]
) -> None:
    """The machine can fail: each of these would lose, swap or invent something."""
    fault(monkeypatch)
    with pytest.raises((AssertionError, BaseExceptionGroup)):
        run(stand, examples=30, steps=25, derandomize=True)
