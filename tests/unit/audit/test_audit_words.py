"""Each word of the verdict, by the smallest floor that shows it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from audit_bench import CALL, T0, Codes, judge, rows, truth

from simulator.audit import Fault, Window, audit, read_planned, read_rows, read_truth


def test_exact_delivery_is_clean() -> None:
    """Every state told once, in order, is a clean run, and all of it is counted as delivered."""
    verdict = judge(truth(*CALL), rows(*CALL))
    assert verdict.clean
    assert (verdict.counts.expected, verdict.counts.delivered, verdict.counts.rows) == (5, 5, 5)


def test_milliseconds_are_truncated_on_both_sides() -> None:
    """A row whose start lost its milliseconds tells the state; one that was rounded up does not."""
    happened = truth((0, "AVAILABLE"), (60.9, "RESERVED"))
    assert judge(happened, rows((0, "AVAILABLE"), (60, "RESERVED"))).clean
    assert judge(happened, rows((0, "AVAILABLE"), (61, "RESERVED"))).failures == {"wrong": 1}


def test_missing() -> None:
    """A state of three seconds or more that no row tells is missing, with its cause and neighbours."""
    verdict = judge(truth(*CALL), rows(*CALL[:3], CALL[4]))
    assert verdict.failures == {"missing": 1}
    (finding,) = verdict.findings
    assert finding.fault is Fault.MISSING
    assert finding.expected is not None
    assert finding.expected["event_id"] == "WRAPUP"
    assert finding.causes[0] == "EV3"
    assert [state["event_id"] for state in finding.near_truth] == [
        "RESERVED", "CONTACT_VOICE", "WRAPUP", "AVAILABLE",
    ]  # fmt: skip
    assert [row["event_id"] for row in finding.near_rows] == ["AVAILABLE", "RESERVED", "CONTACT_VOICE", "AVAILABLE"][
        -4:
    ]


@pytest.mark.parametrize("lasts_s", [0, 0.001, 1, 2.999])
def test_a_short_state_may_be_left_out_or_told(lasts_s: float) -> None:
    """A state shorter than three seconds is no fault either way, and is counted when it is left out."""
    happened = truth((0, "AVAILABLE"), (60, "RESERVED"), (60 + lasts_s, "CONTACT"))
    told = judge(happened, rows((0, "AVAILABLE"), (60, "RESERVED"), (60 + lasts_s, "CONTACT")))
    left_out = judge(happened, rows((0, "AVAILABLE"), (60 + lasts_s, "CONTACT")))
    assert (told.clean, told.counts.skipped_short) == (True, 0)
    assert (left_out.clean, left_out.counts.skipped_short) == (True, 1)


def test_a_state_of_exactly_three_seconds_is_demanded() -> None:
    """Three seconds is long enough to be demanded."""
    happened = truth((0, "AVAILABLE"), (60, "RESERVED"), (63, "CONTACT"))
    assert judge(happened, rows((0, "AVAILABLE"), (63, "CONTACT"))).failures == {"missing": 1}


def test_the_state_after_a_skipped_short_one_may_be_absorbed() -> None:
    """When a short interruption was left out, the same state behind it need not be told again, but may be."""
    happened = truth((0, "AVAILABLE"), (60, "RESERVED"), (61, "AVAILABLE"), (100, "WRAPUP"))
    silent = judge(happened, rows((0, "AVAILABLE"), (100, "WRAPUP")))
    assert (silent.clean, silent.counts.absorbed) == (True, 1)
    assert judge(happened, rows((0, "AVAILABLE"), (61, "AVAILABLE"), (100, "WRAPUP"))).clean


def test_the_state_after_a_told_short_one_is_demanded() -> None:
    """When the short interruption was told, the WFM holds it, so the state behind it must follow."""
    happened = truth((0, "AVAILABLE"), (60, "RESERVED"), (61, "AVAILABLE"), (100, "WRAPUP"))
    verdict = judge(happened, rows((0, "AVAILABLE"), (60, "RESERVED"), (100, "WRAPUP")))
    assert verdict.failures == {"missing": 1}


def test_the_state_after_a_missing_one_is_missing_too() -> None:
    """A long interruption that was swallowed does not excuse the same state behind it."""
    happened = truth((0, "AVAILABLE"), (60, "RESERVED"), (70, "AVAILABLE"), (100, "WRAPUP"))
    assert judge(happened, rows((0, "AVAILABLE"), (100, "WRAPUP"))).failures == {"missing": 2}


def test_the_state_after_a_falsely_told_short_one_is_demanded() -> None:
    """A short state told with another pair leaves the WFM with a lie, so the state behind it must follow."""
    happened = truth((0, "AVAILABLE"), (60, "RESERVED"), (61, "AVAILABLE"))
    assert judge(happened, rows((0, "AVAILABLE"), (60, "WRAPUP"))).failures == {"missing": 1, "wrong": 1}


def test_the_last_state_is_open_and_always_demanded() -> None:
    """The truth's last state is never short, however late in the run it began."""
    happened = truth((0, "AVAILABLE"), (60, "RESERVED"))
    assert judge(happened, rows((0, "AVAILABLE")), until_s=60).failures == {"missing": 1}


