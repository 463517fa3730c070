"""Each kind of damage to a held report is found, is told by its own word, and by no other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from simulator.audit.reports import ReportFault

_QUARTER_MS = 900_000


def _only(verdict: Any, *faults: str) -> list[Any]:
    """The findings, after a look that there are none but these faults, broken identities aside."""
    assert not verdict.clean
    assert verdict.failures.keys() - {"broken_invariant"} == set(faults)
    return [finding for finding in verdict.findings if finding.fault is not ReportFault.BROKEN_INVARIANT]


def test_the_truth_itself_is_clean(case: Any) -> None:
    """Every interval, row and field is right, and the books say how many."""
    verdict = case.verdict()
    assert (verdict.clean, verdict.failures, verdict.findings) == (True, {}, ())
    counts = verdict.counts
    rows = sum(len(one[part]) for one in case.truth["intervals"] for part in (
        "report_data", "queue_report", "agent_queue_report", "agent_system_performance_report"
    ))  # fmt: skip
    assert (counts.reports, counts.intervals_held, counts.rows_right) == (16, 16, rows)
    assert counts.fields_judged > rows
    assert counts.invariants > 100


def test_nothing_expected_is_not_clean(case: Any) -> None:
    """A window without an interval proves nothing."""
    verdict = case.verdict(from_ms=case.truth["now_ms"])
    assert (verdict.clean, verdict.failures, verdict.counts.not_counted) == (False, {}, 16)


def test_a_missing_interval(case: Any) -> None:
    """No queue report of one interval: one finding, which says how many rows it would have had."""
    lost = case.held("queue", 3)
    rows = sum(len(case.rows(part)) for part in (
        "queue_report", "agent_queue_report", "agent_system_performance_report"
    ))  # fmt: skip
    case.reports.remove(lost)
    (finding,) = _only(case.verdict(), "missing_interval")
    assert (finding.kind, finding.expected, finding.interval) == ("queue", rows, "2026-01-05T08:45:00Z")


def test_an_empty_report_misses_every_row_but_not_the_interval(case: Any) -> None:
    """Empty arrays where something happened."""
    rows = case.rows("report_data")
    count = len(rows)
    rows.clear()
    assert len(_only(case.verdict(), "missing_row")) == count


@pytest.mark.parametrize(
    "part", ["report_data", "queue_report", "agent_queue_report", "agent_system_performance_report"]
)
def test_a_missing_row(case: Any, part: str) -> None:
    """One finding with the ids of the row."""
    row = case.rows(part).pop(1)
    (finding,) = _only(case.verdict(), "missing_row")
    assert finding.part == part
    assert {finding.ids.get("agent_id"), finding.ids.get("queue_id")} == {row.get("agentId"), row.get("queueId")}


@pytest.mark.parametrize("part", ["queue_report", "agent_queue_report", "agent_system_performance_report"])
def test_an_invented_row(case: Any, part: str) -> None:
    """A row of somebody or something that the truth does not have there."""
    name = "queueId" if part == "queue_report" else "agentId"
    case.rows(part).append({**case.rows(part)[0], name: "nobody"})
    (finding,) = _only(case.verdict(), "invented_row")
    assert finding.note == "nothing of the kind happened in this interval"


def test_a_row_of_zeros_is_invented(case: Any) -> None:
    """No row where everything is zero."""
    zeros = {name: 0 if isinstance(value, int) else value for name, value in case.rows("agent_queue_report")[0].items()}
    case.rows("agent_queue_report").append({**zeros, "agentId": "nobody"})
    (finding,) = _only(case.verdict(), "invented_row")
    assert finding.note == "a row where everything is zero"


@pytest.mark.parametrize(
    "part", ["report_data", "queue_report", "agent_queue_report", "agent_system_performance_report"]
)
def test_a_repeated_row(case: Any, part: str) -> None:
    """The same ids twice in one part."""
    case.rows(part).append(dict(case.rows(part)[0]))
    (finding,) = _only(case.verdict(), "repeated_row")
    assert finding.part == part


def test_a_row_in_the_wrong_interval_is_missing_there_and_invented_here(case: Any) -> None:
    """An activity booked one interval too late."""
    case.rows("report_data", 4).append(case.rows("report_data", 3).pop(0))
    found = _only(case.verdict(), "missing_row", "invented_row")
    assert sorted(finding.interval for finding in found) == ["2026-01-05T08:45:00Z", "2026-01-05T09:00:00Z"]


@pytest.mark.parametrize("part", ["queue_report", "agent_queue_report", "agent_system_performance_report"])
def test_every_wrong_number_is_a_wrong_field(case: Any, part: str) -> None:
    """One too many in each number in turn: expected, got and the difference of one."""
    row = next(row for row in case.rows(part) if any(row.values()))
    for name, value in row.items():
        if not isinstance(value, int | float):
            continue
        row[name] = value + 1
        (finding,) = _only(case.verdict(), "wrong_field")
        assert (finding.expected, finding.got, finding.part) == (value, value + 1, part)
        assert finding.difference == pytest.approx(1)
        row[name] = value


@pytest.mark.parametrize(
    ("wire", "change", "field", "difference"),
    [
        ("eventId", lambda value: "RESERVED" if value != "RESERVED" else "WRAPUP", "event_id", None),
        ("eventReason", lambda value: value + "?", "event_reason", None),
        ("duration", lambda value: value - 1, "duration_s", -1),
        ("endTime", lambda value: value.replace("2026", "2027"), "end_ms", 365 * 86_400_000),
        ("startTime", lambda value: value.replace("2026", "2025"), "start_ms", -365 * 86_400_000),
    ],
)
def test_each_wrong_part_of_an_activity_is_a_wrong_field(
    case: Any, wire: str, change: Callable[[Any], Any], field: str, difference: int | None
) -> None:
    """What is wrong is told of the activity that it belongs to, not as one missing and one invented."""
    row = case.rows("report_data")[2]
    row[wire] = change(row[wire])
    (finding,) = _only(case.verdict(), "wrong_field")
    assert (finding.field, finding.difference) == (field, difference)
    assert finding.ids["agent_id"] == row["agentId"]


def test_a_field_that_the_report_lacks_is_wrong_unless_it_is_optional(case: Any) -> None:
    """Without `workTime` the row is wrong; without `backlog`, which no one need send, it is judged by the rest."""
    row = case.rows("queue_report")[0]
    del row["backlog"], row["serviceLevel"], row["queueName"]
    assert case.verdict().clean
    del row["workTime"]
    (finding,) = _only(case.verdict(), "wrong_field")
    assert (finding.field, finding.got) == ("work_time_s", None)


def test_a_wrong_queue_name_is_a_wrong_field(case: Any) -> None:
    """The name is optional, but not any name will do."""
    case.rows("queue_report")[0]["queueName"] = "Elsewhere"
    (finding,) = _only(case.verdict(), "wrong_field")
    assert (finding.field, finding.difference) == ("queue_name", None)


def test_a_service_level_may_be_rounded_to_two_places(case: Any) -> None:
    """A hundredth is rounding, a tenth is not."""
    row = next(row for row in case.rows("queue_report") if 0 < row.get("serviceLevel", 0) < 100)
    row["serviceLevel"] += 0.005
    assert case.verdict().clean
    row["serviceLevel"] += 0.1
    _only(case.verdict(), "wrong_field")


def test_a_late_revision_wins(case: Any) -> None:
    """Wrong at first, right in the end: clean, with a revision; the other way round: wrong."""
    right = case.held("queue", 3)
    one = case.truth["intervals"][3]
    wrong = case.report("queue", one["start_ms"], one["end_ms"], {
        "queue_report": [], "agent_queue_report": [], "agent_system_performance_report": []
    })  # fmt: skip
    right["seq"], wrong["seq"] = 99, 98
    verdict = case.verdict()
    assert (verdict.clean, verdict.counts.revisions) == (True, 1)
    right["seq"], wrong["seq"] = 98, 99
    assert "missing_row" in case.verdict().failures


def test_an_unchanged_report_that_comes_again_is_repeated(case: Any) -> None:
    """A fault, unless answers were lost; back to an older content is a revision."""
    again = {**case.held("agent_activity", 3), "seq": 99}
    case.reports.append(again)
    (finding,) = _only(case.verdict(), "repeated")
    assert finding.seq == 99
    verdict = case.verdict(redelivery_allowed=True)
    assert (verdict.clean, verdict.counts.repeated) == (True, 1)


@pytest.mark.parametrize(
    ("shift_ms", "length_ms"), [(1_000, 900_000), (0, 1_800_000), (0, 899_000), (450_000, 900_000)]
)
def test_a_report_off_the_grid_is_unaligned(case: Any, shift_ms: int, length_ms: int) -> None:
    """A second late, half an hour long, an inclusive end, between two intervals."""
    start_ms = case.truth["intervals"][3]["start_ms"] + shift_ms
    case.report("agent_activity", start_ms, start_ms + length_ms, {"report_data": []})
    (finding,) = _only(case.verdict(), "unaligned")
    assert finding.kind == "agent_activity"


@pytest.mark.parametrize("damage", [{"startDate": "yesterday"}, {"reportData": None}, {"reportData": "none"}])
def test_a_report_that_cannot_be_read(case: Any, damage: dict[str, Any]) -> None:
    """No time, no rows, no list: unreadable, and with it the interval is missing."""
    case.held("agent_activity", 3)["body"].update(damage)
    _only(case.verdict(), "unreadable", "missing_interval")


def test_an_interval_that_was_not_over_is_invented(case: Any) -> None:
    """A report of the quarter of an hour to come."""
    start_ms = case.truth["to_ms"]
    case.report("agent_activity", start_ms, start_ms + _QUARTER_MS, {"report_data": []})
    _only(case.verdict(), "invented_interval")


def test_intervals_before_the_start_and_not_yet_due_do_not_count(case: Any) -> None:
    """Reports of them are not looked into, and need not be there."""
    first, last = case.truth["intervals"][0], case.truth["intervals"][-1]
    case.rows("report_data", 0).clear()
    case.reports.remove(case.held("queue", 7))
    verdict = case.verdict(from_ms=first["start_ms"] + 1, until_ms=last["end_ms"] + 59_999, delay_ms=60_000)
    assert (verdict.clean, verdict.counts.intervals_expected) == (True, 12)
    due = case.verdict(from_ms=first["start_ms"] + 1, until_ms=last["end_ms"] + 60_000, delay_ms=60_000)
    assert due.failures["missing_interval"] == 1


# -- what began before the connector


def test_exact_reports_are_clean_although_parts_could_not_be_known(late_case: Any) -> None:
    """Who finds out about the past by other means may say so."""
    verdict = late_case.verdict(from_ms=late_case.truth["known_from_ms"])
    assert (verdict.clean, verdict.counts.fields_approximate) == (True, 0)


def test_what_began_before_the_connector_may_be_left_out_or_told_in_part(late_case: Any) -> None:
    """Without the opening parts the reports are clean, and the books count the approximations."""
    rows_left = fields_less = 0
    for number, one in enumerate(late_case.truth["intervals"]):
        for part in ("queue_report", "agent_queue_report", "agent_system_performance_report"):
            wires = late_case.rows(part, number)
            for true, wire in zip(one[part], list(wires), strict=True):
                for name, amount in true.get("opening", {}).items():
                    field = {"handle_time_s": "handleTime", "contacts_handled": "contactsHandled"}.get(name)
                    if field is not None and number >= 2:
                        wire[field] -= amount
                        fields_less += 1
                if part == "agent_queue_report" and number >= 2 and not wire["contactsHandled"]:
                    wires.remove(wire)
                    rows_left += 1
    verdict = late_case.verdict(from_ms=late_case.truth["known_from_ms"])
    counts = verdict.counts
    assert rows_left > 0 < fields_less
    assert verdict.failures.keys() <= {"broken_invariant"}
    assert (counts.rows_left_out, counts.fields_approximate > 0) == (rows_left, True)


def test_ringing_before_the_connector_may_pass_for_talk_and_no_more(late_case: Any) -> None:
    """Handle time up to the true one and the ringing of what began before is approximate; a second more is wrong."""
    number, index, true = next(
        (number, index, row) for number, one in enumerate(late_case.truth["intervals"]) if number >= 2
        for index, row in enumerate(one["agent_queue_report"])
        if row.get("opening_more", {}).get("handle_time_s", 0) > 0
    )  # fmt: skip
    known_ms = late_case.truth["known_from_ms"]
    row = late_case.rows("agent_queue_report", number)[index]
    row["handleTime"] = true["handle_time_s"] + true["opening_more"]["handle_time_s"]
    assert late_case.verdict(from_ms=known_ms).failures.keys() <= {"broken_invariant"}
    row["handleTime"] += 1
    (finding,) = _only(late_case.verdict(from_ms=known_ms), "wrong_field")
    assert (finding.field, finding.expected) == ("handle_time_s", true["handle_time_s"])


def test_an_opening_activity_may_start_at_the_connectors_start_and_must_end_at_its_end(late_case: Any) -> None:
    """Its duration goes with the start it states; a start after the connector's is wrong."""
    known_ms = late_case.truth["known_from_ms"]
    index, true = next(
        (index, row) for index, row in enumerate(late_case.truth["intervals"][2]["report_data"])
        if row["start_ms"] < known_ms - 60_000
    )  # fmt: skip
    row = late_case.rows("report_data", 2)[index]
    end_s = true["end_ms"] // 1000
    row["startTime"], row["duration"] = "2026-01-05T08:30:00Z", end_s - known_ms // 1000
    verdict = late_case.verdict(from_ms=known_ms)
    assert (verdict.clean, verdict.counts.fields_approximate) == (True, 1)
    row["startTime"], row["duration"] = "2026-01-05T08:30:05Z", end_s - known_ms // 1000 - 5
    # It ends where the true one does, so it is told as that one with a wrong start and a wrong duration.
    found = _only(late_case.verdict(from_ms=known_ms), "wrong_field")
    assert {finding.field for finding in found} == {"start_ms", "duration_s"}
    del late_case.rows("report_data", 2)[index]
    verdict = late_case.verdict(from_ms=known_ms)
    assert (verdict.clean, verdict.counts.rows_left_out) == (True, 1)


