"""Event logs as files: what is written is read again, and what is no log is refused with the line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simulator.world.engine import World
from simulator.world.events import callback_parameters
from simulator.world.log_file import LineWriter, LogFileError, LogHeader, log_lines, open_text, read_log
from simulator.world.run import run_world
from simulator.world.scenario import Scenario
from simulator.world.scenario.files import load_scenario

STRANGE = load_scenario("everything-strange", {"agents": 20, "hours": 3.0, "start": "2026-01-05T08:00:00Z"})
HEADER = LogHeader(source="simulated", account_sid="AC1", workspace_sid="WS1")


@pytest.fixture(scope="module")
def strange() -> World:
    """Three hours of everything strange."""
    world = World(STRANGE)
    world.advance_to(STRANGE.end_ms)
    return world


def test_a_line_holds_the_data_of_its_event(strange: World) -> None:
    """Every key once and every value, however the line was put together."""
    writer = LineWriter()
    for event in strange.log:
        line = json.loads(writer.line(event), object_pairs_hook=_once)
        assert line["data"] == event.data()
        told = (line["ms"], line["sid"], line["type"], line["resource_type"], line["resource_sid"])
        assert told == (event.ms, event.sid, event.type, event.resource_type, event.resource_sid)
        assert line.get("at_ms", event.ms) == event.at_ms


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len({key for key, _ in pairs}) == len(pairs)
    return dict(pairs)


@pytest.mark.parametrize("name", ["log.jsonl", "log.jsonl.gz"])
def test_what_was_written_is_read_again(strange: World, tmp_path: Path, name: str) -> None:
    """Header and events; what a callback says of an event read from a file is what it says of the event itself."""
    path = tmp_path / name
    header = LogHeader.of(STRANGE, strange.floor.offline.sid)
    with open_text(path, "w") as file:
        file.writelines(log_lines(header, strange.log))
    read_header, events = read_log(path)
    assert read_header == header
    names = {"account_sid": "AC1", "workspace_sid": "WS1", "workspace_name": "W"}
    told = [(one.at_ms, callback_parameters(one, **names)) for one in events]
    assert told == [(one.at_ms, callback_parameters(one, **names)) for one in strange.log]


def test_equal_logs_are_equal_files_also_when_compressed(strange: World, tmp_path: Path) -> None:
    """No date and no name gets into a compressed file."""
    for name in ("one.gz", "two.gz"):
        with open_text(tmp_path / name, "w") as file:
            file.writelines(log_lines(HEADER, strange.log))
    assert (tmp_path / "one.gz").read_bytes() == (tmp_path / "two.gz").read_bytes()


_GOOD = HEADER.line()


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("", 1, "is not JSON"),
        ("[]", 1, "is no JSON object"),
        ("{}", 1, 'must have "format"'),
        ('{"format":"flex-wfm-sim/events","version":2}', 1, "has version 2"),
        ('{"format":"flex-wfm-sim/events","version":1}', 1, "the header lacks"),
        (f"{_GOOD}\n{{", 2, "is not JSON"),
        (f"{_GOOD}\n\n[]", 3, "is no JSON object"),
        (f'{_GOOD}\n{{"ms":1}}', 2, "an event has"),
        (
            f'{_GOOD}\n{{"ms":1,"sid":"E","type":"t","resource_type":"r","resource_sid":"s","data":{{"a":1}}}}',
            2,
            "the values of data are texts",
        ),
    ],
)
def test_what_is_no_log_is_refused_with_its_line(tmp_path: Path, text: str, line: int, problem: str) -> None:
    """A sentence that names file and line."""
    path = tmp_path / "bad.jsonl"
    path.write_text(text, "utf-8")
    with pytest.raises(LogFileError, match=problem) as caught:
        list(read_log(path)[1])
    assert caught.value.line == line
    assert str(path) in str(caught.value)


def test_a_run_writes_the_log_of_its_world_however_much_it_forgets() -> None:
    """The portions in which a run goes on leave no trace, nor does what it lets go of on the way."""
    scenario = Scenario(agents=15, seed=2, hours=5.0)
    whole, written = World(scenario), list[str]()
    whole.advance_to(scenario.end_ms)
    result = run_world(scenario, write=written.append)
    assert "".join(written) == "".join(log_lines(LogHeader.of(scenario, whole.floor.offline.sid), whole.log))
    assert result.events == len(whole.log)
    assert sum(result.by_type.values()) == result.events
    assert len(list(result.world.log)) < result.events


def test_a_run_that_keeps_the_truth_has_all_of_it() -> None:
    """States and books are those of a world that forgot nothing."""
    scenario = Scenario(agents=15, seed=2, hours=5.0)
    whole = World(scenario)
    whole.advance_to(scenario.end_ms)
    result = run_world(scenario, keeps_truth=True)
    assert result.world.truth.states == whole.truth.states
    starts = [[stay.start_ms for stay in one.truth.ledger.stays] for one in (result.world, whole)]
    assert starts[0] == starts[1]