def test_wrong_pair() -> None:
    """A row at the right time with another event id is wrong, and the state it hides is not missing besides."""
    verdict = judge(truth(*CALL), rows(*CALL[:2], (70, "WRAPUP"), *CALL[3:]))
    assert verdict.failures == {"wrong": 1}
    assert verdict.findings[0].expected is not None
    assert verdict.findings[0].expected["event_id"] == "CONTACT_VOICE"
    assert verdict.findings[0].got is not None
    assert verdict.findings[0].got["event_id"] == "WRAPUP"


def test_wrong_reason() -> None:
    """The reason is part of the state: the right event id with another reason is wrong."""
    happened = truth((0, "AVAILABLE"), (60, "UNAVAILABLE:Lunch"))
    assert judge(happened, rows((0, "AVAILABLE"), (60, "UNAVAILABLE:Break"))).failures == {"wrong": 1}


def test_wrong_start() -> None:
    """A row with the right state and another start is wrong, once."""
    assert judge(truth(*CALL), rows(*CALL[:2], (95, "CONTACT"), *CALL[3:])).failures == {"wrong": 1}


def test_a_second_start_for_a_told_state_is_wrong() -> None:
    """A snapshot that gives the state in force a later start than it had is wrong, not a repeat."""
    verdict = judge(truth(*CALL), rows(*CALL[:3], (100, "CONTACT"), *CALL[3:]))
    assert verdict.failures == {"wrong": 1}
    assert verdict.findings[0].expected is None


def test_invented() -> None:
    """A row for a state the agent was not in is invented."""
    verdict = judge(truth(*CALL), rows(*CALL[:3], (100, "WRAPUP"), *CALL[3:]))
    assert verdict.failures == {"invented": 1}
    assert [row["event_id"] for row in verdict.findings[0].near_rows][2] == "WRAPUP"


def test_repeated_is_no_fault() -> None:
    """The newest state told again is a repeat, and repeats are counted but forgiven."""
    verdict = judge(truth(*CALL), rows(*CALL[:3], CALL[2], CALL[2], *CALL[3:]))
    assert verdict.clean
    assert (verdict.counts.repeated, verdict.counts.duplicated, verdict.counts.delivered) == (2, 2, 5)


def test_out_of_order() -> None:
    """An older state after a newer one is out of order; it was told, so it is not missing as well."""
    verdict = judge(truth(*CALL), rows(CALL[0], CALL[2], CALL[1], *CALL[3:]))
    assert verdict.failures == {"out_of_order": 1}
    assert (verdict.counts.late_first, verdict.counts.delivered) == (1, 5)


def test_a_duplicate_of_an_older_state_is_out_of_order() -> None:
    """An older state told again after a newer one is a duplicate that fails."""
    verdict = judge(truth(*CALL), rows(*CALL[:3], CALL[1], *CALL[3:]))
    assert verdict.failures == {"out_of_order": 1}
    assert (verdict.counts.duplicated, verdict.counts.late_first) == (1, 0)


def test_a_redelivered_request_is_forgiven_only_when_allowed() -> None:
    """A whole request that comes again after a crash is counted apart, and fails where no crash was arranged."""
    again = [
        replace(row, seq=10 + number, request=99, accepted_s=1000.0)
        for number, row in enumerate(rows(CALL[1], CALL[2], CALL[3]))
    ]
    delivered = [*rows(*CALL[:4]), *again, *rows(CALL[4], first_seq=20)]
    strict, crashed = judge(truth(*CALL), delivered), judge(truth(*CALL), delivered, redelivery_allowed=True)
    assert strict.failures == {"out_of_order": 2}
    assert (crashed.clean, crashed.counts.redelivered, crashed.counts.repeated) == (True, 2, 1)


def test_a_redelivered_request_must_end_with_the_newest_state() -> None:
    """Redelivery that leaves the WFM with an older state is out of order even when redelivery is allowed."""
    again = [replace(row, seq=10, request=99) for row in rows(CALL[1])]
    verdict = judge(truth(*CALL), [*rows(*CALL[:4]), *again, *rows(CALL[4], first_seq=20)], redelivery_allowed=True)
    assert verdict.failures == {"out_of_order": 1}


def test_an_agent_never_delivered() -> None:
    """An agent without a single row misses every state that was demanded, and is counted."""
    verdict = judge([truth(*CALL), truth(*CALL, agent_id="WK2")], rows(*CALL))
    assert verdict.failures == {"missing": 5}
    assert verdict.counts.agents_without_rows == 1
    assert {finding.agent_id for finding in verdict.findings} == {"WK2"}


def test_unknown_agent() -> None:
    """A row of an agent the truth does not know fails the run."""
    assert judge(truth(*CALL), [*rows(*CALL), *rows(CALL[0], agent_id="WK9", first_seq=50)]).failures == {
        "unknown_agent": 1
    }


