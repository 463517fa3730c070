"""Events out of moto's Kinesis: every record at least once, every event once, through restarts and resharding."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from kinesis_streams import cloud_event, data
from structlog.testing import capture_logs

from flex_plugin_backend.ledger.shards import Place
from tests.integration.kinesis.conftest import STREAM, Bench


def refused(code: str) -> ClientError:
    """An answer of AWS that is an error."""
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "GetRecords")


def test_every_shard_is_read_and_a_restart_goes_on_where_it_was(bench: Bench) -> None:
    """Records of both shards are stored; a new consumer begins behind them."""
    bench.put([data("EV1"), data("EV2")], "0")
    bench.put([data("EV3")], "9")
    bench.run(bench.consumer())
    assert bench.stored() == ["EV1", "EV2", "EV3"]
    assert bench.places() == {"0": Place("2"), "1": Place("1")}

    bench.put([data("EV4")], "0")
    bench.run(bench.consumer())
    assert bench.stored() == ["EV1", "EV2", "EV3", "EV4"]
    assert (bench.counted("stored"), bench.counted("duplicate")) == (4, 0)


def test_a_record_may_hold_a_batch_and_come_twice(bench: Bench) -> None:
    """A list of events in one record, and the same event in two records: one event each."""
    bench.put([json.dumps([cloud_event("EV1"), cloud_event("EV2")]).encode(), data("EV2")], "0")
    bench.put([data("EV1")], "9")
    bench.run(bench.consumer())
    assert bench.stored() == ["EV1", "EV2"]
    assert bench.counted("duplicate") == 2


def test_what_can_never_be_taken_does_not_stop_the_shard(bench: Bench) -> None:
    """No JSON, no event, another account: each is counted and told, and the records around it are stored."""
    test = {"type": "com.twilio.eventstreams.test-event", "data": {"test_id": "abc"}}
    bad = [b"\xff\x00", b"7", b'{"type": "com.twilio.taskrouter.task.created"}', data("EV9", account="AC2")]
    bench.put([data("EV1"), *bad, json.dumps(test).encode(), data("EV2")])
    with capture_logs() as logs:
        bench.run(bench.consumer())
    assert bench.stored() == ["EV1", "EV2"]
    assert (bench.counted("malformed"), bench.counted("foreign"), bench.counted("test")) == (3, 1, 1)
    assert bench.places()["0"] == Place("7")
    told = next(one for one in logs if one["event"] == "events set aside")
    assert told["events"] == len(told["problems"]) == 4
    assert any(one["event"] == "event stream tested" and one["test_id"] == "abc" for one in logs)


def test_the_shards_of_a_split_are_read_after_their_parent(bench: Bench) -> None:
    """What was in the parent comes first, then the parent is finished for good and its children are read."""
    consumer = bench.consumer()
    bench.put([data("EV1")], "0")
    bench.run(consumer)
    bench.aws.split_shard(StreamName=STREAM, ShardToSplit="shardId-000000000000", NewStartingHashKey=str(2**126))
    bench.put([data("EV2")], "0")
    bench.client.asked.clear()
    bench.run(consumer, rounds=8)
    assert bench.stored() == ["EV1", "EV2"]
    assert bench.places()["0"] == Place("1", finished=True)
    first_child = min(at for at, shard in enumerate(bench.client.asked) if shard[-1] in "23")
    assert "shardId-000000000000" not in bench.client.asked[first_child:]
    assert [shard[-1] for shard in consumer.reading] == ["1", "2", "3"]

    bench.put([data("EV3")], "0")
    bench.run(bench.consumer())
    assert bench.stored() == ["EV1", "EV2", "EV3"]


def test_the_shard_of_a_merge_waits_for_both_its_parents(bench: Bench) -> None:
    """As long as one parent cannot be read to its end, their common child is not read."""
    consumer = bench.consumer()
    bench.run(consumer)
    bench.aws.merge_shards(
        StreamName=STREAM, ShardToMerge="shardId-000000000000", AdjacentShardToMerge="shardId-000000000001"
    )
    bench.put([data("EV1")], "0")
    bench.client.failures = [refused("ProvisionedThroughputExceededException")]
    bench.client.asked.clear()
    bench.run(consumer, rounds=2)
    finished = [number for number, place in bench.places().items() if place.finished]
    assert finished == ["1"]
    assert "shardId-000000000002" not in bench.client.asked
    bench.run(consumer, rounds=6)
    assert bench.stored() == ["EV1"]
    assert [shard[-1] for shard in consumer.reading] == ["2"]


@pytest.mark.parametrize(
    "failure",
    [
        refused("ProvisionedThroughputExceededException"),
        refused("ExpiredIteratorException"),
        refused("ExpiredTokenException"),
        refused("InternalFailure"),
        EndpointConnectionError(endpoint_url="http://127.0.0.1:1"),
    ],
    ids=lambda failure: getattr(failure, "response", {}).get("Error", {}).get("Code", "network"),
)
def test_a_read_that_fails_is_tried_again_and_costs_nothing(bench: Bench, failure: Exception) -> None:
    """Throttled, an iterator too old, rights gone, a fault of AWS, no network: told, counted, and read later."""
    consumer = bench.consumer()
    bench.run(consumer, rounds=1)
    bench.put([data("EV1")])
    bench.client.failures = [failure] * 3
    with capture_logs() as logs:
        bench.run(consumer, rounds=10)
    assert bench.stored() == ["EV1"]
    assert sum(one["event"] == "kinesis.failed" for one in logs) == 3
    assert bench.metrics.registry.get_sample_value("flex_wfm_kinesis_failures_total", {"tenant": "acme"}) == 3


def test_what_could_not_be_stored_is_not_passed_over(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the disk refuses, the place stays; when it is back the same records are stored."""
    consumer = bench.consumer()
    bench.put([data("EV1")])

    @contextmanager
    def full() -> Any:
        raise OSError("No space left on device")
        yield

    with monkeypatch.context() as patch:
        patch.setattr(bench.ledger, "write_durably", full)
        bench.run(consumer)
    assert bench.stored() == []
    assert bench.places() == {}
    bench.run(consumer, rounds=8)
    assert bench.stored() == ["EV1"]


