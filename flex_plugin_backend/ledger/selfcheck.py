"""Looks at a ledger's file before anything is written to it: is it one of ours, and is it whole."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import structlog

from flex_plugin_backend.errors import LedgerDamaged, LedgerForeign

_MAGIC = b"SQLite format 3\x00"
_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
# SQLite asks this often, counted in its own instructions, whether it is to go on.
_ASK_EVERY = 10_000
# Tables that every version of the ledger has.
_OURS = {"alembic_version", "events", "cursors"}

_log = structlog.get_logger(__name__)


def check_file(path: Path, *, within_s: float = 0.0) -> None:
    """Check an embedded ledger; a file that is not there, or is empty, is about to become one.

    Args:
        within_s: how long its pages may be checked; 0: only what it is. What is not reached then is found when it is
            read, or by `flex-wfm ledger check`.

    Raises:
        LedgerForeign: it is no ledger, but something else's file.
        LedgerDamaged: it was one.
    """
    try:
        with path.open("rb") as file:
            begin = file.read(len(_MAGIC))
    except OSError:
        return  # whoever opens it says why it cannot be
    if not begin:
        return
    if begin != _MAGIC:
        raise LedgerForeign(path=path, problem="it is no SQLite database, or its beginning is damaged")
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as connection:
            _check_tables(connection, path)
            if within_s:
                _check_pages(connection, path, within_s)
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorname", "").startswith(_DAMAGED):
            raise LedgerDamaged(path=path, problem=str(error)) from error
        _log.warning("ledger.not_checked", path=str(path), problem=str(error))


def _check_tables(connection: sqlite3.Connection, path: Path) -> None:
    found = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if found and not found >= _OURS:
        raise LedgerForeign(path=path, problem="it is a database of another program")


def _check_pages(connection: sqlite3.Connection, path: Path, within_s: float) -> None:
    deadline_s = time.monotonic() + within_s
    connection.set_progress_handler(lambda: int(time.monotonic() > deadline_s), _ASK_EVERY)
    try:
        problems = [text for (text,) in connection.execute("PRAGMA quick_check(3)") if text != "ok"]
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorname", "") != "SQLITE_INTERRUPT":
            raise
        _log.info("ledger.partly_checked", path=str(path), seconds=within_s)
        return
    finally:
        connection.set_progress_handler(None, 0)
    if problems:
        raise LedgerDamaged(path=path, problem="; ".join(" ".join(text.split()) for text in problems))
