"""Scenario files: what is in them counts, what is wrong in them is named, and the ready ones are found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simulator.world.scenario import Scenario
from simulator.world.scenario.files import ScenarioError, load_scenario, ready_scenarios

READY = {
    "chat-heavy", "everything-strange", "five-thousand-agents", "follow-the-sun", "monday-spike", "ordinary-day",
    "outage-day", "quiet-night",
}  # fmt: skip
FIXTURES = Path(__file__).parents[3] / "fixtures" / "scenarios"


def _file(folder: Path, text: str, name: str = "own.toml") -> str:
    path = folder / name
    path.write_text(text, "utf-8")
    return str(path)


def _problems(folder: Path, text: str) -> str:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(_file(folder, text))
    return "; ".join(caught.value.problems)


def test_the_ready_scenarios_are_found_by_name_with_a_title_each() -> None:
    """They come with the package, and the folder of fixtures shows the same files."""
    found = ready_scenarios()
    assert set(found) >= READY
    assert all(found.values())
    assert {path.stem for path in FIXTURES.glob("*.toml")} == set(found)


@pytest.mark.parametrize("name", sorted(READY))
def test_a_ready_scenario_loads(name: str) -> None:
    """Nothing in it is refused, and what it says differs from the defaults."""
    scenario = load_scenario(name)
    assert scenario.title == ready_scenarios()[name]
    assert scenario != Scenario()


def test_a_file_changes_what_it_names_and_leaves_the_rest(tmp_path: Path) -> None:
    """Tables are laid over the defaults, key by key."""
    scenario = load_scenario(_file(tmp_path, "agents = 7\n[channels.voice]\nper_agent_hour = 9\n"))
    assert (scenario.agents, scenario.channels.voice.per_agent_hour) == (7, 9)
    assert scenario.channels.voice.talk == Scenario().channels.voice.talk
    assert scenario.channels.chat == Scenario().channels.chat


def test_a_file_may_be_based_on_another(tmp_path: Path) -> None:
    """By name or by path; what it says itself counts, a start of its own included."""
    middle = _file(tmp_path, 'based_on = "chat-heavy"\nagents = 9\n', "middle.toml")
    scenario = load_scenario(_file(tmp_path, f'based_on = "{middle}"\nstart = 2026-03-02T08:00:00+01:00\n'))
    assert scenario.agents == 9
    assert scenario.start.isoformat() == "2026-03-02T07:00:00+00:00"
    assert scenario.channels.chat.capacity == 4


def test_a_circle_of_files_is_refused(tmp_path: Path) -> None:
    """A file that is based on itself has no base."""
    path = tmp_path / "own.toml"
    assert "based on itself" in _problems(tmp_path, f'based_on = "{path}"\n')


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("agent = 5", "agent: unknown key; did you mean agents?"),
        ("[channels.voice]\nper_agent_our = 1", "voice.per_agent_our: unknown key; did you mean per_agent_hour?"),
        (
            '[channels.voice.talk]\nkind = "lognormal"\nmedian_s = 5\nspraed = 1',
            "channels.voice.talk.spraed: unknown key; did you mean spread?",
        ),
        ("[channels.voice.talk]\nmedian_s = 5", "channels.voice.talk: kind is missing"),
        ("agents = 0", "agents: Input should be greater than or equal to 1"),
        ("agents = 1.5", "agents: Input should be a valid integer"),
        ("[answering]\nrejects_share = 1.01", "answering.rejects_share: Input should be less than or equal to 1"),
        ("[answering]\nrejects_share = true", "answering.rejects_share: Input should be a valid number"),
        ("[answering]\nrejects_share = nan", "answering.rejects_share"),
        ('[[sites]]\nname = "X"\ntime_zone = "Europe/Lisbo"', "'Europe/Lisbo' is no time zone"),
        ('[[shifts]]\nname = "X"\nstarts = "8:00"', "shifts.0.starts"),
        ("start = 2026-01-05T08:00:00", "start must be a date with a time and an offset"),
        ("start = 2026-01-05T08:00:00Z\nstart_ms = 1", "start and start_ms say the same"),
        ('[[queues]]\nname = "A"\nskill = "suport"', "queues.0.skill: there is no 'suport'; did you mean support?"),
        (
            '[[queues]]\nname = "A"\nskill = "support"\noverflow_to = "B"\n'
            '[[queues]]\nname = "B"\nskill = "sales"\noverflow_to = "A"',
            "tasks would move in a circle",
        ),
        ('[[queues]]\nname = "A"\nskill = "support"\noverflow_to = "C"', "queues.0.overflow_to: there is no 'C'"),
        ("[channels.email]\nper_agent_hour = 1", "channels.email: contacts come, but there is no queue for them"),
        ('[[teams]]\nname = "A"\nsite = "Lodnon"\nsome_of = ["support"]', "did you mean London?"),
        ('[workspace]\ntimeout_activity = "Brake"', "timeout_activity: there is no 'Brake'; did you mean Break?"),
        ('[people]\nlocales = ["en_UK"]', "people.locales: there is no 'en_UK'"),
        ("[[sites]]\nshare = 0.0", "sites: the shares add up to 0"),
        ('[[sites]]\n[[sites]]\ntime_zone = "UTC"', "sites: 'London' stands there twice"),
        ("agents = ", "is not TOML"),
        ("based_on = 3", "based_on: must be the name or path"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, text: str, problem: str) -> None:
    """One sentence each, with the nearest known name where one was misspelt."""
    assert problem in _problems(tmp_path, text)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    """Nobody has to find them one by one."""
    found = _problems(tmp_path, "agent = 5\nhours = 0\n[hold]\nshare = 2\n")
    assert all(word in found for word in ("agent:", "hours:", "hold.share:"))


def test_a_name_that_nobody_knows_is_refused_with_the_nearest_one() -> None:
    """A misspelt name and a file that is not there."""
    with pytest.raises(ScenarioError, match="did you mean quiet-night"):
        load_scenario("quiet-nigth")
    with pytest.raises(ScenarioError, match="no such scenario or file"):
        load_scenario("/nowhere/at/all.toml")


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"agents": 3}, lambda one: one.agents == 3),
        ({"channels.voice.talk.median_s": 5.0}, lambda one: one.channels.voice.talk.median_s == 5),
        ({"queues.0.offers": 4}, lambda one: one.queues[0].offers == 4 and one.queues[1] == Scenario().queues[1]),
        ({"start": "2025-03-01T00:00:00Z"}, lambda one: one.start.year == 2025),
        (
            {"queues": [{"name": "A", "skill": "sales"}], "queues.0.offers": 3, "teams.0.share": 0.5},
            lambda one: (one.queues[0].skill, one.queues[0].offers, one.teams[0].share) == ("sales", 3, 0.5),
        ),
        ({"channels": {"chat": {"capacity": 9}}}, lambda one: one.channels.chat.capacity == 9),
        (
            {"channels.sms.patience": {"kind": "never"}},
            lambda one: one.channels.sms.patience.kind == "never",
        ),
    ],
)
def test_single_values_can_be_changed_by_their_path(changes: dict[str, Any], shown: Any) -> None:
    """Everything else stays as it was, and the scenario itself does not change."""
    before = Scenario()
    assert shown(before.with_(changes))
    assert before == Scenario()
    assert load_scenario("ordinary-day", changes).with_({}) == load_scenario("ordinary-day", changes)


@pytest.mark.parametrize("path", ["queues.99.offers", "nothing.at.all", "agents.x", "queues.x", "hold.shared"])
def test_a_path_that_leads_nowhere_is_refused(path: str) -> None:
    """With the path in the message."""
    with pytest.raises(ScenarioError) as caught:
        load_scenario("ordinary-day", {path: 1})
    assert path in str(caught.value)


def test_a_scenario_shows_only_what_was_written_down() -> None:
    """In a failing test the defaults would hide what matters."""
    assert repr(Scenario(agents=3)) == "Scenario(agents=3)"
