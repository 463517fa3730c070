"""Reads an Amazon Kinesis stream shard by shard with boto3; its errors become ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from flex_plugin_backend.errors import KinesisError, KinesisPositionLost

_TIMEOUT_S = 10
_NO_PLACE = frozenset(("ExpiredIteratorException", "InvalidArgumentException"))
_REPAIRS = {
    "ResourceNotFoundException": "Check the name and the region of the stream.",
    "AccessDeniedException": "Allow kinesis:ListShards, kinesis:GetShardIterator and kinesis:GetRecords on the stream.",
    "UnrecognizedClientException": "Check the AWS credentials of this process.",
    "ExpiredTokenException": "Renew the AWS credentials of this process.",
}
_BY_ITSELF = "It is tried again by itself."


@dataclass(frozen=True, slots=True)
class Shard:
    """A part of a stream, the shards it was split or merged from, and whether it still takes records."""

    id: str
    parents: tuple[str, ...] = ()
    open: bool = True


@dataclass(frozen=True, slots=True)
class Record:
    """What stands in a shard at one place."""

    sequence: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Reading:
    """What one request read.

    Attributes:
        next_iterator: where to read on; None: the shard was closed and has been read to its end.
        behind_ms: how far behind the newest record this was.
    """

    records: tuple[Record, ...]
    next_iterator: str | None
    behind_ms: int


class KinesisClient(Protocol):
    """The part of boto3's client that is used."""

    def list_shards(self, **arguments: Any) -> Mapping[str, Any]: ...

    def get_shard_iterator(self, **arguments: Any) -> Mapping[str, Any]: ...

    def get_records(self, **arguments: Any) -> Mapping[str, Any]: ...


class KinesisStream:
    """One stream, by its name or ARN."""

    def __init__(self, stream: str, client: KinesisClient) -> None:
        self.stream = stream
        self._client = client
        self._named = {"StreamARN" if stream.startswith("arn:") else "StreamName": stream}

    def shards(self) -> list[Shard]:
        """Every shard that still holds records, closed ones included.

        Raises:
            KinesisError: they could not be read.
        """
        found: list[Shard] = []
        asked: dict[str, Any] = dict(self._named)
        while True:
            with self._translated():
                answer = self._client.list_shards(**asked)
            for one in answer["Shards"]:
                parents = (one.get("ParentShardId"), one.get("AdjacentParentShardId"))
                closed = "EndingSequenceNumber" in one.get("SequenceNumberRange", {})
                found.append(Shard(one["ShardId"], tuple(parent for parent in parents if parent), not closed))
            token = answer.get("NextToken")
            if not token:
                return found
            asked = {"NextToken": token}  # Kinesis refuses it together with the name

    def iterator(self, shard_id: str, after: str | None) -> str:
        """Where to begin in a shard: after this record, or with the oldest.

        Raises:
            KinesisPositionLost: Kinesis does not know such a record in this shard.
            KinesisError: it could not be asked.
        """
        begin: dict[str, str] = {"ShardIteratorType": "TRIM_HORIZON"}
        if after is not None:
            begin = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": after}
        with self._translated(shard_id):
            found: str = self._client.get_shard_iterator(ShardId=shard_id, **begin, **self._named)["ShardIterator"]
        return found

    def read(self, shard_id: str, iterator: str, most: int) -> Reading:
        """At most so many records from there on.

        Raises:
            KinesisPositionLost: the iterator has expired.
            KinesisError: they could not be read.
        """
        named = {name: value for name, value in self._named.items() if name == "StreamARN"}
        with self._translated(shard_id):
            answer = self._client.get_records(ShardIterator=iterator, Limit=most, **named)
        return Reading(
            tuple(Record(one["SequenceNumber"], one["Data"]) for one in answer["Records"]),
            answer.get("NextShardIterator") or None,
            int(answer.get("MillisBehindLatest") or 0),
        )

    @contextmanager
    def _translated(self, shard: str = "") -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            kind = KinesisPositionLost if shard and code in _NO_PLACE else KinesisError
            repair = _REPAIRS.get(code, _BY_ITSELF)
            raise kind(stream=self.stream, shard=shard, problem=code, repair=repair) from error
        except BotoCoreError as error:
            raise KinesisError(stream=self.stream, shard=shard, problem=str(error).rstrip("."), repair="") from error


def connect_kinesis(stream: str, region: str | None, endpoint_url: str | None) -> KinesisStream:
    """The stream, reached with the credentials that boto3 finds: environment, profile, or the machine's role.

    Raises:
        KinesisError: boto3 is not installed, or knows neither region nor credentials.
    """
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError as error:
        raise KinesisError(
            stream=stream, problem="boto3 is not installed", repair="Install it: pip install 'flex-wfm[kinesis]'."
        ) from error
    if region is None and stream.startswith("arn:") and stream.count(":") >= 5:
        region = stream.split(":")[3] or None
    config = Config(
        connect_timeout=_TIMEOUT_S, read_timeout=_TIMEOUT_S, retries={"mode": "standard", "total_max_attempts": 2}
    )
    try:
        session = boto3.Session(region_name=region)
        if session.get_credentials() is None:
            raise KinesisError(
                stream=stream,
                problem="there are no AWS credentials",
                repair="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the machine a role.",
            )
        return KinesisStream(stream, session.client("kinesis", endpoint_url=endpoint_url, config=config))
    except BotoCoreError as error:
        raise KinesisError(
            stream=stream, problem=str(error).rstrip("."), repair="Set region in [tenants.NAME.kinesis]."
        ) from error
