"""flex-wfm dead-letters: what is held is looked at, sent again once its cause is mended, or given up with a reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from command_line import flex_wfm
from flow_bench import T0, Bench, Peer, answer
from histories import AVAILABLE, BREAK, LUNCH, activity

from flex_plugin_backend.domain.intervals import INTERVAL_MS, owner
from flex_plugin_backend.flow.condition import Condition
from flex_plugin_backend.ledger import receipts
from flex_plugin_backend.ledger.outbox import Delivery
from flex_plugin_backend.wfm import CXoneWfmException, FailureKind, WFMReportResponseDTO

S, MINUTE = 1_000, 60_000
BEGIN = owner(T0).next.start_ms


def letters(bench: Bench, *words: str) -> str:
    """What the command prints; it must succeed."""
    done = flex_wfm(bench, "dead-letters", *words)
    assert done.exit_code == 0, done.output
    return done.output


def refuse(bench: Bench, peer: Peer, *events: Any, why: str = "unknown agent") -> None:
    """Events whose states the WFM refuses, one by one."""
    bench.tell(*events)
    peer.then(*[answer(422, {"message": why})] * 2 * len(events))
    bench.drain()
    peer.states.clear()


def statuses(bench: Bench) -> list[str]:
    return [row.status for row in bench.rows()]


@pytest.fixture
def held(bench: Bench, peer: Peer) -> Bench:
    """Of WK1 a break was refused, and so was one of WK2 for another cause."""
    refuse(bench, peer, activity(T0, BREAK))
    refuse(bench, peer, activity(T0 + S, LUNCH, worker="WK2"), why="no such event")
    return bench


# -- list and show --------------------------------------------------------------------------------------------------


def test_the_list_ends_with_the_causes(held: Bench) -> None:
    """How often each, so that one cause is seen as one."""
    output = letters(held, "list")
    assert "UNAVAILABLE Break" in output
    assert output.count("1 x refused by the WFM") == 2
    assert json.loads(letters(held, "list", "--json", "1"))["why"].endswith("unknown agent (content).")


def test_a_list_may_be_of_one_cause(held: Bench) -> None:
    """By a part of its words."""
    found = [json.loads(line) for line in letters(held, "list", "--cause", "NO SUCH", "--json").splitlines()]
    assert [one["worker_sid"] for one in found] == ["WK2"]


def test_one_is_shown_whole_with_the_answer_and_how_to_mend_it(held: Bench) -> None:
    """State, event, cause, the WFM's own words, and the command that follows."""
    output = letters(held, "show", "1")
    assert "UNAVAILABLE Break since" in output
    assert "still so yes" in output
    assert '{"message": "unknown agent"}' in output
    assert "422 at" in output
    assert "ACD Login ID in CXone must be WK1" in output
    assert "flex-wfm dead-letters replay 1" in output


def test_show_as_json_holds_the_same(held: Bench) -> None:
    """For programs."""
    found = json.loads(letters(held, "show", "2", "--json"))
    assert (found["id"], found["status"], found["present"]) == (2, "dead", True)
    assert found["answer"]["status"] == 422
    assert found["mend"]


def test_what_lacks_an_agent_id_says_where_to_put_it(make_bench: Callable[..., Bench]) -> None:
    """And that nothing needs to be replayed."""
    bench = make_bench(mapping={"agent_id": "attribute:wfm.id"})
    bench.tell(activity(T0, BREAK))
    output = letters(bench, "show", "1")
    assert "give WK1 its agent id in Twilio, as the attribute wfm.id" in output
    assert "nothing needs to be replayed" in output


def test_an_activity_in_no_catalogue_says_what_to_do(bench: Bench) -> None:
    """The setting is named."""
    bench.tell(activity(T0, "WA9"))
    assert "mapping.activities.NAME] state" in letters(bench, "show", "1")


