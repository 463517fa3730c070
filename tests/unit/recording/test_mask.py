"""A recording holds no name, number or attribute of a person, and is still the same story."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from simulator.recording.mask import Mask
from simulator.recording.writer import Heard, Recorder
from simulator.world.engine import World
from simulator.world.log_file import read_log


def _recorded(heard: list[Heard], world: World) -> str:
    file = io.StringIO()
    scenario = world.scenario
    recorder = Recorder(
        file, Mask(), account_sid=scenario.account_sid, workspace_sid=scenario.workspace_sid,
        offline_activity_sid=world.floor.offline.sid,
    )  # fmt: skip
    for one in heard:
        recorder.take(one)
    recorder.finish()
    return file.getvalue()


@pytest.fixture(scope="module")
def text(heard: list[Heard], strange: World) -> str:
    """The recording."""
    return _recorded(heard, strange)


def test_nothing_of_a_person_is_in_it(text: str, strange: World) -> None:
    """Neither names, numbers, addresses, towns and accounts of customers, nor names and logins of agents."""
    secrets = {
        value for one in strange.customers for value in (one.name, one.phone, one.email, one.city, one.account_number)
    }
    secrets |= {value for worker in strange.floor.workers for value in (worker.name, worker.full_name)}
    assert len(secrets) > 500
    # A town may be a word that stands there for another reason; whole texts of two words may not.
    told = [one for one in secrets if (" " in one or "@" in one or one[0] in "+C") and one in text]
    assert told == []
    assert "@example" not in text
    assert "client:" not in text


def test_no_sid_of_the_original_is_in_it(text: str, strange: World) -> None:
    """Every sid is replaced by one of the same kind."""
    originals = {strange.scenario.account_sid, strange.scenario.workspace_sid, strange.floor.offline.sid}
    for event in strange.log:
        originals |= {event.sid, event.resource_sid, event.worker_sid, event.task_sid}
    assert len(originals) > 1000
    assert originals.isdisjoint(re.findall(r"[A-Z]{2}[0-9a-f]{32}", text))


def test_the_story_is_the_same(text: str, heard: list[Heard], tmp_path: Path) -> None:
    """Types, times and versions as they were; the same sid always has the same replacement, another one another."""
    path = tmp_path / "recorded.jsonl"
    path.write_text(text, "utf-8")
    header, events = read_log(path)
    assert header.source == "recorded"
    masked = list(events)
    original = sorted(heard, key=lambda one: one.ms)
    assert sorted((one.ms, one.type) for one in masked) == sorted((one.ms, one.type) for one in original)
    names: dict[str, str] = {}
    by_time: dict[tuple[int, str], list[Any]] = {}
    for one in masked:
        by_time.setdefault((one.ms, one.type), []).append(one)
    for one in original:
        found = by_time[one.ms, one.type].pop(0)
        if len(by_time[one.ms, one.type]):
            continue  # several of one kind in one millisecond: which is which is not told
        for key in ("worker_sid", "task_sid", "task_queue_sid", "worker_activity_sid", "reservation_sid"):
            if one.data.get(key):
                assert names.setdefault(str(one.data[key]), found.data()[key]) == found.data()[key]
    assert len(set(names.values())) == len(names) > 100


def test_what_states_and_reports_need_is_kept(heard: list[Heard]) -> None:
    """Times, versions, activities, channel and direction; and the reason if it is a known one."""
    mask, kinds = Mask(), set()
    for one in heard:
        kept = mask.data(one.data)
        for key in ("task_version", "worker_version", "worker_activity_name", "task_date_created", "transfer_mode"):
            assert kept.get(key) == one.data.get(key)
        if "task_attributes" in kept:
            attributes, before = json.loads(kept["task_attributes"]), json.loads(str(one.data["task_attributes"]))
            assert attributes["direction"] == before["direction"]
            assert attributes.get("channelType") == before.get("channelType")
            assert set(attributes) <= set(before)
            kinds.add(attributes["direction"])
        if one.data.get("task_canceled_reason") == "Callback requested":
            assert kept["task_canceled_reason"] == "Callback requested"
            kinds.add("callback")
    assert kinds == {"inbound", "outbound", "internal", "callback"}
    assert "task_queue_target_expression" in mask.dropped


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("task_age", "12", "12"),
        ("task_age", "Ana Silva", None),
        ("task_date_created", "2026-01-05T08:00:00Z", "2026-01-05T08:00:00Z"),
        ("task_date_created", "born 1970", None),
        ("task_channel_unique_name", "voice", "voice"),
        ("task_channel_unique_name", "call for Ana Silva", None),
        ("worker_sid", "no sid", ""),
        ("reason", "HANGUP", "HANGUP"),
        ("something_new", "x", None),
        ("task_attributes", "not json", "{}"),
        ("task_attributes", "[1]", "{}"),
        ("task_attributes", '{"name":"Ana","direction":"inbound","conversations":{"x":1}}', '{"direction":"inbound"}'),
        ("task_attributes", '{"direction":"to Ana Silva"}', "{}"),
        ("task_attributes", '{"conversations":{"talk_time":61.5,"abandoned":true}}',
         '{"conversations":{"talk_time":61.5,"abandoned":true}}'),
        ("worker_attributes", '{"direction":"inbound"}', "{}"),
        ("worker_available", True, "true"),
        ("task_priority", 3, "3"),
        ("task_priority", None, ""),
    ],
)  # fmt: skip
def test_only_what_looks_as_it_should_stays(name: str, value: object, kept: str | None) -> None:
    """A value in the wrong place is left out, whatever its key is called."""
    assert Mask().data({name: value}) == ({} if kept is None else {name: kept})


def test_replacements_differ_from_recording_to_recording(heard: list[Heard], strange: World) -> None:
    """Nobody can compare two recordings, nor check a guess."""
    first, second = Mask(), Mask()
    assert first.sid(heard[0].sid) != second.sid(heard[0].sid)
    assert first.name("worker", "ana") != second.name("worker", "ana")
    assert first.name("reason", "Ana called") == first.name("reason", "Ana called")


def test_an_event_heard_twice_is_written_once_and_in_order_of_time(heard: list[Heard], strange: World) -> None:
    """Callbacks may be repeated and overtake one another."""
    some = sorted(heard, key=lambda one: one.ms)[:200]
    swapped = [one for pair in zip(some[1::2], some[::2], strict=False) for one in pair]
    lines = _recorded([*swapped, *some], strange).splitlines()[1:]
    times = [json.loads(line)["ms"] for line in lines]
    assert times == sorted(one.ms for one in some)
