"""What happens when the WFM refuses content: the bad record stands alone, the rest goes on in order."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flow_bench import T0, Bench, Peer, Script, answer
from histories import AVAILABLE, BREAK, LUNCH, activity
from werkzeug import Request, Response

from flex_plugin_backend.flow.condition import Condition
from flex_plugin_backend.ledger.outbox import Delivery


def refusing(bad: set[tuple[str, str]], status: int) -> Script:
    """Answers `status` to every batch that holds one of these (agent, reason) pairs."""

    def judge(request: Request) -> Response:
        rows = {(row["agentId"], row["eventReason"]) for row in request.get_json()["agentStates"]}
        return answer(status, {"message": "one of these is bad"}) if rows & bad else answer(204)

    return judge


def fill(bench: Bench, agents: int) -> None:
    """Each agent is available, goes to a break, then to lunch; all of it waits."""
    sids = [f"WK{number}" for number in range(agents)]
    steps = ((0, AVAILABLE), (10_000, BREAK), (20_000, LUNCH))
    bench.tell(*[activity(T0 + at, to, worker=sid) for at, to in steps for sid in sids])


@pytest.mark.parametrize("status", [400, 404, 413, 422])
def test_a_refused_batch_is_halved_until_the_bad_record_stands_alone(bench: Bench, peer: Peer, status: int) -> None:
    """One bad record becomes a dead letter with the answer; all others are delivered, in order for each agent."""
    fill(bench, 8)
    peer.states.extend([refusing({("WK3", "Break")}, status)] * 100)
    bench.drain()
    dead = [row for row in bench.rows() if row.status == Delivery.DEAD]
    assert [(row.worker_sid, row.reason) for row in dead] == [("WK3", "Break")]
    assert f"status {status}" in dead[0].note
    assert "one of these is bad" in dead[0].note
    kept = {one.id: one for one in bench.answers()}
    assert kept[dead[0].answer_id].status == status
    for number in range(8):
        told = [(event, reason) for agent, event, reason in peer.taken if agent == f"WK{number}"]
        whole = [("AVAILABLE", ""), ("UNAVAILABLE", "Break"), ("UNAVAILABLE", "Lunch")]
        assert told == ([whole[0], whole[2]] if number == 3 else whole)
    # 24 rows: the way down to one takes 2 requests per halving, and nothing is sent twice.
    assert len(peer.batches) <= 1 + 2 * 5
    assert len(peer.taken) == len(set(peer.taken)) == 23


def test_several_bad_records_each_stand_alone(bench: Bench, peer: Peer) -> None:
    """Two bad records in different halves are both found."""
    fill(bench, 5)
    peer.states.extend([refusing({("WK0", ""), ("WK4", "Lunch")}, 422)] * 100)
    bench.drain()
    dead = [(row.worker_sid, row.reason) for row in bench.rows() if row.status == Delivery.DEAD]
    assert dead == [("WK0", ""), ("WK4", "Lunch")]
    assert len(peer.taken) == 13


def test_dead_letters_are_counted_and_end_no_feed(bench: Bench, peer: Peer) -> None:
    """A dead letter shows in the health and in the metrics while the feed goes on."""
    fill(bench, 1)
    peer.states.extend([refusing({("WK0", "Break")}, 400)] * 20)
    bench.drain()
    health = bench.tenant.health()
    assert (health["dead_letters"], health["pending"]) == (1, 0)
    assert bench.tenant.board.standing.condition is Condition.OK
    gauge = bench.metrics.registry.get_sample_value("flex_wfm_dead_letters", {"tenant": "acme"})
    assert gauge == 1.0


def test_an_outage_in_the_middle_of_halving_loses_nothing(bench: Bench, peer: Peer) -> None:
    """The first half is done when the second meets an outage: only the rest waits and is sent again."""
    fill(bench, 4)
    peer.then(answer(400), answer(204), answer(503))
    assert (bench.forwarder.step() or 0) > 0
    statuses = [row.status for row in bench.rows()]
    assert statuses == [Delivery.DELIVERED] * 6 + [Delivery.PENDING] * 6
    bench.drain()
    assert len(peer.taken) == len(set(peer.taken)) == 12


def test_rows_that_a_2xx_names_as_rejected_are_dead_and_the_rest_is_done(bench: Bench, peer: Peer) -> None:
    """A partial success buries exactly the rows it names, each with its reason; nothing is sent again."""
    fill(bench, 2)
    rejected = [{"index": 1, "message": "unknown agent"}, {"index": 4, "code": "E7"}, {"index": 99, "message": "?"}]
    peer.then(answer(200, {"rejectedRows": rejected}))
    bench.drain()
    statuses = [row.status for row in bench.rows()]
    assert statuses == [Delivery.DEAD if at in (1, 4) else Delivery.DELIVERED for at in range(6)]
    assert "unknown agent" in bench.rows()[1].note
    assert "E7" in bench.rows()[4].note
    assert len(peer.batches) == 1


def test_batches_keep_to_the_limit_and_to_the_order(make_bench: Callable[..., Bench], peer: Peer) -> None:
    """A burst leaves in full batches, oldest first, and `catching up` is shown until the last."""
    bench = make_bench(peer.url, wfm={"batch_limit": 4})
    fill(bench, 3)
    seen = []
    while bench.forwarder.step() is not None:
        seen.append(bench.tenant.board.standing.condition)
    assert [len(one) for one in peer.batches] == [4, 4, 1]
    assert seen == [Condition.CATCHING_UP, Condition.CATCHING_UP, Condition.OK]
    assert [event for agent, event, _ in peer.taken if agent == "WK1"] == ["AVAILABLE", "UNAVAILABLE", "UNAVAILABLE"]


def test_a_state_the_contract_has_no_form_for_is_a_dead_letter_of_its_own(
    bench: Bench, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be encoded is buried alone, like what is refused, and never blocks the rest."""
    fill(bench, 2)
    service = bench.tenant._service
    encode = service.process_agent_states

    def without_breaks(dto):  # type: ignore[no-untyped-def]
        from flex_plugin_backend.errors import ContractError

        if any(one.event_reason == "Break" for one in dto.agent_states):
            raise ContractError(profile="default", problem="no form", repair="Add one.")
        return encode(dto)

    monkeypatch.setattr(service, "process_agent_states", without_breaks)
    bench.drain()
    dead = [row.reason for row in bench.rows() if row.status == Delivery.DEAD]
    assert dead == ["Break", "Break"]
    assert len(peer.taken) == 4
