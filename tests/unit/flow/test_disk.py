"""The guard of the ledger's disk, and what the boards show of the store."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from flex_plugin_backend.clock import ManualClock
from flex_plugin_backend.flow.condition import Condition, ConditionBoard, Trouble
from flex_plugin_backend.flow.disk import REOPEN, DiskGuard, StoreWatch, free_bytes, is_disk_trouble
from flex_plugin_backend.ledger.store import Ledger

LIMIT = 1_000_000


class Disk:
    """A disk whose room a test decides."""

    def __init__(self, free: int) -> None:
        self.free: int | OSError = free
        self.asked: list[Path] = []

    def __call__(self, folder: Path) -> int:
        self.asked.append(folder)
        if isinstance(self.free, OSError):
            raise self.free
        return self.free


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_000_000)


@pytest.fixture
def disk() -> Disk:
    return Disk(2 * LIMIT)


@pytest.fixture
def guard(clock: ManualClock, disk: Disk) -> DiskGuard:
    return DiskGuard(Path("/ledger"), clock, least_bytes=LIMIT, probe=disk)


def test_it_closes_below_the_limit_and_opens_again_with_room_to_spare(
    guard: DiskGuard, clock: ManualClock, disk: Disk
) -> None:
    """So it does not open and close with each event around the limit; the words say how much is free and needed."""
    seen = []
    for free in (LIMIT, LIMIT - 1, LIMIT, round(LIMIT * REOPEN) - 1, round(LIMIT * REOPEN), LIMIT):
        disk.free = free
        clock.advance(1)
        seen.append(guard.problem() is None)
    assert seen == [True, False, False, False, True, True]
    disk.free = 0
    clock.advance(1)
    assert guard.problem() == "the disk of the ledger is nearly full: 0 MiB are free, 1 MiB must be"


def test_the_disk_is_measured_once_a_second_at_most(guard: DiskGuard, clock: ManualClock, disk: Disk) -> None:
    """However many events come; also after the clock was set back."""
    for _ in range(100):
        guard.problem()
    clock.advance(0.999)
    guard.problem()
    assert disk.asked == [Path("/ledger")]
    clock.set_ms(0)
    guard.problem()
    assert len(disk.asked) == 2


def test_a_disk_that_cannot_be_measured_closes_nothing(guard: DiskGuard, clock: ManualClock, disk: Disk) -> None:
    """The ledger itself says when there is no room."""
    disk.free = 0
    assert guard.problem() is not None
    disk.free = OSError("gone")
    clock.advance(1)
    assert (guard.problem(), guard.free) == (None, None)


def test_a_limit_of_nought_measures_nothing(clock: ManualClock, disk: Disk) -> None:
    """Somebody else watches the disk."""
    disk.free = 0
    assert DiskGuard(Path("/ledger"), clock, least_bytes=0, probe=disk).problem() is None
    assert disk.asked == []


def test_the_real_probe_measures_the_disk_of_a_folder(tmp_path: Path) -> None:
    """What a process may still write there."""
    assert 0 < free_bytes(tmp_path) < 2**60


def _fill(ledger: Ledger) -> None:
    with ledger.write() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=1")
        connection.exec_driver_sql("CREATE TABLE more (x)")
        connection.exec_driver_sql("INSERT INTO more SELECT randomblob(1000000)")


def _forbid(ledger: Ledger) -> None:
    with ledger.write() as connection:
        connection.exec_driver_sql("PRAGMA query_only=1")
        try:
            connection.exec_driver_sql("CREATE TABLE more (x)")
        finally:
            connection.exec_driver_sql("PRAGMA query_only=0")


def _misspell(ledger: Ledger) -> None:
    with ledger.write() as connection:
        connection.exec_driver_sql("SELECT nonsense")


@pytest.mark.parametrize(("harm", "is_disk"), [(_fill, True), (_forbid, True), (_misspell, False)])
def test_what_sqlite_says_of_its_disk_is_told_from_other_errors(
    tmp_path: Path, harm: Callable[[Ledger], None], is_disk: bool
) -> None:
    """Full and read-only are the disk's fault, anything else is not."""
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.sqlite3")
    with pytest.raises(OperationalError) as caught:
        harm(ledger)
    assert is_disk_trouble(caught.value) is is_disk
    ledger.close()


@pytest.mark.parametrize("words", ["disk I/O error", "database or disk is full", "[Errno 28] No space left on device"])
def test_an_error_without_a_code_is_known_by_its_words(words: str) -> None:
    """Not every driver gives a code."""
    assert is_disk_trouble(sqlite3.OperationalError(words))
    assert not is_disk_trouble(sqlite3.OperationalError("database is locked"))


def test_every_board_shows_a_store_that_takes_nothing_until_it_does(
    guard: DiskGuard, clock: ManualClock, disk: Disk
) -> None:
    """Held, with the cause: nearly full, full, or something else."""
    boards = [ConditionBoard(name, 0) for name in ("acme", "beta")]
    for board in boards:
        board.show(Condition.OK, 0)
    refusals: list[tuple[str, bool] | None] = [None]
    watch = StoreWatch(guard, lambda: refusals[-1], boards, clock)

    def shown() -> set[tuple[Condition, Trouble | None]]:
        clock.advance(watch.step().seconds or 0)
        watch.step()
        return {(board.standing.condition, board.standing.trouble) for board in boards}

    assert shown() == {(Condition.OK, None)}
    disk.free = LIMIT - 1
    assert shown() == {(Condition.HELD, Trouble.DISK)}
    refusals.append(("the ledger refuses events (disk I/O error)", True))
    assert shown() == {(Condition.HELD, Trouble.DISK)}
    assert "I/O" in boards[0].standing.detail
    refusals.append(("the ledger refuses events (malformed)", False))
    assert shown() == {(Condition.HELD, Trouble.LEDGER)}
    refusals.append(None)
    disk.free = 2 * LIMIT
    assert shown() == {(Condition.OK, None)}
