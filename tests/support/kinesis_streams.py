"""Kinesis for tests: moto's client with what it does otherwise than AWS put right, and events to put into a stream."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from moto.core import DEFAULT_ACCOUNT_ID
from moto.kinesis.models import kinesis_backends

ACCOUNT, WORKSPACE = "AC1", "WS1"


class AsAws:
    """A client of moto's Kinesis with two things done as AWS does them (GetRecords, SplitShard in its API reference).

    A closed shard that was read to its end has no next iterator; moto hands out iterators for ever. And what is written
    goes to an open shard; moto takes the first that covers the key, closed or not.
    """

    def __init__(self, client: Any, stream: str) -> None:
        self._client = client
        self._stream = stream
        self.asked: list[str] = []
        self.failures: list[Exception] = []

    def put(self, record: bytes, key: int) -> None:
        """Write into the open shard that covers this hash key."""
        stream = kinesis_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].streams[self._stream]
        shard = next(
            one for one in stream.shards.values() if one.is_open and one.starting_hash <= key <= one.ending_hash
        )
        shard.put_record(str(key), base64.b64encode(record).decode(), "")

    def list_shards(self, **arguments: Any) -> Mapping[str, Any]:
        """Unchanged."""
        return self._client.list_shards(**arguments)

    def get_shard_iterator(self, **arguments: Any) -> Mapping[str, Any]:
        """The iterator, with the shard's name in front."""
        found = self._client.get_shard_iterator(**arguments)
        return {"ShardIterator": f"{arguments['ShardId']}|{found['ShardIterator']}"}

    def get_records(self, **arguments: Any) -> Mapping[str, Any]:
        """The records; raises what `failures` holds first."""
        shard, _, iterator = arguments.pop("ShardIterator").partition("|")
        self.asked.append(shard)
        if self.failures:
            raise self.failures.pop(0)
        answer = dict(self._client.get_records(ShardIterator=iterator, **arguments))
        ended = not answer["Records"] and shard in self._closed()
        answer["NextShardIterator"] = None if ended else f"{shard}|{answer['NextShardIterator']}"
        return answer

    def _closed(self) -> set[str]:
        listed = self._client.list_shards(StreamName=self._stream)["Shards"]
        return {one["ShardId"] for one in listed if "EndingSequenceNumber" in one["SequenceNumberRange"]}


def cloud_event(sid: str, *, account: str = ACCOUNT, workspace: str = WORKSPACE, **payload: Any) -> dict[str, Any]:
    """One event as Twilio writes it into a stream."""
    return {
        "specversion": "1.0",
        "type": "com.twilio.taskrouter.worker.activity.update",
        "id": "EZ" + sid,
        "data": {
            "sid": sid,
            "account_sid": account,
            "timestamp": "2026-01-05T10:00:45.123Z",
            "payload": {
                "worker_sid": "WK1",
                "worker_activity_sid": "WA1",
                "worker_activity_name": "Available",
                "workspace_sid": workspace,
                **payload,
            },
        },
    }


def data(sid: str, **fields: Any) -> bytes:
    """The record of one event."""
    return json.dumps(cloud_event(sid, **fields)).encode()
