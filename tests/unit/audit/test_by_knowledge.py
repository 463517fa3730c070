"""Rows judged by what was known when they came: exact where events are late, doubled, swapped or lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pytest
from audit_bench import T0, Codes, rows, truth

from simulator.audit import TruthAgent, Verdict, Window
from simulator.audit.belief import Catalogue
from simulator.audit.by_knowledge import KnowledgeAudit

CATALOGUE = Catalogue(
    {"WA1": ("Offline", False), "WA2": ("Available", True), "WA3": ("Break", False)}, offline_sid="WA1"
)
VOICE = {"task_attributes": '{"direction": "inbound"}', "task_channel_unique_name": "voice", "task_sid": "WT1"}


@dataclass(frozen=True)
class Event:
    """What the floor logs, with seconds counted from T0."""

    type: str
    at_s: float
    more: Mapping[str, str]
    worker_sid: str = "WK1"
    task_sid: str = ""

    @property
    def ms(self) -> int:
        return T0 + round(self.at_s * 1000)

    def data(self) -> Mapping[str, str]:
        return self.more


def activity(at_s: float, to: str, version: int, before: str = "", lasted_s: float = 0) -> Event:
    """The agent changes activity."""
    more = {"worker_activity_sid": to, "worker_version": str(version)}
    if before:
        more |= {
            "worker_previous_activity_sid": before,
            "worker_time_in_previous_activity_ms": str(round(lasted_s * 1000)),
        }
    return Event("worker.activity.update", at_s, more)


def step(kind: str, at_s: float, now_in: str = "WA2", version: int = 1) -> Event:
    """A step of the one reservation."""
    worker = {"worker_activity_sid": now_in, "worker_version": str(version)}
    return Event(f"reservation.{kind}", at_s, {**VOICE, **worker, "reservation_sid": "WR1"})


def task_ended(at_s: float) -> Event:
    """The task is completed."""
    return Event("task.completed", at_s, {}, worker_sid="", task_sid="WT1")


class Run:
    """One agent, available from the start; each call is one instant."""

    def __init__(self) -> None:
        self.audit = KnowledgeAudit(Codes(), CATALOGUE, Window(from_ms=T0))
        self.audit.open("WK1", "Ana", "WA2", T0)
        self.seq = 0

    def at(self, now_s: float, *learned: Event, told: Iterable[tuple[float, str]] = ()) -> Run:
        """At this second the connector learns these, and tells those."""
        self.audit.learn(learned, T0 + round(now_s * 1000))
        found = rows(*told, first_seq=self.seq + 1)
        self.seq += len(found)
        self.audit.look(found, T0 + round(now_s * 1000))
        return self

    def end(self, happened: TruthAgent, now_s: float = 10_000) -> Verdict:
        """Everything has come."""
        now_ms = T0 + round(now_s * 1000)
        self.audit.settle([happened], now_ms, now_ms)
        return self.audit.verdict(now_ms)


CALL = truth((0, "AVAILABLE"), (60, "RESERVED"), (70, "CONTACT"), (300, "WRAPUP"), (330, "AVAILABLE"))


def until_answered() -> Run:
    """The call up to the answer, in order."""
    run = Run().at(0, told=[(0, "AVAILABLE")])
    return run.at(60, step("created", 60), told=[(60, "RESERVED")]).at(70, step("accepted", 70), told=[(70, "CONTACT")])


def test_a_run_in_order_is_the_truth() -> None:
    """Each state is told when its event comes, and all of them are true."""
    run = until_answered().at(300, step("wrapup", 300), told=[(300, "WRAPUP")])
    run.at(330, step("completed", 330), told=[(330, "AVAILABLE")])
    verdict = run.end(CALL)
    assert verdict.clean
    assert (verdict.counts.delivered, verdict.counts.overtaken, verdict.counts.believed) == (5, 0, 0)


def test_a_state_that_becomes_known_after_a_later_one_is_not_to_be_told() -> None:
    """The wrap-up comes after the completion: the WFM keeps the present, and nothing is missing."""
    run = until_answered().at(330, step("completed", 330), told=[(330, "AVAILABLE")])
    verdict = run.at(400, step("wrapup", 300)).end(CALL)
    assert verdict.clean
    assert (verdict.counts.delivered, verdict.counts.overtaken) == (4, 1)


def test_telling_it_all_the_same_is_out_of_order() -> None:
    """The WFM would take the old state for the present."""
    run = until_answered().at(330, step("completed", 330), told=[(330, "AVAILABLE")])
    run.at(400, step("wrapup", 300), told=[(300, "WRAPUP")])
    assert run.end(CALL).failures == {"out_of_order": 1}


def test_states_that_become_known_together_are_told_together() -> None:
    """The wrap-up is late but the completion has not come yet either: both are told, in order."""
    run = until_answered().at(
        400, step("completed", 330), step("wrapup", 300), told=[(300, "WRAPUP"), (330, "AVAILABLE")]
    )
    assert run.end(CALL).clean


@pytest.mark.parametrize(
    ("told", "faults"),
    [
        ([(330, "AVAILABLE")], {"missing": 1}),
        ([(300, "WRAPUP")], {"missing": 1}),
        ([], {"missing": 2}),
        ([(330, "AVAILABLE"), (300, "WRAPUP")], {"missing": 1, "out_of_order": 1}),
        ([(300, "WRAPUP"), (330, "AVAILABLE"), (330, "UNAVAILABLE:Break")], {"invented": 1}),
        ([(301, "WRAPUP"), (330, "AVAILABLE")], {"missing": 1, "invented": 1}),
    ],
)
def test_what_is_known_must_be_told_exactly(told: list[tuple[float, str]], faults: dict[str, int]) -> None:
    """Left out, turned round, made up or shifted: each is a fault, although the events were late."""
    run = until_answered().at(400, step("completed", 330), step("wrapup", 300), told=told)
    assert run.audit.failures == faults


def test_nobody_may_know_what_was_not_told_him() -> None:
    """A true state whose event is still on its way is invented."""
    run = until_answered().at(310, told=[(300, "WRAPUP")])
    assert run.audit.failures == {"invented": 1}


def test_a_false_belief_is_told_and_corrected() -> None:
    """An offer whose withdrawal is on its way counts until that comes; then the true present is told."""
    happened = truth(
        (0, "AVAILABLE"), (60, "RESERVED"), (80, "AVAILABLE"), (200, "UNAVAILABLE:Break"), (300, "AVAILABLE")
    )
    run = Run().at(0, told=[(0, "AVAILABLE")]).at(60, step("created", 60), told=[(60, "RESERVED")])
    run.at(200, activity(200, "WA3", 2, "WA2", 200)).at(300, activity(300, "WA2", 3, "WA3", 100))
    run.at(900, step("canceled", 80), told=[(80, "AVAILABLE"), (200, "UNAVAILABLE:Break"), (300, "AVAILABLE")])
    verdict = run.end(happened)
    assert verdict.clean
    assert verdict.counts.delivered == 5


def test_a_state_that_never_was_is_followed_by_the_present() -> None:
    """Back in the waiting offer after another state: told as believed, and taken back when it proves wrong."""
    happened = truth((0, "AVAILABLE"), (60, "RESERVED"), (80, "AVAILABLE"), (100, "UNAVAILABLE:Break"))
    run = Run().at(0, told=[(0, "AVAILABLE")]).at(60, step("created", 60), told=[(60, "RESERVED")])
    run.at(100, activity(100, "WA3", 2, "WA2", 100))
    run.at(900, step("canceled", 80), told=[(80, "AVAILABLE"), (100, "UNAVAILABLE:Break")])
    assert run.end(happened).clean


def test_a_lost_change_is_filled_in_by_the_next_one() -> None:
    """The change back names the break and how long it lasted: both are told when it comes."""
    happened = truth((0, "AVAILABLE"), (100, "UNAVAILABLE:Break"), (160, "AVAILABLE"))
    run = Run().at(0, activity(0, "WA2", 1), told=[(0, "AVAILABLE")])
    run.at(160, activity(160, "WA2", 3, "WA3", 60), told=[(100, "UNAVAILABLE:Break"), (160, "AVAILABLE")])
    assert run.at(500, activity(100, "WA3", 2, "WA2", 100)).end(happened).clean


def test_a_worker_block_of_a_newer_version_tells_of_a_lost_change() -> None:
    """Its start is a guess: the row is right by what was known, though the true start was earlier."""
    happened = truth((0, "AVAILABLE"), (100, "UNAVAILABLE:Break"), (120, "RESERVED"), (130, "UNAVAILABLE:Break"))
    run = Run().at(0, activity(0, "WA2", 1), told=[(0, "AVAILABLE")])
    run.at(120, step("created", 120, "WA3", 2), told=[(120, "RESERVED")])
    run.at(130, step("rejected", 130, "WA3", 2), told=[(130, "UNAVAILABLE:Break")])
    run.at(500, activity(100, "WA3", 2, "WA2", 100))
    verdict = run.end(happened)
    assert verdict.clean
    assert verdict.counts.overtaken == 1


def test_a_tasks_end_stands_for_the_reservations_after_its_grace() -> None:
    """Half a minute after it became known, and not before, the agent is free again."""
    run = until_answered().at(330, task_ended(330)).at(359)
    assert run.audit.failures == {}
    run.at(360, told=[(330, "AVAILABLE")])
    assert run.audit.failures == {}
    late = until_answered().at(330, task_ended(330)).at(360)
    assert late.audit.failures == {"missing": 1}


def test_the_same_event_twice_teaches_nothing() -> None:
    """A row that tells the same again is counted, and no fault; another one is."""
    run = until_answered().at(90, step("accepted", 70), told=[(70, "CONTACT")])
    assert (run.audit.failures, run.audit.counts.repeated) == ({}, 1)
    assert run.at(95, step("accepted", 70), told=[(60, "RESERVED")]).audit.failures == {"out_of_order": 1}


def test_short_states_may_be_left_out() -> None:
    """Two seconds of ringing that became known when they were over need not be told."""
    happened = truth((0, "AVAILABLE"), (60, "RESERVED"), (62, "AVAILABLE"))
    run = Run().at(0, told=[(0, "AVAILABLE")]).at(70, step("created", 60), step("canceled", 62))
    verdict = run.end(happened)
    assert verdict.clean
    assert verdict.counts.skipped_short == 1


def test_what_no_event_told_is_missing_in_the_end() -> None:
    """Once everything has come, what is believed must be the truth."""
    run = until_answered().at(330, step("completed", 330), told=[(330, "AVAILABLE")])
    assert run.end(CALL).failures == {"missing": 1}


def test_the_opening_state_may_have_any_start_up_to_the_connectors() -> None:
    """REST does not always tell since when; the pair must be right."""
    happened = truth((0, "AVAILABLE"))
    assert Run().at(0, told=[(-500, "AVAILABLE")]).end(happened).clean
    assert Run().at(0, told=[(1, "AVAILABLE")]).end(happened).failures.keys() == {"invented", "missing"}
    assert Run().at(0, told=[(0, "UNAVAILABLE:Break")]).end(happened).failures.keys() == {"invented", "missing"}


def test_a_row_of_a_stranger_and_a_start_that_is_no_time_are_faults() -> None:
    """They tell nothing of anybody."""
    run = Run().at(0, told=[(0, "AVAILABLE")])
    run.audit.look(rows((0, "AVAILABLE"), agent_id="WK9"), T0)
    assert run.audit.failures == {"unknown_agent": 1}
