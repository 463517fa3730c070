"""Adherence of the past: per cent, hours, spans and CSV, worked out by hand."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from simulator.wfm.adherence import RtaState, compare
from simulator.wfm.schedule import ActivityCode, Schedule

_FIGURES = ("scheduled_s", "in_adherence_s", "out_of_adherence_s", "worked_s")


def _one(office: Any, agent: str = "ana", **query: Any) -> Any:
    (found,) = office.get("adherence", agent_id=agent, **query)["agents"]
    return found


def test_nices_example(office: Any) -> None:
    """Scheduled 09:00 to 17:00, worked 09:30 to 17:30: all conformance, not all adherence."""
    office.shift("ana", ("09:00", "17:00", "Open"))
    office.did("ana", ("09:30", "17:30", "AVAILABLE"))
    found = _one(office)
    # in: 09:30..17:00 = 7.5 of 8 h = 93.75 %; worked 8 h, of 8 h scheduled
    assert [found[name] for name in _FIGURES] == [28_800, 27_000, 1_800, 28_800]
    assert (found["in_adherence_percent"], found["out_of_adherence_percent"]) == (93.75, 6.25)
    assert found["conformance_percent"] == 100.0
    early = _one(office, from_ms=office.ms("09:00"), to_ms=office.ms("09:20"))
    assert early["in_adherence_s"] == 0
    next_20_minutes = _one(office, from_ms=office.ms("09:20"), to_ms=office.ms("09:40"))
    assert next_20_minutes["in_adherence_s"] == 600


def test_hours_of_the_shift(office: Any) -> None:
    """An hour worked while nothing was scheduled has no conformance."""
    office.shift("ana", ("09:00", "11:00", "Open"))
    office.did("ana", ("09:15", "11:30", "AVAILABLE"))
    hours = _one(office)["hours"]
    assert [(hour["start_ms"] - office.ms("00:00")) // 3_600_000 for hour in hours] == [9, 10, 11]
    assert [hour["in_adherence_percent"] for hour in hours] == [75.0, 100.0, None]
    assert [hour["conformance_percent"] for hour in hours] == [75.0, 100.0, None]
    assert [hour["worked_s"] for hour in hours] == [2700, 3600, 1800]


def test_spans_out_of_adherence_name_schedule_and_reality(office: Any) -> None:
    """Late, on a break too long, in training instead of lunch, and at work after the end."""
    office.shift("ana", ("09:00", "10:00", "Open"), ("10:00", "10:15", "Break"), ("10:15", "12:00", "Open"),
                 ("12:00", "12:30", "Lunch"))  # fmt: skip
    office.did(
        "ana", ("09:05", "10:00", "AVAILABLE"), ("10:00", "10:20", "UNAVAILABLE:Break"),
        ("10:20", "12:00", "AVAILABLE"), ("12:00", "12:30", "UNAVAILABLE:Training"),
        ("12:30", "12:40", "CONTACT_VOICE"),
    )  # fmt: skip
    spans = _one(office)["out_spans"]
    assert [(span["state"], span["scheduled"], span["actual"], span["duration_s"]) for span in spans] == [
        ("Severe OOA", "Open", "Logoff", 300),
        ("Severe OOA", "Open", "Break", 300),
        ("OOA", "Lunch", "Training", 1800),
        ("OOA", None, "Open", 600),
    ]
    assert spans[3]["event_id"] == "CONTACT_VOICE"


def test_neighbouring_events_of_one_activity_are_one_span_of_adherence(office: Any) -> None:
    """Available and talking are both open work: nothing out, whatever the number of rows."""
    office.shift("ana", ("09:00", "10:00", "Open"))
    office.did(
        "ana", ("09:00", "09:20", "AVAILABLE"), ("09:20", "09:40", "CONTACT_VOICE"), ("09:40", "10:00", "AVAILABLE")
    )
    found = _one(office)
    assert (found["in_adherence_percent"], found["out_spans"]) == (100.0, [])


def test_an_unmapped_event_is_not_calculated(office: Any) -> None:
    """Neither in nor out, but worked."""
    office.shift("ana", ("09:00", "10:00", "Open"))
    office.did("ana", ("09:00", "09:30", "AVAILABLE"), ("09:30", "10:00", "WRAPUP"))
    found = _one(office)
    assert (found["in_adherence_s"], found["out_of_adherence_s"], found["not_calculated_s"]) == (1800, 0, 1800)
    assert found["conformance_percent"] == 100.0


def test_where_no_report_is_held_nothing_is_known(office: Any) -> None:
    """Reports from 09:30 on: the half hour before is not calculated, the silence after is being logged off."""
    office.shift("ana", ("09:00", "10:00", "Open"))
    office.did("ana", ("09:45", "10:00", "AVAILABLE"), day=("09:30", "10:15"))
    found = _one(office)
    assert (found["not_calculated_s"], found["out_of_adherence_s"], found["in_adherence_s"]) == (1800, 900, 900)


def test_what_has_not_completed_comes_from_the_real_time_states(office: Any) -> None:
    """At 09:50 Ana has been available since 09:10, of which no report can tell yet."""
    office.now_ms = office.ms("09:50")
    office.shift("ana", ("09:00", "17:00", "Open"))
    office.did("ana", ("09:00", "09:10", "UNAVAILABLE:Break"), day=("00:00", "09:45"))
    office.state("ana", "09:00", "UNAVAILABLE:Break")
    office.state("ana", "09:10", "AVAILABLE")
    found = _one(office)
    # scheduled 50 minutes so far, 10 of them on a break
    assert (found["scheduled_s"], found["in_adherence_s"], found["out_of_adherence_s"]) == (3000, 2400, 600)


def test_the_newest_report_of_an_interval_counts(office: Any) -> None:
    """A revision takes away what the first one said."""
    office.shift("ana", ("09:00", "09:15", "Open"))
    office.did("ana", ("09:00", "09:15", "AVAILABLE"))
    office.report("agent_activity", office.ms("09:15"), report_data=[])
    assert _one(office)["in_adherence_s"] == 0


def test_csv_of_hours_and_of_spans(office: Any) -> None:
    """One line per hour or span, times in UTC; a name that a spreadsheet would compute is defused."""
    office.planned.append({"agent_id": "ana", "name": "=Ana", "activities": [
        {"start_ms": office.ms("09:00"), "end_ms": office.ms("10:00"), "activity": "Open"}]})  # fmt: skip
    office.plan(agents=office.planned)
    office.did("ana", ("09:15", "10:00", "AVAILABLE"))
    (hour,) = csv.DictReader(io.StringIO(office.get("adherence.csv")))
    assert (hour["agent_name"], hour["start_utc"], hour["end_utc"]) == (
        "'=Ana", "2026-03-02 09:00:00", "2026-03-02 10:00:00",
    )  # fmt: skip
    assert (hour["in_adherence_percent"], hour["conformance_percent"]) == ("75.0", "75.0")
    (span,) = csv.DictReader(io.StringIO(office.get("adherence.csv", rows="spans")))
    assert (span["state"], span["actual"], span["duration_s"]) == ("Severe OOA", "Logoff", "900")
    assert office.browser.get("/sim/wfm/adherence.csv?rows=all").status_code == 400


def _schedule(*, by_category: bool = False) -> Schedule:
    codes = [
        ActivityCode("Open", True, "Work"), ActivityCode("Mail", True), ActivityCode("Break", False, "Pause"),
        ActivityCode("Lunch", False, "Pause"), ActivityCode("Training", False),
    ]  # fmt: skip
    return Schedule(codes={code.name: code for code in codes}, by_category=by_category)


@pytest.mark.parametrize(
    ("scheduled", "actual", "by_activity", "by_category"),
    [
        ("Open", "Open", "In", "In"),
        ("Open", "Mail", "OOA Open", "OOA"),  # Mail has no category, Open has
        ("Open", "Break", "Severe OOA", "Severe OOA"),
        ("Open", "Logoff", "Severe OOA", "Severe OOA"),
        ("Open", "Login", "In", "In"),
        ("Mail", "Training", "Severe OOA", "Severe OOA"),  # neither has a category: by activity
        ("Break", "Break", "In", "In"),
        ("Break", "Lunch", "OOA", "In"),  # one category
        ("Break", "Open", "OOA", "OOA"),
        ("Break", "Login", "OOA", "OOA"),
        ("Break", "Logoff", "OOA", "OOA"),
        ("Training", "Training", "In", "In"),
        (None, "Open", "OOA", "OOA"),
        (None, "Logoff", "In", "In"),
        (None, "Login", "In", "In"),
        (None, None, "Not calculated", "Not calculated"),
        ("Open", None, "Not calculated", "Not calculated"),
    ],
)
def test_the_states_of_adherence(scheduled: str | None, actual: str | None, by_activity: str, by_category: str) -> None:
    """Every pair of scheduled and actual activity that the rules tell apart, by both methods."""
    assert compare(_schedule(), scheduled, actual) is RtaState(by_activity)
    assert compare(_schedule(by_category=True), scheduled, actual) is RtaState(by_category)
