"""The store: durable where it must be, one writer at a time, and errors that say what to do."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from histories import AVAILABLE, activity
from sqlalchemy import Connection

from flex_plugin_backend.domain.events import TaskRouterEvent
from flex_plugin_backend.errors import LedgerError
from flex_plugin_backend.ledger import eventlog
from flex_plugin_backend.ledger.eventlog import Arrival
from flex_plugin_backend.ledger.store import Ledger

OPENER = """
import sys
from flex_plugin_backend.ledger.store import Ledger
print("ready", flush=True)
sys.stdin.readline()
Ledger(sys.argv[1]).close()
print("open", flush=True)
"""


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A fresh ledger."""
    found = Ledger(f"sqlite:///{tmp_path / 'l.sqlite3'}")
    yield found
    found.close()


def test_a_durable_transaction_is_synced_and_a_relaxed_one_is_not(ledger: Ledger) -> None:
    """Events wait for the disk (FULL = 2), what can be derived again does not (NORMAL = 1); both use the WAL."""
    with ledger.write_durably() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    with ledger.write() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 1


def fail_after_writing(write: Callable[[], AbstractContextManager[Connection]], one: TaskRouterEvent) -> None:
    """Write an event, then break off."""
    with write() as connection:
        eventlog.append(connection, [Arrival("acme", one, 1)])
        raise ZeroDivisionError


def test_a_failed_transaction_leaves_nothing(ledger: Ledger) -> None:
    """What a block wrote before it failed is not there, and the next block can write."""
    (one, other) = (activity(1, AVAILABLE), activity(2, AVAILABLE))
    for write in (ledger.write, ledger.write_durably):
        with pytest.raises(ZeroDivisionError):
            fail_after_writing(write, one)
    with ledger.write() as connection:
        eventlog.append(connection, [Arrival("acme", other, 1)])
        assert eventlog.count(connection, "acme") == (1, 2)


def test_a_reader_sees_one_state_throughout(ledger: Ledger) -> None:
    """What is written meanwhile does not show within a read transaction."""
    with ledger.read() as reading:
        assert eventlog.count(reading, "acme")[0] == 0
        with ledger.write() as writing:
            eventlog.append(writing, [Arrival("acme", activity(1, AVAILABLE), 1)])
        assert eventlog.count(reading, "acme")[0] == 0
    with ledger.read() as reading:
        assert eventlog.count(reading, "acme")[0] == 1


def test_writers_take_turns(ledger: Ledger) -> None:
    """Durable and relaxed writers of one process wait for one another instead of failing as busy."""
    barrier = threading.Barrier(8)
    faults: list[BaseException] = []

    def work(number: int) -> None:
        try:
            barrier.wait(10)
            for at in range(10):
                with (ledger.write if number % 2 else ledger.write_durably)() as connection:
                    seq = eventlog.cursor(connection, "acme", "counter")
                    eventlog.set_cursor(connection, "acme", "counter", seq + 1)
                    assert at < 10
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert faults == []
    with ledger.read() as connection:
        assert eventlog.cursor(connection, "acme", "counter") == 80


def test_a_file_that_is_no_database_is_explained(tmp_path: Path) -> None:
    """The error names the file and what to check, and leaves the file as it was."""
    path = tmp_path / "notes.txt"
    path.write_text("this is not a database, but somebody's notes " * 50)
    with pytest.raises(LedgerError, match=r"notes\.txt is not a ledger of flex-wfm.*Name another file"):
        Ledger(f"sqlite:///{path}")
    assert path.read_text().startswith("this is not a database")


def test_a_folder_that_does_not_exist_is_explained(tmp_path: Path) -> None:
    """The error names the path."""
    with pytest.raises(LedgerError, match=r"absent/l\.sqlite3"):
        Ledger(f"sqlite:///{tmp_path / 'absent' / 'l.sqlite3'}")


def test_a_ledger_that_may_not_be_written_is_explained(tmp_path: Path) -> None:
    """A read-only database stops the start with words, not at the first event."""
    path = tmp_path / "l.sqlite3"
    sqlite3.connect(path).close()
    with pytest.raises(LedgerError):
        Ledger(f"sqlite:///file:{path}?mode=ro&uri=true")


@pytest.mark.parametrize("url", ["", "nonsense", "sqlite3:///l.db", "mongodb://host/db"])
def test_an_address_that_is_none_is_explained(url: str) -> None:
    """A wrong kind of address is a LedgerError too, so that the start can say what to do."""
    with pytest.raises(LedgerError):
        Ledger(url)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_ledger_in_memory_is_refused(url: str) -> None:
    """What was acknowledged to Twilio must outlive the process, and every connection must see the same."""
    with pytest.raises(LedgerError, match="Name a file"):
        Ledger(url)


def test_processes_that_start_together_on_an_empty_ledger_all_succeed(tmp_path: Path) -> None:
    """Several replicas may make the schema at the same moment; none may fail over it."""
    url = f"sqlite:///{tmp_path / 'l.sqlite3'}"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", OPENER, url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for one in started:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in started:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    said = [one.communicate(timeout=60) for one in started]
    assert [out for out, _ in said] == ["open\n"] * 4, "\n".join(err for _, err in said)[-3000:]
