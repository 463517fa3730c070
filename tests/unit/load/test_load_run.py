"""A whole run against a target that only answers: plans, logs, and what cannot be carried out."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from load_target import Reply, serving
from twilio.request_validator import RequestValidator

from simulator.load.plan import LoadPlan
from simulator.load.result import Ending
from simulator.load.run import LoadProgress, LoadRun, TargetUnreachable
from simulator.world.log_file import LogFileError
from simulator.world.run import run_world
from simulator.world.scenario import Scenario
from simulator.world.sids import sid_of


def event_log(folder: Path) -> Path:
    path = folder / "events.jsonl"
    with path.open("w", encoding="utf-8") as file:
        run_world(Scenario(agents=10, hours=0.25, seed=3), write=file.write)
    return path


def test_a_run_against_a_target_alone_is_judged_by_its_answers(tmp_path: Path) -> None:
    """All phases are told; nothing is said of a WFM that nobody read."""
    told: list[LoadProgress] = []
    with serving() as target:
        plan = LoadPlan(rate=100, duration_s=1, agents=20, target=target.url, arrivals="even", connections=4)
        result = LoadRun(plan, tmp_path, told.append).run()
    assert (result.planned, result.taken, result.outcomes) == (100, 100, {"204": 100})
    assert result.delivery is None
    assert result.reasons == []
    phases = list(dict.fromkeys(one.phase for one in told))
    assert phases == ["floor", "making", "running"]
    assert any(one.due for one in told if one.phase == "running") or result.wall_s < 1


def test_a_log_is_replayed_at_its_own_times_under_its_own_signature(tmp_path: Path) -> None:
    """Ten seconds of a log in one; every request is one that Twilio's validator takes."""
    log = event_log(tmp_path)
    with serving() as target:
        plan = LoadPlan(shape="replay", speed=120, duration_s=1, log=str(log), target=target.url)
        result = LoadRun(plan, tmp_path).run()
    assert result.ending in (Ending.CLEAN, Ending.GENERATOR_TOO_SLOW)
    assert result.planned == len(target.bodies) > 10
    validator = RequestValidator(sid_of("", 3, "auth token"))
    for body, headers in zip(target.bodies, target.headers, strict=True):
        form = dict(parse_qsl(body.decode(), keep_blank_values=True))
        assert validator.validate(target.url, form, headers["X-Twilio-Signature"])
    stated = sorted(int(dict(parse_qsl(body.decode()))["TimestampMs"]) for body in target.bodies)
    assert stated[-1] - stated[0] <= 1000


def test_a_log_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    """Without events there is nothing to send."""
    path = tmp_path / "empty.jsonl"
    path.write_text(event_log(tmp_path).read_text("utf-8").splitlines()[0] + "\n", "utf-8")
    plan = LoadPlan(shape="replay", log=str(path), target="http://127.0.0.1:9/x")
    with pytest.raises(LogFileError, match="has no events"):
        LoadRun(plan, tmp_path).run()


def test_a_target_that_refuses_everything_is_not_clean(tmp_path: Path) -> None:
    """Its statuses are the reason."""
    refusal = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
    with serving(lambda _number: Reply(raw=refusal)) as target:
        plan = LoadPlan(rate=50, duration_s=0.5, agents=10, target=target.url, arrivals="even")
        result = LoadRun(plan, tmp_path).run()
    assert result.ending is Ending.NOT_CLEAN
    assert result.reasons == ["25 of 25 callbacks were not taken: 25 x 403"]


def test_nothing_at_the_target_is_said_before_anything_is_sent(tmp_path: Path) -> None:
    """With its address."""
    with pytest.raises(TargetUnreachable, match=r"http://127\.0\.0\.1:9/x cannot be reached"):
        LoadRun(LoadPlan(rate=5, duration_s=1, agents=10, target="http://127.0.0.1:9/x"), tmp_path).run()


def test_a_run_that_has_not_begun_cannot_be_stopped(tmp_path: Path) -> None:
    """Then there is no result so far, and the caller ends the whole."""
    assert LoadRun(LoadPlan(), tmp_path).stop() is False
