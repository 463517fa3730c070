"""Takes a tenant's events out of an Amazon Kinesis stream: every shard in turn, each record at least once."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge
from sqlalchemy import Connection

from flex_plugin_backend.clock import Clock
from flex_plugin_backend.errors import IntakeUnavailable, KinesisError, KinesisPositionLost
from flex_plugin_backend.flow.backoff import Backoff
from flex_plugin_backend.flow.duty import Pause
from flex_plugin_backend.flow.holes import Submit
from flex_plugin_backend.flow.leader import Lease
from flex_plugin_backend.ledger import shards as shard_rows
from flex_plugin_backend.ledger.shards import Place
from flex_plugin_backend.ledger.store import Ledger
from flex_plugin_backend.taskrouter.kinesis import Reading, Shard
from flex_plugin_backend.taskrouter.streams import Delivery, Owner, read_records

# Of one request, and so of one transaction.
MOST_RECORDS = 500
# Kinesis allows five reads of a shard in a second, for all who read it.
BEHIND_PAUSE_S = 0.25
LIST_EVERY_S = 60.0
LEASE_POLL_S = 1.0

_log = structlog.get_logger(__name__)


class ShardReader(Protocol):
    """A stream that can be read shard by shard; every method raises KinesisError."""

    stream: str

    def shards(self) -> list[Shard]: ...

    def iterator(self, shard_id: str, after: str | None) -> str: ...

    def read(self, shard_id: str, iterator: str, most: int) -> Reading: ...


class KinesisMetrics:
    """What is counted of the streams that this process reads."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.events = Counter(
            "flex_wfm_kinesis_events",
            "Events read from Kinesis by outcome",
            ("tenant", "outcome"),
            registry=self.registry,
        )
        self.failures = Counter(
            "flex_wfm_kinesis_failures", "Reads of Kinesis that failed", ("tenant",), registry=self.registry
        )
        self.behind = Gauge(
            "flex_wfm_kinesis_behind_seconds",
            "How far the last read of the slowest shard was behind its newest record",
            ("tenant",),
            registry=self.registry,
        )


@dataclass(slots=True)
class _Reader:
    """One shard that is being read; `due_ms` is when it may be asked again."""

    place: Place
    iterator: str | None = None
    due_ms: int = 0
    behind_ms: int = 0
    failures: int = 0


class KinesisConsumer:
    """Reads one stream for one tenant.

    A record counts as taken in the transaction that stores its events, so a crash repeats at most what was not stored.
    The shards that a shard was split or merged into are read once it is finished.
    """

    def __init__(
        self,
        tenant: str,
        source: ShardReader,
        owner: Owner,
        ledger: Ledger,
        clock: Clock,
        *,
        submit: Submit,
        lease: Lease,
        metrics: KinesisMetrics,
        poll_s: float,
        chance: random.Random | None = None,
    ) -> None:
        """`lease`: the right to read this stream; of several consumers on one ledger one has it."""
        self._tenant = tenant
        self._source = source
        self._owner = owner
        self._ledger = ledger
        self._clock = clock
        self._submit = submit
        self._lease = lease
        self._metrics = metrics
        self._poll_s = poll_s
        self._chance = chance or random.Random()
        self._backoff = Backoff(first_s=0.5, cap_s=30.0)
        self._readers: dict[str, _Reader] = {}
        self._list_due_ms = 0
        self._list_failures = 0
        self._log = _log.bind(tenant=tenant, stream=source.stream)

    def course(self) -> Iterator[Pause]:
        """Wait for the lease, then read for good."""
        waiting = False
        while not self._lease.acquire():
            if not waiting:
                self._log.info("kinesis.standby", detail="another consumer on this ledger reads the stream")
            waiting = True
            yield Pause(LEASE_POLL_S)
        self._log.info("kinesis.reading")
        while True:
            yield Pause(self.step(), firm=True)

    def step(self) -> float:
        """Ask every shard that is due once; returns the seconds until the next is."""
        now_ms = self._clock.now_ms()
        if now_ms >= self._list_due_ms:
            self._list()
        for shard_id, reader in list(self._readers.items()):
            if reader.due_ms <= now_ms:
                self._advance(shard_id, reader)
        self._metrics.behind.labels(self._tenant).set(
            max((reader.behind_ms for reader in self._readers.values()), default=0) / 1000
        )
        due_ms = min((self._list_due_ms, *(reader.due_ms for reader in self._readers.values())))
        return max(0.0, (due_ms - self._clock.now_ms()) / 1000)

    @property
    def reading(self) -> list[str]:
        """The shards that are being read."""
        return sorted(self._readers)

    # -- which shards -------------------------------------------------------------------------------------------

    def _list(self) -> None:
        try:
            listed = {shard.id: shard for shard in self._source.shards()}
        except KinesisError as error:
            self._list_failures += 1
            self._failed(error, self._list_failures)
            self._list_due_ms = self._after(self._backoff.delay_s(self._list_failures, self._chance))
            return
        self._list_failures = 0
        self._list_due_ms = self._after(LIST_EVERY_S)
        with self._ledger.read() as connection:
            places = shard_rows.places(connection, self._tenant, self._source.stream)
        self._forget(places, listed)
        for shard_id in [shard_id for shard_id in self._readers if shard_id not in listed]:
            del self._readers[shard_id]
        for shard in listed.values():
            place = places.get(shard.id, Place(None))
            if shard.id in self._readers or (place.finished and not shard.open):
                continue
            if place.finished:
                place = self._begin_anew(shard.id, place, "it was finished and is open again")
            # A parent that is not listed any more holds no records any more.
            if all(parent not in listed or _finished(places, parent) for parent in shard.parents):
                self._readers[shard.id] = _Reader(place)
                self._log.info("kinesis.shard_opened", shard=shard.id, after=place.sequence)

    def _forget(self, places: Mapping[str, Place], listed: Mapping[str, Shard]) -> None:
        gone = sorted(shard_id for shard_id in places if shard_id not in listed)
        if not gone:
            return
        unread = [shard_id for shard_id in gone if not places[shard_id].finished]
        if unread:
            self._log.error(
                "kinesis.shards_lost",
                shards=unread,
                detail="they expired before they were read to their end; repair fills the hole from Twilio's history",
            )
        with self._ledger.write() as connection:
            shard_rows.forget(connection, self._tenant, self._source.stream, gone)

    # -- one shard ----------------------------------------------------------------------------------------------

    def _advance(self, shard_id: str, reader: _Reader) -> None:
        try:
            if reader.iterator is None:
                reader.iterator = self._open(shard_id, reader)
            reading = self._source.read(shard_id, reader.iterator, MOST_RECORDS)
            self._take(shard_id, reader, reading)
        except (KinesisError, IntakeUnavailable) as error:
            if isinstance(error, KinesisPositionLost):
                reader.iterator = None  # it lives for five minutes; the place in the ledger gives a new one
            reader.failures += 1
            reader.due_ms = self._after(self._backoff.delay_s(reader.failures, self._chance))
            self._failed(error, reader.failures)
        else:
            reader.failures = 0
            reader.iterator = reading.next_iterator
            reader.behind_ms = reading.behind_ms
            reader.due_ms = self._after(BEHIND_PAUSE_S if reading.behind_ms > 0 else self._poll_s)
            if reading.next_iterator is None:
                self._log.info("kinesis.shard_finished", shard=shard_id)
                del self._readers[shard_id]
                self._list_due_ms = 0  # what it was split or merged into can be read now

    def _open(self, shard_id: str, reader: _Reader) -> str:
        after = reader.place.sequence
        if after is None:
            return self._source.iterator(shard_id, None)
        try:
            return self._source.iterator(shard_id, after)
        except KinesisPositionLost as error:
            reader.place = self._begin_anew(shard_id, reader.place, str(error))
            return self._source.iterator(shard_id, None)

    def _begin_anew(self, shard_id: str, place: Place, problem: str) -> Place:
        """The stream was made anew under its old name, or the last record has expired: read from the oldest one."""
        self._log.error("kinesis.place_lost", shard=shard_id, after=place.sequence, problem=problem)
        return Place(None)

    def _take(self, shard_id: str, reader: _Reader, reading: Reading) -> None:
        """Store what was read, and in the same transaction how far that is."""
        finished = reading.next_iterator is None
        if not reading.records and not finished:
            return
        delivery = read_records(((one.sequence, one.data) for one in reading.records), self._owner)
        newest = reading.records[-1].sequence if reading.records else reader.place.sequence
        place = Place(newest, finished)

        def note(connection: Connection, _new: frozenset[str]) -> None:
            now_ms = self._clock.now_ms()
            shard_rows.save(connection, self._tenant, self._source.stream, shard_id, place, now_ms)

        stored = self._submit(delivery.events, note)
        reader.place = place
        self._keep_count(shard_id, delivery, stored)

    def _keep_count(self, shard_id: str, delivery: Delivery, stored: int) -> None:
        for outcome, number in delivery.counts(stored).items():
            self._metrics.events.labels(self._tenant, outcome).inc(number)
        if delivery.refused:
            self._log.error("events set aside", shard=shard_id, events=delivery.refused, problems=delivery.problems)
        for test in delivery.tests:
            self._log.info("event stream tested", shard=shard_id, test_id=test)

    def _failed(self, error: Exception, failures: int) -> None:
        self._metrics.failures.labels(self._tenant).inc()
        self._log.warning("kinesis.failed", problem=str(error), failures=failures)

    def _after(self, seconds: float) -> int:
        return self._clock.now_ms() + round(seconds * 1000)


def _finished(places: Mapping[str, Place], shard_id: str) -> bool:
    place = places.get(shard_id)
    return place is not None and place.finished
