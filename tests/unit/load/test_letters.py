"""Callbacks made from the floor: signed as Twilio signs, at the planned times, under sids of this run alone."""

from __future__ import annotations

from collections import defaultdict
from itertools import islice
from urllib.parse import parse_qsl

import pytest
from twilio.request_validator import RequestValidator

from simulator.load.floor import LoadFloor, scenario_of
from simulator.load.letters import Letter, Post, Told, Warp
from simulator.load.plan import LoadPlan
from simulator.twilio.emitter import EmitterSettings
from simulator.twilio.signing import SigningKey
from simulator.twilio.target import CallbackTarget

URL = "http://127.0.0.1:8080/twilio/demo/events?tenant=a"
TOKEN = "0123456789abcdef"
START_MS = 1_800_000_000_000
COUNT = 1500


class Made:
    """The first letters of a run."""

    def __init__(self, run: str, step_s: float = 0.01) -> None:
        self.floor = LoadFloor(scenario_of(LoadPlan(agents=30)), warm_up_minutes=30, wanted=())
        sender = EmitterSettings(
            callback_url=URL, account_sid="AC1", workspace_sid="WS1", workspace_name="W", key=SigningKey(TOKEN)
        )
        self.post = Post(
            CallbackTarget.parse(URL), sender, run=run, floor_start_ms=self.floor.start_ms, start_ms=START_MS,
            known=self.floor.known,
        )  # fmt: skip
        timed = ((number * step_s, event) for number, event in enumerate(self.floor.events()))
        self.letters = list(islice(self.post.letters(timed), COUNT))
        self.forms = [form_of(letter) for letter in self.letters]


def form_of(letter: Letter) -> dict[str, str]:
    return dict(parse_qsl(letter.raw.partition(b"\r\n\r\n")[2].decode(), keep_blank_values=True))


def headers_of(letter: Letter) -> dict[str, str]:
    lines = letter.raw.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    assert lines[0] == "POST /twilio/demo/events?tenant=a HTTP/1.1"
    return dict(line.split(": ", 1) for line in lines[1:])


@pytest.fixture(scope="module")
def made() -> Made:
    return Made("one")


@pytest.fixture(scope="module")
def other() -> Made:
    return Made("two")


def test_every_letter_is_signed_and_as_long_as_it_says(made: Made) -> None:
    """Twilio's own validator takes each of them, and the next request begins where this one ends."""
    validator = RequestValidator(TOKEN)
    for letter, form in zip(made.letters, made.forms, strict=True):
        headers = headers_of(letter)
        assert validator.validate(URL, form, headers["X-Twilio-Signature"])
        assert headers["Content-Type"] == "application/x-www-form-urlencoded"
        assert int(headers["Content-Length"]) == len(letter.raw.partition(b"\r\n\r\n")[2])


def test_each_event_states_its_planned_time(made: Made) -> None:
    """To the millisecond; and seconds that fit."""
    assert [int(form["TimestampMs"]) for form in made.forms] == [START_MS + 10 * n for n in range(COUNT)]
    assert all(int(form["Timestamp"]) == int(form["TimestampMs"]) // 1000 for form in made.forms)


def test_times_within_an_event_fit_its_own(made: Made) -> None:
    """An activity's length reaches back to when it began, a task is as old as its creation says."""
    began: dict[str, int] = {}
    looked = 0
    for form in made.forms:
        if form["EventType"] == "worker.activity.update":
            sid, now_ms = form["WorkerSid"], int(form["TimestampMs"])
            if sid in began:
                looked += 1
                assert now_ms - int(form["WorkerTimeInPreviousActivityMs"]) == pytest.approx(began[sid], abs=40)
            began[sid] = now_ms
        if "TaskDateCreated" in form:
            age_s = int(form["TimestampMs"]) // 1000 - int(form["TaskDateCreated"])
            assert int(form["TaskAge"]) == age_s >= 0
    assert looked > 3


def test_a_second_run_has_new_sids_for_what_is_new_and_the_old_ones_for_what_rest_knows(
    made: Made, other: Made
) -> None:
    """No event, task or reservation of one run is taken for another's; agents and open work stay who they are."""
    for name, prefix in (("Sid", "EV"), ("TaskSid", "WT"), ("ReservationSid", "WR")):
        mine, theirs = ({form[name] for form in one.forms if name in form} for one in (made, other))
        assert all(sid.startswith(prefix) for sid in mine)
        assert len(mine) == len(theirs) > 10
        assert mine & theirs <= made.floor.known
    assert {form["WorkerSid"] for form in made.forms if "WorkerSid" in form} == {
        form["WorkerSid"] for form in other.forms if "WorkerSid" in form
    }
    assert any(form.get("TaskSid") in made.floor.known for form in made.forms)


def test_what_belongs_together_still_does(made: Made) -> None:
    """A reservation names one task and one worker throughout, under its new sid."""
    of_reservation: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for form in made.forms:
        if form["EventType"].startswith("reservation.") and "WorkerSid" in form:
            assert form["ResourceSid"] == form["ReservationSid"]
            of_reservation[form["ReservationSid"]].add((form["TaskSid"], form["WorkerSid"]))
    assert len(of_reservation) > 20
    assert all(len(found) == 1 for found in of_reservation.values())


def test_the_events_of_one_worker_share_a_lane(made: Made) -> None:
    """So their order is kept."""
    lanes: dict[str, set[str]] = defaultdict(set)
    for letter, form in zip(made.letters, made.forms, strict=True):
        if "WorkerSid" in form:
            lanes[form["WorkerSid"]].add(letter.lane)
    assert all(found == {worker} for worker, found in lanes.items())


def test_the_truth_goes_as_far_as_the_letters_whose_turn_had_come(made: Made) -> None:
    """States are stamped by their causes; what was caused by a letter that was never due is no truth yet."""
    told: dict[str, Told] = dict(made.post.told(100))
    states = [state for agent in made.floor.truth(told) for state in agent.states if state.start_ms >= START_MS]
    stamps = {form["Sid"]: int(form["TimestampMs"]) for form in made.forms[:100]}
    assert len(states) > 10
    assert all(state.cause_sid is not None and stamps[state.cause_sid] == state.start_ms for state in states)
    everything = [
        state
        for agent in made.floor.truth(dict(made.post.told(COUNT)))
        for state in agent.states
        if state.start_ms >= START_MS
    ]
    assert len(everything) > len(states)


def test_the_past_lies_before_the_run_as_far_away_as_it_was() -> None:
    """Only what lies between events of the run is stretched or squeezed."""
    warp = Warp(1_000, 50_000)
    for floor_ms, run_ms in ((2_000, 50_010), (2_000, 50_020), (8_000, 50_030)):
        warp.put(floor_ms, run_ms)
    assert warp.instant(400) == 49_400
    assert warp.instant(1_000) == 50_000
    assert warp.instant(1_500) == 50_000
    assert warp.instant(2_000) == 50_010
    assert warp.instant(5_000) == 50_020
    assert warp.instant(8_000) == 50_030
    assert warp.length(7_600, 8_000) == 50_030 - 49_400