def test_a_number_that_is_none_is_an_error(held: Bench) -> None:
    """Not an empty answer."""
    for command in (["show", "9"], ["replay", "1", "9"], ["discard", "9", "--reason", "x"]):
        done = flex_wfm(held, "dead-letters", *command)
        assert done.exit_code == 1
        assert "no dead letter 9" in done.output
    assert statuses(held) == ["dead", "dead"]


# -- replay ---------------------------------------------------------------------------------------------------------


def test_one_is_replayed_and_the_other_waits(held: Bench, peer: Peer) -> None:
    """By its number."""
    assert letters(held, "replay", "2").startswith("acme: 1 states are sent again, 0 were over")
    held.drain()
    assert peer.taken == [("WK2", "UNAVAILABLE", "Lunch")]
    assert statuses(held) == ["dead", "delivered"]


def test_those_of_one_cause_are_replayed(held: Bench, peer: Peer) -> None:
    """The agent is known now; the event still is not."""
    assert json.loads(letters(held, "replay", "--cause", "unknown agent", "--json"))["sent_again"] == 1
    held.drain()
    assert peer.taken == [("WK1", "UNAVAILABLE", "Break")]


def test_what_was_over_is_let_go(held: Bench, peer: Peer) -> None:
    """A later state was told meanwhile; the older one must not follow it."""
    held.tell(activity(T0 + MINUTE, AVAILABLE))
    held.drain()
    assert "0 states are sent again, 1 were over" in letters(held, "replay", "1")
    assert statuses(held)[0] == Delivery.SKIPPED
    assert "still so no" not in letters(held, "show", "2")


def test_a_refused_repetition_of_the_present_is_replayed(bench: Bench, peer: Peer) -> None:
    """The state itself was delivered long ago; the WFM lost it, and refused it when it was told again."""
    bench.tell(activity(T0, BREAK))
    bench.drain()
    bench.projector.repeat_present_states()
    peer.then(answer(422, {"message": "unknown agent"}))
    bench.drain()
    assert statuses(bench) == ["delivered", "dead"]
    assert "1 states are sent again" in letters(bench, "replay")
    bench.drain()
    assert peer.taken == [("WK1", "UNAVAILABLE", "Break")] * 2


def test_a_replay_goes_out_under_the_agent_id_of_now(bench: Bench, peer: Peer) -> None:
    """It was refused under the former one."""
    refuse(bench, peer, activity(T0, BREAK, worker_name="ana"))
    bench.restart(mapping={"agent_id": "friendly_name"})
    bench.project()
    letters(bench, "replay")
    bench.drain()
    assert peer.taken == [("ana", "UNAVAILABLE", "Break")]


def test_a_replay_that_is_refused_again_is_held_again(held: Bench, peer: Peer) -> None:
    """With the new answer."""
    letters(held, "replay", "1")
    peer.then(answer(400, {"message": "still unknown"}))
    held.drain()
    assert statuses(held) == ["dead", "dead"]
    assert "still unknown" in letters(held, "show", "1")


# -- discard --------------------------------------------------------------------------------------------------------


def test_what_is_given_up_keeps_the_reason_and_ends_the_alarm(held: Bench, peer: Peer) -> None:
    """The condition is `held` for refused states; it ends when none is held any more."""
    assert held.tenant.board.standing.condition is Condition.HELD
    assert "1 states and 0 reports" in letters(held, "discard", "1", "--reason", "a test agent")
    held.forwarder.step()
    assert held.tenant.board.standing.condition is Condition.HELD
    assert "1 states and 0 reports" in letters(held, "discard", "--all", "--reason", "gone")
    held.forwarder.step()
    assert held.tenant.board.standing.condition is Condition.OK
    notes = [row.note for row in held.rows()]
    assert notes[0].startswith("discarded by hand: a test agent; it was held because: refused by the WFM")
    assert statuses(held) == ["skipped", "skipped"]
    held.tell(activity(T0 + MINUTE, AVAILABLE))
    held.drain()
    assert peer.taken == [("WK1", "AVAILABLE", "")]