# -- identities


def test_what_is_wrong_in_a_row_breaks_the_sums_of_the_day(case: Any) -> None:
    """One more handled contact: the day's sum, the whole stretch, the balance and the agents' shares say so."""
    case.rows("queue_report")[0]["contactsHandled"] += 1
    verdict = case.verdict()
    broken = [finding for finding in verdict.findings if finding.fault is ReportFault.BROKEN_INVARIANT]
    rules = {finding.note.split(":")[0] for finding in broken}
    assert rules == {
        "the sum of the day", "received = handled + abandoned + diverted", "the agents' shares add up to the queue's",
    }  # fmt: skip
    assert len(broken) == 4  # the sum of the day is that of the stretch too
    assert all(abs(finding.difference) == 1 for finding in broken)


def test_login_is_ready_idle_and_busy(case: Any) -> None:
    """Login off by a minute against the others."""
    case.rows("agent_system_performance_report")[0]["loginTime"] -= 60
    notes = [one.note for one in case.verdict().findings if one.fault is ReportFault.BROKEN_INVARIANT]
    assert any(note.startswith("login = ready + idle + busy") for note in notes)


def test_findings_may_be_cut_but_counts_are_not(case: Any) -> None:
    """Three of many kept."""
    rows = case.rows("report_data")
    count = len(rows)
    rows.clear()
    verdict = case.verdict(max_findings=3)
    assert (len(verdict.findings), verdict.counts.missing_row) == (3, count)
    assert verdict.to_dict()["failures"] == {"missing_row": count}