def test_unreadable_start() -> None:
    """A row whose start is no time is a fault of its own and tells nothing."""
    broken = replace(rows(CALL[1])[0], start_ms=None, start_text="soon", seq=2)
    verdict = judge(truth(*CALL), [*rows(CALL[0]), broken, *rows(*CALL[2:], first_seq=3)])
    assert verdict.failures == {"missing": 1, "unreadable": 1}


def test_neighbours_with_the_same_pair_are_one_state() -> None:
    """Two states of the model that the profile gives the same pair are one state of the WFM."""
    happened = truth((0, "AVAILABLE"), (60, "CONTACT"), (90, "CONTACT"), (120, "WRAPUP"))
    verdict = judge(happened, rows((0, "AVAILABLE"), (60, "CONTACT"), (120, "WRAPUP")))
    assert (verdict.clean, verdict.counts.states) == (True, 3)


def test_the_same_state_twice_within_a_second() -> None:
    """Where a pair comes back within one second, rows are matched so that a faultless run stays faultless."""
    happened = truth((0, "WRAPUP"), (60.1, "AVAILABLE"), (60.4, "RESERVED"), (60.8, "AVAILABLE"))
    flicker = ((0, "WRAPUP"), (60.1, "AVAILABLE"), (60.4, "RESERVED"), (60.8, "AVAILABLE"))
    with_repeat = rows(*flicker[:2], flicker[1], *flicker[2:])
    assert judge(happened, rows(*flicker)).clean
    assert judge(happened, with_repeat).clean
    assert judge(happened, with_repeat).counts.repeated == 1
    assert judge(happened, rows(flicker[0], flicker[1])).clean
    assert judge(happened, rows(*flicker[:3])).failures == {"missing": 1}


def test_nothing_expected_is_not_clean() -> None:
    """An audit that had nothing to demand proves nothing, so it is not clean."""
    assert not judge([], []).clean


def test_latency_counts_from_the_planned_callback() -> None:
    """Latency runs from the cause's planned callback to acceptance; the first state has no callback and no latency."""
    happened = truth((0, "AVAILABLE"), (1, "RESERVED"), (2, "CONTACT"), (3, "WRAPUP"))
    verdict = judge(happened, rows((0, "AVAILABLE"), (1, "RESERVED"), (2, "CONTACT"), (3, "WRAPUP")))
    assert verdict.latency is not None
    assert (verdict.latency.count, verdict.latency.p50_ms, verdict.latency.max_ms) == (3, 500.0, 500.0)


def test_percentiles_are_nearest_rank() -> None:
    """Of one hundred delays the 95th smallest is p95 and the largest is max."""
    happened = truth(*((number * 10, "AVAILABLE" if number % 2 else "WRAPUP") for number in range(41)))
    delivered = [
        replace(row, accepted_s=number + number / 100)
        for number, row in enumerate(rows(*((n * 10, "AVAILABLE" if n % 2 else "WRAPUP") for n in range(41))))
    ]
    latency = judge(happened, delivered).latency
    assert latency is not None
    assert (latency.p50_ms, latency.p95_ms, latency.p99_ms, latency.max_ms) == (200.0, 380.0, 400.0, 400.0)


def test_a_truth_that_runs_backwards_is_refused() -> None:
    """The audit does not judge by a truth that is no timeline."""
    with pytest.raises(ValueError, match="runs backwards"):
        judge(truth((60, "AVAILABLE"), (0, "RESERVED")), [])


def test_the_readers_take_the_control_faces_shapes() -> None:
    """Truth, emissions and inbox are read from the JSON the control faces serve."""
    agents = read_truth(
        {
            "agents": [
                {
                    "worker_sid": "WK1",
                    "name": "Ana",
                    "states": [
                        {"start_ms": T0, "state": "AVAILABLE", "channel": None, "direction": None, "reason": "",
                         "cause_sid": None},
                        {"start_ms": T0 + 5000, "state": "CONTACT", "channel": "chat", "direction": "inbound",
                         "reason": "", "cause_sid": "EV1"},
                    ],
                }
            ]
        }
    )  # fmt: skip
    inbox = [
        {"seq": 2, "accepted_s": 9.25, "request": 2, "agent_id": "WK1", "agent_value": "Ana",
         "event_id": "CONTACT_CHAT", "event_reason": "", "start_time": str(T0 + 5000)},
        {"seq": 1, "accepted_s": 1.0, "request": 1, "agent_id": "WK1", "agent_value": "Ana",
         "event_id": "AVAILABLE", "event_reason": "", "start_time": str(T0)},
    ]  # fmt: skip
    planned = read_planned({"callbacks": [{"sid": "EV1", "planned_s": 9.0}, {"sid": "EV1", "planned_s": 9.2}]})
    verdict = audit(agents, read_rows(inbox, Codes()), codes=Codes(), window=Window(from_ms=T0), planned=planned)
    assert verdict.clean
    assert verdict.latency is not None
    assert verdict.latency.max_ms == 250.0
    assert json.loads(json.dumps(verdict.to_dict()))["counts"]["delivered"] == 2
