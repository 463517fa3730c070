"""Real-time adherence of this moment, intraday, skill history, and the plan they are held against."""

from __future__ import annotations

from typing import Any

import pytest


def _row(office: Any, agent: str) -> Any:
    (row,) = office.get("rta", agent_id=agent)["agents"]
    return row


def test_each_state_of_this_moment(office: Any) -> None:
    """Five agents scheduled open: at it, at other open work, on a break, unmapped, never heard of."""
    office.now_ms = office.ms("09:30")
    for agent in ("ana", "ben", "eva", "kim", "lou"):
        office.shift(agent, ("09:00", "17:00", "Open"))
    office.state("ana", "09:00", "AVAILABLE")
    office.state("ben", "09:00", "CONTACT_OTHER")
    office.state("eva", "09:00", "UNAVAILABLE:Break")
    office.state("kim", "09:00", "WRAPUP")
    body = office.get("rta")
    assert {row["agent_id"]: row["state"] for row in body["agents"]} == {
        "ana": "In", "ben": "OOA Open", "eva": "Severe OOA", "kim": "Not calculated", "lou": "Not calculated",
    }  # fmt: skip
    assert body["counts"] == {"In": 1, "OOA": 0, "OOA Open": 1, "Severe OOA": 1, "Not calculated": 2}
    assert (_row(office, "kim")["flags"], _row(office, "lou")["flags"]) == (["unmapped_event"], ["no_event"])
    office.now_ms = office.ms("17:10")
    assert _row(office, "ana")["state"] == "OOA"  # at work when nothing is scheduled


def test_how_long_an_agent_has_been_out(office: Any) -> None:
    """Break on time at 10:00; out since it should have ended, through a second reason, until back."""
    office.shift("ana", ("09:00", "10:00", "Open"), ("10:00", "10:15", "Break"), ("10:15", "17:00", "Open"))
    office.state("ana", "09:00", "AVAILABLE")
    office.state("ana", "10:00", "UNAVAILABLE:Break")
    office.state("ana", "10:25", "UNAVAILABLE:Lunch")
    office.now_ms = office.ms("10:10")
    assert _row(office, "ana")["out_since_ms"] is None
    office.now_ms = office.ms("10:30")
    row = _row(office, "ana")
    assert (row["state"], row["out_since_ms"], row["out_s"]) == ("Severe OOA", office.ms("10:15"), 900)
    assert (row["since_ms"], row["actual"], row["scheduled"]) == (office.ms("10:25"), "Lunch", "Open")
    office.state("ana", "10:31", "AVAILABLE")
    office.now_ms = office.ms("10:32")
    assert (_row(office, "ana")["state"], _row(office, "ana")["out_s"]) == ("In", None)


def test_an_event_stays_in_force_and_late_arrivals_do_not_undo_newer_ones(office: Any) -> None:
    """The state of 09:20 came before that of 09:10; the newer start is in force."""
    office.now_ms = office.ms("09:30")
    office.shift("ana", ("09:00", "17:00", "Open"))
    office.state("ana", "09:20", "AVAILABLE")
    office.state("ana", "09:10", "UNAVAILABLE:Break")
    assert _row(office, "ana")["state"] == "In"


def test_an_agent_nobody_planned_is_flagged(office: Any) -> None:
    """An ACD login id that no employee has."""
    office.state("stranger", "17:00", "AVAILABLE")
    row = _row(office, "stranger")
    assert (row["flags"], row["state"], row["agent_name"]) == (["unknown_login"], "OOA", "stranger")


_SUPPORT = {
    "queue_id": "Q1", "queue_name": "Support", "contacts_received": 10, "contacts_handled": 8, "contacts_abandoned": 2,
    "contacts_answered_in_sl": 6, "contacts_abandoned_in_sl": 1, "handle_time_s": 2000, "work_time_s": 160,
    "queue_delay_s": 120, "backlog": 3,
}  # fmt: skip


