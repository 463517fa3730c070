"""The library as a whole: every fault is found, says what it is, and is set from a table that is checked."""

from __future__ import annotations

import importlib
import json
import pkgutil
import random
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from simulator.cli import main
from simulator.faults import host, twilio, wfm
from simulator.faults.fault import HostFault, LetterFault, Side
from simulator.faults.letter import Letter
from simulator.faults.registry import FaultError, all_faults, read_fault
from simulator.world.engine import World
from simulator.world.scenario import Scenario
from simulator.world.scenario.files import ScenarioError, load_scenario

FOLDERS = {"twilio": twilio, "wfm": wfm, "host": host}
SIDES = {"twilio": {Side.EVENTS, Side.REST}, "wfm": {Side.WFM}, "host": {Side.HOST}}


def test_each_file_of_a_side_is_one_fault_of_that_side() -> None:
    """Nothing lists the faults; a file in the folder is enough."""
    found = 0
    for name, folder in FOLDERS.items():
        for module in pkgutil.iter_modules(folder.__path__):
            own = [kind for kind in all_faults().values() if kind.__module__ == f"{folder.__name__}.{module.name}"]
            assert len(own) == 1, module.name
            assert own[0].side in SIDES[name]
            assert importlib.import_module(own[0].__module__).__doc__
            found += 1
    assert found == len(all_faults())
    assert found >= 25


@pytest.mark.parametrize("name", sorted(all_faults()))
def test_a_fault_says_what_it_is_and_goes_through_its_table(name: str) -> None:
    """A description of one sentence, a meaning for each key, and the same fault again from what it states."""
    kind = all_faults()[name]
    assert kind.name == name
    assert kind.description().endswith(".")
    assert "reference" not in kind.description()
    assert all(field.description for field in kind.model_fields.values())
    fault = read_fault({"fault": name, "share": 0.25, "from_minutes": 2.0, "minutes": 3.0})
    assert read_fault(fault.to_table()) == fault
    assert fault.window(60_000) == (180_000, 360_000)
    if isinstance(fault, HostFault):
        assert fault.side is Side.HOST


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"fault": "duplicat"}, "did you mean duplicate?"),
        ({"fault": "duplicate", "shares": 0.1}, "duplicate.shares: unknown key; did you mean share?"),
        ({"fault": "duplicate", "share": 1.5}, "duplicate.share: Input should be less than or equal to 1"),
        ({"fault": "kill", "when": "sometimes"}, "kill.when: Input should be 'now'"),
        ({"share": 0.1}, "fault must name one; `flex-wfm-sim faults` lists them"),
        ("duplicate", "a fault is a table"),
    ],
)
def test_a_wrong_table_is_told_so_that_it_can_be_mended(table: object, said: str) -> None:
    """The key, what is wrong with it, and the nearest right one."""
    with pytest.raises(FaultError) as error:
        read_fault(table)
    assert said in str(error.value)


def test_a_scenario_sets_faults(tmp_path: Path) -> None:
    """`[[faults]]` is read, checked, kept through changes, and leaves the floor's own events as they are."""
    file = tmp_path / "bad-day.toml"
    file.write_text(
        'based_on = "quiet-night"\nagents = 3\n[[faults]]\nfault = "drop"\nshare = 0.1\nminutes = 5.0\n'
        '[[faults]]\nfault = "wfm-down"\nfrom_minutes = 2.0\n'
    )
    scenario = load_scenario(str(file), {"seed": 3})
    assert [one.to_table() for one in scenario.faults] == [
        {"fault": "drop", "share": 0.1, "minutes": 5.0},
        {"fault": "wfm-down", "from_minutes": 2.0},
    ]
    assert scenario.with_({"agents": 4}).faults == scenario.faults
    until_ms = scenario.start_ms + 600_000
    calm = scenario.with_({"faults": []})
    assert World(calm).advance_to(until_ms) == World(scenario).advance_to(until_ms)


def test_a_scenario_with_a_wrong_fault_is_refused(tmp_path: Path) -> None:
    """With its place and the nearest right name."""
    file = tmp_path / "bad-day.toml"
    file.write_text('[[faults]]\nfault = "drop"\n[[faults]]\nfault = "dropp"\n')
    with pytest.raises(ScenarioError) as error:
        load_scenario(str(file))
    assert "faults.1: there is no fault 'dropp'; did you mean drop?" in str(error.value)


def test_the_command_lists_them() -> None:
    """As text, as JSON, and one of them as it would stand in a scenario."""
    runner = CliRunner()
    shown = runner.invoke(main, ["faults"])
    assert shown.exit_code == 0
    assert all(f"  {name} " in shown.output for name in all_faults())
    headings = [line for line in shown.output.splitlines() if line.endswith(":")]
    assert headings == ["events:", "rest:", "wfm:", "host:"]
    listed = json.loads(runner.invoke(main, ["faults", "--json"]).output)
    assert [one["name"] for one in listed] == list(all_faults())
    one = runner.invoke(main, ["faults", "wfm-429-retry-after"]).output
    tables = tomllib.loads(one.partition("\n\n")[2])["faults"]
    assert read_fault(tables[0]).to_table()["pause_s"] == 30.0
    assert runner.invoke(main, ["faults", "rest-down", "kil"]).exit_code == 1


PAGE = (Path(__file__).parents[3] / "docs" / "faults.md").read_text("utf-8")


def test_the_page_can_be_believed(tmp_path: Path) -> None:
    """Its scenario is read, its fault of one's own strikes, its table sets one, and the keys it names are those."""
    blocks = dict.fromkeys(("toml", "python"), "")
    for kind in blocks:
        blocks[kind] = PAGE.partition(f"```{kind}\n")[2].partition("```")[0]
    file = tmp_path / "page.toml"
    file.write_text(blocks["toml"])
    assert [one.name for one in load_scenario(str(file)).faults] == ["duplicate", "wfm-502-html"]
    names: dict[str, Any] = {}
    exec(compile(blocks["python"], "docs/faults.md", "exec"), names)
    letter = Letter(0, World(Scenario(agents=2)).advance_to(Scenario().start_ms + 60_000)[0])
    assert names["Twice"]().strike(letter, random.Random(1)) == [letter, letter]
    tables = [part.partition("`")[0] for part in PAGE.split('`{"fault"')[1:]]
    assert len([read_fault(json.loads('{"fault"' + one)) for one in tables]) == 2
    keys = {line.split("`")[1] for line in PAGE.splitlines() if line.startswith("| `")}
    assert set(LetterFault.model_fields) <= keys
    # What the matrix has said is quoted of as many faults as there are.
    assert f"   {len(all_faults())} faults alone: {len(all_faults())} clean" in PAGE
