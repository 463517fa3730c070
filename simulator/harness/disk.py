"""The disk below an embedded ledger on a virtual floor: it can be full or read-only, and its machine can go out."""

from __future__ import annotations

import random
import sqlite3
import struct
import weakref
from pathlib import Path
from typing import Any

from simulator.faults.host_face import Death, DiskTrouble

_TROUBLES = {"full": "database or disk is full", "read-only": "attempt to write a readonly database"}
_WAL_HEADER, _FRAME_HEADER = 32, 24


class PowerCut(BaseException):
    """The process ends here; nothing that it would have done afterwards happens."""


class Disk:
    """The files of one ledger, and the connections of the processes that use it.

    Attributes:
        trouble: why nothing can be written at present.
        died: the machine went out at an instant that was asked for.
        commits: how many transactions were committed.
    """

    def __init__(self, ledger: Path) -> None:
        self.ledger = ledger
        self.trouble: DiskTrouble | None = None
        self.died = False
        self.commits = 0
        self._death: tuple[Death, int, bool] | None = None
        self._buried = False
        self._synced: tuple[bytes, int] | None = None
        self.connections: weakref.WeakSet[sqlite3.Connection] = weakref.WeakSet()

    def doom(self, when: Death, nth: int, *, torn: bool) -> None:
        """Go out at the nth instant of this kind from now."""
        self._death, self._synced = (when, nth, torn), None

    def passes(self, when: Death) -> None:
        """An instant of this kind; raises PowerCut if it is the last."""
        if self.died:
            raise PowerCut
        if self._death is None or self._death[0] != when:
            return
        _, left, torn = self._death
        if torn and self._synced is None:
            return  # only from a confirmed write on can be told what was not confirmed
        self._death = (when, left - 1, torn)
        if left == 1:
            self.died = True
            raise PowerCut

    def bury(self, chance: random.Random) -> None:
        """Its processes are dead: what they had committed is there, all else is not, and no lock is held."""
        torn, synced = self._death is not None and self._death[2], self._synced
        self._buried = self.died = True
        wal = self.ledger.with_name(self.ledger.name + "-wal")
        # Closing the last connection would tidy up, as no dead process does.
        image = {path: path.read_bytes() for path in (self.ledger, wal) if path.exists()}
        for connection in list(self.connections):
            sqlite3.Connection.close(connection)
        wal.with_name(self.ledger.name + "-shm").unlink(missing_ok=True)
        for path, content in image.items():
            path.write_bytes(_torn(content, synced, chance) if torn and path == wal else content)
        for lease in self.ledger.parent.glob(f"{self.ledger.name}.*.lease"):
            lease.unlink()

    def confirmed(self) -> None:
        """Everything up to here is on the disk for certain."""
        if self._death is not None and self._death[2]:
            self._synced = _end_of(self.ledger.with_name(self.ledger.name + "-wal"))

    def connection_class(self) -> type[sqlite3.Connection]:
        """What the ledger's connections are."""
        disk = self

        class DiskConnection(_Connection):
            def __init__(self, *arguments: Any, **named: Any) -> None:
                super().__init__(*arguments, **named)
                self.disk = disk
                disk.connections.add(self)

        return DiskConnection

    def check(self, sql: str) -> None:
        """A statement is about to be carried out; raises what the driver would, or PowerCut."""
        if self.died:
            raise PowerCut
        if self.trouble == "read-only" and sql.startswith("BEGIN IMMEDIATE"):
            raise sqlite3.OperationalError(_TROUBLES[self.trouble])

    @property
    def buried(self) -> bool:
        """Whether the processes on it are over, so that only their leftovers are put away."""
        return self._buried


class _Connection(sqlite3.Connection):
    """A connection that asks its disk first."""

    disk: Disk
    confirms = False
    writes = False

    def cursor(self, *_: Any) -> _Cursor:  # type: ignore[override]
        return super().cursor(_Cursor)

    def commit(self) -> None:
        disk = self.disk
        if disk.buried:
            return
        if not self.writes:
            super().commit()
            return
        if disk.trouble is not None:
            raise sqlite3.OperationalError(_TROUBLES[disk.trouble])
        disk.passes("before commit")
        super().commit()
        self.writes = False
        disk.commits += 1
        if self.confirms:
            disk.confirmed()
        disk.passes("after commit")

    def rollback(self) -> None:
        self.writes = False
        if not self.disk.buried:
            super().rollback()

    def close(self) -> None:
        if not self.disk.buried:
            super().close()


class _Cursor(sqlite3.Cursor):
    """A cursor that asks its disk first."""

    connection: _Connection

    def execute(self, sql: str, *parameters: Any) -> _Cursor:
        connection = self.connection
        connection.disk.check(sql)
        if sql.startswith("BEGIN"):
            connection.writes = sql == "BEGIN IMMEDIATE"
        elif sql == "PRAGMA synchronous=FULL":
            connection.confirms = True
        super().execute(sql, *parameters)
        return self

    def executemany(self, sql: str, rows: Any) -> _Cursor:
        self.connection.disk.check(sql)
        super().executemany(sql, rows)
        return self


def _end_of(wal: Path) -> tuple[bytes, int] | None:
    """The salt of a write-ahead log, and where its last valid frame ends; None where it holds nothing."""
    try:
        content = wal.read_bytes()
    except FileNotFoundError:
        return None
    return (content[16:24], _valid_end(content)) if len(content) >= _WAL_HEADER else None


def _valid_end(content: bytes) -> int:
    salt, size = content[16:24], _FRAME_HEADER + int(struct.unpack(">I", content[8:12])[0])
    end = _WAL_HEADER
    while end + size <= len(content) and content[end + 8 : end + 16] == salt:
        end += size
    return end


def _torn(content: bytes, synced: tuple[bytes, int] | None, chance: random.Random) -> bytes:
    """The log as a power cut may leave it: whole up to what was confirmed, cut anywhere later, and rubbish behind."""
    if synced is None or len(content) < _WAL_HEADER or content[16:24] != synced[0]:
        return content  # it was begun anew since then, and so all of it was confirmed
    end = _valid_end(content)
    cut = synced[1] + int(chance.random() * (end - synced[1] + 1))
    return content[:cut] + chance.randbytes(int(chance.random() * 5_000))
