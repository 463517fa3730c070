"""A virtual floor: one process, no threads, no sockets, and the same again for the same seed."""

from __future__ import annotations

import shlex
import socket
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from simulator.cli import main
from simulator.harness.soak import SoakPlan, run_soak
from simulator.harness.virtual import VirtualFloor
from simulator.harness.wsgi import Door
from simulator.world.scenario import Scenario

HOUR_MS = 3_600_000


def test_it_needs_no_thread_and_no_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half an hour of a small floor passes although nothing may be started or connected."""

    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("a virtual floor starts no thread and opens no socket")

    monkeypatch.setattr(threading.Thread, "start", forbidden)
    monkeypatch.setattr(socket.socket, "connect", forbidden)
    with VirtualFloor(Scenario(agents=5, seed=3), tmp_path, warm_up_ms=HOUR_MS // 2) as floor:
        floor.run_to(floor.start_ms + HOUR_MS // 2)
        assert floor.health()["status"] == "ok"
        assert floor.wfm.inbox.counters()["states"] > 20
        assert floor.taken > 50


def test_what_the_environment_says_of_a_real_connector_is_not_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Settings in the environment belong to another connector, and are there again afterwards."""
    monkeypatch.setenv("FLEX_WFM__TENANTS__DEMO__WFM__ACCESS_KEY", "of-another")
    with VirtualFloor(Scenario(agents=2, seed=3), tmp_path) as floor:
        floor.run_to(floor.start_ms + 60_000)
        assert floor.wfm.inbox.counters()["tokens"] == 1


def test_a_soak_refuses_a_scenario_with_faults(tmp_path: Path) -> None:
    """It judges each instant, and says who judges what is left."""
    file = tmp_path / "bad-day.toml"
    file.write_text('agents = 2\n[[faults]]\nfault = "drop"\n')
    done = CliRunner().invoke(main, ["soak", "--scenario", str(file), "--days", "0.01"])
    assert done.exit_code == 1
    assert "see flex-wfm-sim matrix --scenario" in done.output


def test_the_same_plan_does_the_same(tmp_path: Path) -> None:
    """Two runs of one plan end with the same verdict and the same counts, faults on the way included."""
    plan = SoakPlan(agents=4, days=0.02, seed=4, duplicates=0.1)
    one, other = (run_soak(replace(plan, directory=tmp_path / name)) for name in ("one", "other"))
    assert (one.verdict, one.events, one.wfm, one.contacts) == (other.verdict, other.events, other.wfm, other.contacts)


@pytest.mark.parametrize(
    "change",
    [
        {"agents": 0},
        {"days": 0},
        {"duplicates": 1.5},
        {"late": -0.1},
        {"repair": True, "late": 0.1},
        {"warm_up_minutes": -1},
    ],
)
def test_a_plan_that_cannot_run_is_refused(change: dict[str, float]) -> None:
    """A plan without agents or time, or with shares that are none, is an error at once."""
    with pytest.raises(ValueError, match=next(iter(change))):
        replace(SoakPlan(), **change)  # type: ignore[arg-type]


def test_the_command_repeats_the_plan(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What a failing run prints parses back into the same plan."""
    plan = SoakPlan(agents=12, days=0.5, seed=9, duplicates=0.05, late=0.01, late_hours=3.0, repair=False)
    assert plan.command == (
        "flex-wfm-sim soak --agents 12 --days 0.5 --route streams --seed 9 "
        "--duplicates 0.05 --late 0.01 --late-hours 3 --no-repair"
    )
    heard: list[SoakPlan] = []

    def hear(given: SoakPlan, **_: object) -> None:
        heard.append(replace(given, directory=None))
        raise KeyboardInterrupt

    monkeypatch.setattr("simulator.cli.soak.run_soak", hear)
    done = CliRunner().invoke(main, [*shlex.split(plan.command)[1:], "--dir", str(tmp_path)])
    assert heard == [plan]
    assert done.exit_code == 130


def test_a_door_carries_body_headers_and_query(tmp_path: Path) -> None:
    """The application sees what a server would show it, and its answer is read to the end."""
    seen: dict[str, object] = {}
    closed: list[bool] = []

    class Answer(list[bytes]):
        def close(self) -> None:
            closed.append(True)

    def app(environ: dict[str, object], start: object) -> Answer:
        seen.update(environ, body=environ["wsgi.input"].read())  # type: ignore[attr-defined]
        start("207 Multi-Status", [])  # type: ignore[operator]
        return Answer([b"done"])

    door = Door(app, "https://wfm.test/path?one=1")  # type: ignore[arg-type]
    assert door.post(b"body", {"Content-Type": "text/plain", "X-Sign": "abc"}) == 207
    assert (seen["body"], seen["CONTENT_TYPE"], seen["HTTP_X_SIGN"]) == (b"body", "text/plain", "abc")
    assert (seen["PATH_INFO"], seen["QUERY_STRING"], seen["SERVER_PORT"]) == ("/path", "one=1", "443")
    assert door.post(b"", {}, query="two=2") == 207
    assert (seen["QUERY_STRING"], closed) == ("two=2", [True, True])