def test_nothing_is_given_up_by_chance(held: Bench) -> None:
    """Without saying which, or why, the call is wrong."""
    for words in (["--reason", "x"], ["1"], ["1", "--reason", " "]):
        assert flex_wfm(held, "dead-letters", "discard", *words).exit_code == 2
    assert statuses(held) == ["dead", "dead"]


# -- reports --------------------------------------------------------------------------------------------------------


@pytest.fixture
def refused(bench: Bench) -> Bench:
    """The WFM refused both reports of one interval."""
    bench.tenant.reporter.begin()
    bench.tell(activity(T0, AVAILABLE))

    def refuses(_report: Any) -> WFMReportResponseDTO:
        told = WFMReportResponseDTO(status=422, raw="bad queue")
        raise CXoneWfmException(
            kind=FailureKind.CONTENT, operation="queue_report", problem="status 422, bad queue", response=told
        )

    bench.tenant.reporter._send = refuses
    bench.clock.set_ms(BEGIN + INTERVAL_MS + 120_000)
    bench.tenant.reporter.step()
    return bench


def sent(bench: Bench) -> list[str]:
    """Status of each receipt, activity first."""
    with bench.ledger.read() as connection:
        return [one.status for one in receipts.between(connection, bench.tenant.name, BEGIN, BEGIN + INTERVAL_MS)]


def reporting(bench: Bench) -> list[Any]:
    """Let the reporter work for as long as it takes to look again, with a WFM that is well; what it sent."""
    took: list[Any] = []
    bench.tenant.reporter._send = lambda report: took.append(report) or WFMReportResponseDTO(status=200)
    until_ms = bench.clock.now_ms() + 300_000
    while bench.clock.now_ms() < until_ms:
        bench.clock.advance(max(1.0, min(60.0, bench.tenant.reporter.step())))
    return took


def test_refused_reports_are_letters_too(refused: Bench) -> None:
    """Listed, and shown with the answer and the commands to look at them."""
    found = [json.loads(line) for line in letters(refused, "list", "--json").splitlines()]
    assert [(one["kind"], one["report"]) for one in found] == [("report", "queue"), ("report", "activity")]
    output = letters(refused, "show", found[0]["id"])
    assert "bad queue" in output
    assert "flex-wfm report --tenant acme --from" in output
    assert f"flex-wfm dead-letters replay {found[0]['id']}" in output


def test_a_replayed_report_is_sent_at_the_next_look(refused: Bench) -> None:
    """However long its rest would have been."""
    output = letters(refused, "replay")
    assert "2 reports are sent again within 300 s" in output
    assert len(reporting(refused)) >= 2
    assert sent(refused) == ["accepted", "accepted"]


def test_a_report_that_is_given_up_is_not_sent_again_unless_it_changes(refused: Bench) -> None:
    """A late event makes another revision of it."""
    [queue_id] = [
        one["id"]
        for one in map(json.loads, letters(refused, "list", "--json").splitlines())
        if one["report"] == "queue"
    ]
    assert "0 states and 1 reports" in letters(refused, "discard", queue_id, "--reason", "queue of a test")
    reporting(refused)
    refused.clock.advance(86_400)
    reporting(refused)
    assert sent(refused) == ["accepted", "discarded"]
    assert "no dead letters" in letters(refused, "list")
    refused.tell(activity(BEGIN + MINUTE, BREAK))
    reporting(refused)
    assert sent(refused) == ["accepted", "accepted"]


def test_a_report_too_old_to_be_corrected_says_how_it_is_sent(refused: Bench) -> None:
    """The reporter looks back correct_for_days."""
    refused.clock.advance(8 * 86_400)
    assert "2 reports are older than correct_for_days; flex-wfm report --send" in letters(refused, "replay")
