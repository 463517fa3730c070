"""Whatever a stream and its reader go through, what was written into it is in the ledger once."""

from __future__ import annotations

import json
import random
import tempfile
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from kinesis_streams import ACCOUNT, WORKSPACE, cloud_event

from flex_plugin_backend.clock import ManualClock
from flex_plugin_backend.errors import IntakeUnavailable, KinesisError, KinesisPositionLost
from flex_plugin_backend.flow.intake import Intake
from flex_plugin_backend.flow.kinesis import KinesisConsumer, KinesisMetrics
from flex_plugin_backend.flow.leader import FileLease
from flex_plugin_backend.ledger import eventlog
from flex_plugin_backend.ledger.store import Ledger
from flex_plugin_backend.taskrouter.kinesis import Reading, Record, Shard
from flex_plugin_backend.taskrouter.streams import Owner


class Stream:
    """Shards in memory; a closed one ends with an iterator that is None, as Kinesis has it."""

    stream = "memory"

    def __init__(self) -> None:
        self.records: list[list[Record]] = [[], []]
        self.parents: list[tuple[int, ...]] = [(), ()]
        self.is_open = [True, True]
        self.trimmed: set[int] = set()
        self.faults: list[Exception] = []
        self.read_to_end: set[int] = set()
        self.most = 500
        self._sequence = 0

    def put(self, shard: int, body: bytes) -> None:
        self._sequence += 1
        self.records[shard].append(Record(str(self._sequence), body))

    def close(self, *closing: int, children: int) -> None:
        for shard in closing:
            self.is_open[shard] = False
        for _ in range(children):
            self.records.append([])
            self.parents.append(closing)
            self.is_open.append(True)

    def open_shards(self) -> list[int]:
        return [number for number, is_open in enumerate(self.is_open) if is_open]

    def shards(self) -> list[Shard]:
        self._maybe_fail()
        return [
            Shard(str(number), tuple(str(one) for one in self.parents[number]), self.is_open[number])
            for number in range(len(self.records))
            if number not in self.trimmed
        ]

    def iterator(self, shard_id: str, after: str | None) -> str:
        self._maybe_fail()
        known = [one.sequence for one in self.records[int(shard_id)]]
        return f"{shard_id}/{0 if after is None else known.index(after) + 1}"

    def read(self, shard_id: str, iterator: str, most: int) -> Reading:
        self._maybe_fail()
        at = int(iterator.partition("/")[2])
        shard = int(shard_id)
        for parent in self.parents[shard]:
            assert parent in self.read_to_end or parent in self.trimmed, "a child before its parent"
        found = self.records[shard][at : at + min(most, self.most)]
        end = at + len(found)
        ended = not self.is_open[shard] and end == len(self.records[shard])
        if ended:
            self.read_to_end.add(shard)
        return Reading(tuple(found), None if ended else f"{shard_id}/{end}", 0 if ended else 1)

    def _maybe_fail(self) -> None:
        if self.faults:
            raise self.faults.pop()


class Reader(RuleBasedStateMachine):
    """A consumer that is stopped and started while its stream is written to, split, merged and out of reach."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.ledger = Ledger(f"sqlite:///{Path(self.folder.name) / 'l.sqlite3'}")
        self.clock = ManualClock(1_767_607_300_000)
        self.intake = Intake(self.ledger, self.clock, ack_timeout_s=1, on_stored=lambda *_: None, by_hand=True)
        self.intake.start()
        self.stream = Stream()
        self.written: set[str] = set()
        self.disk_full = 0
        self.consumer = self.begin()

    def begin(self) -> KinesisConsumer:
        return KinesisConsumer(
            "acme",
            self.stream,
            Owner(ACCOUNT, WORKSPACE),
            self.ledger,
            self.clock,
            submit=self.submit,
            lease=FileLease(Path(self.folder.name) / "lease"),
            metrics=KinesisMetrics(),
            poll_s=0.5,
            chance=random.Random(1),
        )

    def submit(self, events: Any, along: Any = None) -> int:
        if self.disk_full:
            self.disk_full -= 1
            raise IntakeUnavailable(problem="full")
        return self.intake.submit("acme", events, along)

    def stored(self) -> set[str]:
        with self.ledger.read() as connection:
            found = [event.sid for _, event in eventlog.after(connection, "acme", 0, 100_000)]
        assert len(found) == len(set(found))
        return set(found)

    @rule(where=st.integers(0, 9), number=st.integers(1, 6), twice=st.booleans())
    def write(self, where: int, number: int, twice: bool) -> None:
        shards = self.stream.open_shards()
        for _ in range(number):
            sid = f"EV{len(self.written)}"
            self.written.add(sid)
            body = json.dumps(cloud_event(sid)).encode()
            self.stream.put(shards[where % len(shards)], body)
            if twice:
                self.stream.put(shards[(where + 1) % len(shards)], body)

    @rule(where=st.integers(0, 9))
    def write_nonsense(self, where: int) -> None:
        shards = self.stream.open_shards()
        self.stream.put(shards[where % len(shards)], b"{")

    @precondition(lambda self: len(self.stream.records) < 10)
    @rule(where=st.integers(0, 9))
    def split(self, where: int) -> None:
        shards = self.stream.open_shards()
        self.stream.close(shards[where % len(shards)], children=2)

    @precondition(lambda self: len(self.stream.open_shards()) > 1)
    @rule()
    def merge(self) -> None:
        first, second, *_ = self.stream.open_shards()
        self.stream.close(first, second, children=1)

    @rule(most=st.integers(1, 4))
    def portions(self, most: int) -> None:
        self.stream.most = most

    @rule(number=st.integers(1, 3), lost=st.booleans())
    def out_of_reach(self, number: int, lost: bool) -> None:
        kind = KinesisPositionLost if lost else KinesisError
        self.stream.faults = [kind(stream="memory", problem="no") for _ in range(number)]

    @rule(number=st.integers(1, 3))
    def full_disk(self, number: int) -> None:
        self.disk_full = number

    @rule(rounds=st.integers(1, 4))
    def run(self, rounds: int) -> None:
        for _ in range(rounds):
            self.clock.advance(self.consumer.step() + 0.001)

    @rule()
    def die_while_storing(self) -> None:
        self.disk_full = 1
        self.consumer.step()
        self.disk_full = 0
        self.restart()

    @rule()
    def restart(self) -> None:
        self.consumer = self.begin()

    @rule()
    def expire_what_was_read(self) -> None:
        # A day and more after it was written: what a consumer read and could not store, it has read again by then.
        there = self.stored()
        for shard in self.stream.read_to_end:
            bodies = [one.data for one in self.stream.records[shard]]
            waiting = [sid for sid in self.written - there if any(f'"{sid}"'.encode() in body for body in bodies)]
            if not waiting:
                self.stream.trimmed.add(shard)

    @invariant()
    def nothing_is_made_up(self) -> None:
        assert self.stored() <= self.written

    def teardown(self) -> None:
        self.stream.faults.clear()
        self.disk_full = 0
        for _ in range(400):
            if self.stored() == self.written:
                break
            self.clock.advance(self.consumer.step() + 0.001)
        assert self.stored() == self.written
        self.ledger.close()
        self.folder.cleanup()


Reader.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
TestReader = Reader.TestCase
