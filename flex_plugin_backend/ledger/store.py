"""The ledger's engine: one file or server, one writer at a time in this process, durable or relaxed transactions."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from flex_plugin_backend.errors import LedgerError
from flex_plugin_backend.ledger.migrate import bring_up_to_date
from flex_plugin_backend.ledger.recent import Recent
from flex_plugin_backend.ledger.selfcheck import check_file

BUSY_TIMEOUT_S = 10.0
# How long whoever works with a ledger for good checks its pages before: some gigabytes.
CHECK_S = 5.0
_WRITING = {"flex_wfm_writing": True}


class Ledger:
    """Opens the database at `url`, brings its schema up to date, and hands out transactions.

    A *durable* transaction is on the disk when it ends (SQLite: `synchronous=FULL`); that is what an event gets before
    Twilio gets its answer. A *relaxed* one survives the death of the process but not of the machine; it is for
    what can be derived again from the events.

    Raises:
        LedgerError: the database cannot be opened.
        LedgerForeign: the file is something else's.
        LedgerDamaged: the file is damaged.
        LedgerSchemaError: its schema was made by a newer program.
    """

    def __init__(
        self,
        url: str,
        *,
        connection_class: type[sqlite3.Connection] = sqlite3.Connection,
        check_s: float = 0.0,
    ) -> None:
        """Open it.

        Args:
            connection_class: what the driver's connections are; tests let the disk fail with one of their own.
            check_s: how long the file's pages may be checked before it is opened.
        """
        self.url: URL = _checked(url)
        check_file(self.path, within_s=check_s)
        self._writing = threading.Lock()
        self.recent = Recent()
        try:
            self._durable = _engine(self.url, "FULL", connection_class)
            self._relaxed = _engine(self.url, "NORMAL", connection_class)
            with self._writing:
                bring_up_to_date(self._durable)
            # Made once: an engine with options of its own is too dear to make for each transaction.
            self._durable_writer = self._durable.execution_options(**_WRITING)
            self._relaxed_writer = self._relaxed.execution_options(**_WRITING)
        except (ArgumentError, ImportError) as error:
            raise LedgerError(
                problem=f"there is no driver for {self.url.drivername}",
                repair="Use sqlite:////path/to/file, or install the driver.",
            ) from error
        except DBAPIError as error:
            raise LedgerError(
                problem=str(error.orig), repair=f"Check that {self.url.database} is a writable flex-wfm ledger."
            ) from error

    @property
    def path(self) -> Path:
        """The database file."""
        return Path(self.url.database or "")

    @contextmanager
    def write_durably(self) -> Iterator[Connection]:
        """One write transaction that is on the disk when the block ends."""
        # SQLite has one writer; waiting on a lock of our own is far quicker than on its busy handler.
        with self._writing, self._durable_writer.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One write transaction for what can be derived again."""
        with self._writing, self._relaxed_writer.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One read transaction; it sees one state of the ledger throughout."""
        with self._relaxed.connect() as connection:
            yield connection

    def close(self) -> None:
        """Let go of every connection."""
        self._durable.dispose()
        self._relaxed.dispose()


def _checked(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:  # its text would repeat the address, which may hold a password
        raise LedgerError(problem="its address is none", repair="Write it like sqlite:////path/to/file.") from error
    if parsed.get_backend_name() != "sqlite":
        raise LedgerError(
            problem=f"a ledger in {parsed.get_backend_name()} is not supported yet",
            repair="Name a file: sqlite:////path/to/file.",
        )
    if parsed.database in (None, "", ":memory:"):
        raise LedgerError(
            problem="a ledger in memory forgets what was acknowledged", repair="Name a file: sqlite:////path/to/file."
        )
    return parsed


def _engine(url: URL, synchronous: str, connection_class: type[sqlite3.Connection]) -> Engine:
    driver = {"timeout": BUSY_TIMEOUT_S, "check_same_thread": False, "factory": connection_class}
    engine = create_engine(url, connect_args=driver)

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
        # The driver's own transaction handling begins too late; ours begins with the first statement.
        connection.isolation_level = None
        cursor = connection.cursor()
        if cursor.execute("PRAGMA page_count").fetchone()[0] == 0:
            # Only a file that is still empty can become one whose free pages are given back without copying the rest.
            cursor.execute("PRAGMA auto_vacuum=INCREMENTAL")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute(f"PRAGMA synchronous={synchronous}")
        cursor.execute("PRAGMA temp_store=MEMORY")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A writer takes the lock at once: one that began as a reader could be refused halfway.
        writing = connection.get_execution_options().get("flex_wfm_writing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine
