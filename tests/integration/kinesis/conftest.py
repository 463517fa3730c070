"""A stream in moto's Kinesis, and a consumer of it on a ledger of its own."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import boto3
import pytest
from kinesis_streams import ACCOUNT, WORKSPACE, AsAws
from moto import mock_aws

from flex_plugin_backend.clock import ManualClock
from flex_plugin_backend.flow.intake import Intake
from flex_plugin_backend.flow.kinesis import KinesisConsumer, KinesisMetrics
from flex_plugin_backend.flow.leader import FileLease
from flex_plugin_backend.ledger import eventlog, shards
from flex_plugin_backend.ledger.shards import Place
from flex_plugin_backend.ledger.store import Ledger
from flex_plugin_backend.taskrouter.kinesis import KinesisStream
from flex_plugin_backend.taskrouter.streams import Owner

STREAM = "twilio-events"


class Bench:
    """A stream, a ledger, and consumers that can be stopped and started."""

    def __init__(self, folder: Path, shard_count: int = 2) -> None:
        self.folder = folder
        self.aws = boto3.client("kinesis")
        self.aws.create_stream(StreamName=STREAM, ShardCount=shard_count)
        self.client = AsAws(self.aws, STREAM)
        self.clock = ManualClock(1_767_607_300_000)
        self.ledger = Ledger(f"sqlite:///{folder / 'ledger.sqlite3'}")
        self.intake = Intake(self.ledger, self.clock, ack_timeout_s=1, on_stored=lambda *_: None, by_hand=True)
        self.intake.start()
        self.metrics = KinesisMetrics()

    def consumer(self) -> KinesisConsumer:
        """A new consumer, as after a start of the process."""
        return KinesisConsumer(
            "acme",
            KinesisStream(STREAM, self.client),
            Owner(ACCOUNT, WORKSPACE),
            self.ledger,
            self.clock,
            submit=lambda events, along=None: self.intake.submit("acme", events, along),
            lease=FileLease(self.folder / "kinesis.lease"),
            metrics=self.metrics,
            poll_s=0.5,
            chance=random.Random(1),
        )

    def put(self, records: Sequence[bytes], key: str = "0") -> None:
        """Write records; the key `0` goes to the lower half of the hash space, `9` to the upper."""
        for one in records:
            self.client.put(one, {"0": 5, "9": 2**128 - 5}[key])

    def run(self, consumer: KinesisConsumer, rounds: int = 4) -> None:
        """So many rounds, the clock moved to when each is due."""
        for _ in range(rounds):
            self.clock.advance(consumer.step() + 0.001)

    def stored(self) -> list[str]:
        """The event sids in the ledger, in order."""
        with self.ledger.read() as connection:
            return sorted(event.sid for _, event in eventlog.after(connection, "acme", 0, 100_000))

    def places(self) -> dict[str, Place]:
        """How far each shard has been read; shards by the end of their number."""
        with self.ledger.read() as connection:
            found = shards.places(connection, "acme", STREAM)
        return {shard_id[-1]: place for shard_id, place in found.items()}

    def counted(self, outcome: str) -> float:
        """How many events had this outcome."""
        value: Any = self.metrics.registry.get_sample_value(
            "flex_wfm_kinesis_events_total", {"tenant": "acme", "outcome": outcome}
        )
        return float(value or 0)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A fresh stream of two shards."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        found = Bench(tmp_path)
        yield found
        found.ledger.close()