def test_a_stream_that_was_made_anew_is_read_from_its_beginning(bench: Bench) -> None:
    """The old places mean nothing in it: an open shard that was finished, and a record that is not there."""
    consumer = bench.consumer()
    bench.put([data(f"EV{number}") for number in range(4)], "0")
    bench.run(consumer)
    bench.aws.split_shard(StreamName=STREAM, ShardToSplit="shardId-000000000000", NewStartingHashKey=str(2**126))
    bench.run(consumer, rounds=8)
    assert bench.places()["0"].finished
    bench.aws.delete_stream(StreamName=STREAM)
    bench.aws.create_stream(StreamName=STREAM, ShardCount=2)
    bench.put([data("EV7")], "0")
    with capture_logs() as logs:
        bench.run(bench.consumer())
    assert bench.stored() == ["EV0", "EV1", "EV2", "EV3", "EV7"]
    assert [one["shard"][-1] for one in logs if one["event"] == "kinesis.place_lost"] == ["0"]
    assert not {"2", "3"} & set(bench.places())  # what the old shard was split into is forgotten


def test_a_record_that_kinesis_does_not_know_any_more_begins_the_shard_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the place is refused, the shard is read from its oldest record, and that is told."""
    bench.put([data("EV1"), data("EV2")], "0")
    bench.run(bench.consumer())
    real = bench.client.get_shard_iterator

    def refuses_places(**arguments: Any) -> Any:
        if arguments["ShardIteratorType"] == "AFTER_SEQUENCE_NUMBER":
            raise refused("InvalidArgumentException")
        return real(**arguments)

    monkeypatch.setattr(bench.client, "get_shard_iterator", refuses_places)
    bench.put([data("EV3")], "0")
    with capture_logs() as logs:
        bench.run(bench.consumer())
    assert bench.stored() == ["EV1", "EV2", "EV3"]
    assert any(one["event"] == "kinesis.place_lost" for one in logs)


def test_of_two_consumers_one_reads(bench: Bench) -> None:
    """The second stands by while the first holds the lease, and goes on from its place when it is gone."""
    first, second = bench.consumer(), bench.consumer()
    one, other = first.course(), second.course()
    next(one)
    bench.put([data("EV1")])
    for _ in range(3):
        bench.clock.advance(1)
        next(one)
        next(other)
    assert second.reading == []
    first._lease.release()
    bench.put([data("EV2")])
    for _ in range(3):
        bench.clock.advance(1)
        next(other)
    assert bench.stored() == ["EV1", "EV2"]
    assert bench.counted("duplicate") == 0
    second._lease.release()


def test_a_long_list_of_shards_is_read_to_its_end(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of the list follow each other by token alone, as AWS wants it; moto asks for the name again."""
    real, asked = bench.client.list_shards, []

    def by_one(**arguments: Any) -> Any:
        asked.append(sorted(arguments))
        return real(**{"StreamName": STREAM, **arguments}, MaxResults=1)

    monkeypatch.setattr(bench.client, "list_shards", by_one)
    consumer = bench.consumer()
    bench.run(consumer, rounds=1)
    assert len(consumer.reading) == 2
    assert asked == [["StreamName"], ["NextToken"]]