def test_skill_history_has_a_row_per_queue_and_interval_and_names_the_holes(office: Any) -> None:
    """AHT 2000 / 8 = 250, ASA 120 / 8 = 15, service level 6 / 10 = 60 %; 09:15 is missing."""
    office.report("queue", office.ms("09:00"), queue_report=[])
    office.report("queue", office.ms("09:00"), queue_report=[_SUPPORT])
    office.report(
        "queue", office.ms("09:30"), queue_report=[{**_SUPPORT, "contacts_handled": 0, "contacts_received": 0}]
    )
    body = office.get("history")
    first, second = body["rows"]
    assert (first["start_ms"], first["revision"], first["volume"]) == (office.ms("09:00"), 1, 10)
    assert (first["aht_s"], first["asa_s"], first["service_level"]) == (250, 15, 60)
    assert (second["aht_s"], second["service_level"]) == (None, None)
    assert (body["intervals_held"], body["intervals_missing_ms"]) == (2, [office.ms("09:15")])
    assert office.get("history", queue_id="Q2")["rows"] == []
    assert len(office.get("history", from_ms=office.ms("09:15"))["rows"]) == 1


def test_intraday_shows_actual_beside_forecast_for_the_whole_day(office: Any) -> None:
    """96 intervals; actual where a report is held, zeros where it has no row; the sums so far on both sides."""
    forecast = [
        {"queue_id": "Q1", "start_ms": office.ms("09:00"), "volume": 8, "aht_s": 200},
        {"queue_id": "Q1", "start_ms": office.ms("09:15"), "volume": 12, "aht_s": 300},
        {"queue_id": "Q1", "start_ms": office.ms("09:30"), "volume": 9, "aht_s": 300},
    ]
    office.plan(forecast=forecast)
    office.report("queue", office.ms("09:00"), queue_report=[_SUPPORT])
    office.report("queue", office.ms("09:15"), queue_report=[])
    body = office.get("intraday", day_ms=office.ms("12:00"))
    (queue,) = body["queues"]
    assert (body["day_ms"], queue["queue_name"], len(queue["intervals"])) == (office.ms("00:00"), "Support", 96)
    held, empty, to_come = queue["intervals"][36:39]
    assert (held["actual"]["volume"], held["actual"]["aht_s"], held["volume_deviation"]) == (10, 250, 2)
    assert (empty["actual"]["volume"], empty["actual"]["aht_s"], empty["volume_deviation"]) == (0, None, -12)
    assert (to_come["actual"], to_come["forecast"]["volume"]) == (None, 9)
    # forecast so far 8 + 12 = 20, at (8 * 200 + 12 * 300) / 20 = 260 s; actual 10: 50 % less
    assert queue["so_far"] == {
        "intervals": 2, "volume": 10, "forecast_volume": 20, "volume_deviation_percent": -50, "aht_s": 250,
        "forecast_aht_s": 260,
    }  # fmt: skip


def test_each_part_of_a_plan_is_replaced_alone(office: Any) -> None:
    """A new forecast leaves the shifts as they are."""
    office.shift("ana", ("09:00", "17:00", "Open"))
    answer = office.plan(forecast=[], method="category")
    assert answer == {"activities": 5, "mapping": 7, "agents": 1, "forecast": 0, "method": "category"}


@pytest.mark.parametrize(
    ("plan", "problem"),
    [
        ([], "JSON object"),
        ({"shifts": []}, "unknown 'shifts'"),
        ({"method": "feeling"}, "method"),
        ({"activities": [{"activity": "Logoff", "open": False}]}, "never scheduled"),
        ({"activities": [{"activity": "", "open": False}]}, "not empty"),
        ({"activities": 3}, "activities lacks something"),
        ({"mapping": [{"event_id": "A", "activity": "Open"}, {"event_id": "A", "activity": "Break"}]}, "mapped twice"),
        ({"agents": [{"agent_id": "a", "activities": [{"start_ms": 1, "end_ms": 2, "activity": "Nap"}]}]}, "'Nap'"),
        ({"agents": [{"agent_id": "a", "activities": [{"start_ms": 2, "end_ms": 2, "activity": "Open"}]}]}, "overlap"),
        (
            {"agents": [{"agent_id": "a", "activities": [{"start_ms": "1", "end_ms": 2, "activity": "Open"}]}]},
            "instant",
        ),
        ({"agents": [{"name": "a"}]}, "agents lacks something"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused_and_changes_nothing(office: Any, plan: Any, problem: str) -> None:
    """With 400 and a sentence."""
    office.shift("ana", ("09:00", "17:00", "Open"))
    answer = office.browser.post("/sim/schedule", json=plan)
    assert answer.status_code == 400
    assert problem in answer.json["problem"]
    assert office.plan()["agents"] == 1
