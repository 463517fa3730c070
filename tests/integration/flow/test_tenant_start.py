"""The start of a whole tenant: threads, lease and all; nothing is sent before the first look at Twilio is over."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator

import pytest
from flow_bench import T0, Bench, FakeReader, FakeSnapshot, Peer, found, shown
from histories import AVAILABLE, BREAK, activity

from flex_plugin_backend.flow import duty
from flex_plugin_backend.flow import tenant as tenant_module
from flex_plugin_backend.flow.condition import Condition
from flex_plugin_backend.ledger.outbox import Kind

S = 1_000


@pytest.fixture
def started(make_bench: Callable[..., Bench], peer: Peer) -> Iterator[Callable[[Bench], None]]:
    """Starts tenants and stops them again."""
    running: list[Bench] = []

    def start(bench: Bench) -> None:
        running.append(bench)
        bench.tenant.start()

    yield start
    for bench in running:
        bench.tenant.stop()


def until(condition: Callable[[], bool]) -> None:
    """Wait for what other threads do; fails after ten seconds."""
    tick = threading.Event()
    for _ in range(1_000):
        if condition():
            return
        tick.wait(0.01)
    raise AssertionError("it did not come to that")


def test_nothing_is_sent_before_the_first_look_is_over(
    make_bench: Callable[..., Bench], peer: Peer, started: Callable[[Bench], None]
) -> None:
    """While the snapshot is read, events are stored but no state goes out; then each agent's present one does."""
    looking, release = threading.Event(), threading.Event()

    class SlowReader(FakeReader):
        def snapshot(self) -> FakeSnapshot:
            looking.set()
            assert release.wait(10)
            return shown("WK1", events=(found("WK1", BREAK, T0),))

    bench = make_bench(peer.url, reader=SlowReader())
    started(bench)
    assert looking.wait(10)
    bench.store([activity(T0 + 10 * S, AVAILABLE, worker="WK2")])
    until(lambda: bool(bench.rows("WK2")))
    assert peer.batches == []
    assert not bench.tenant.started
    assert bench.tenant.health()["status"] == "starting"
    release.set()
    until(lambda: len(peer.taken) == 2)
    assert sorted(peer.taken) == [("WK1", "UNAVAILABLE", "Break"), ("WK2", "AVAILABLE", "")]
    until(lambda: bench.tenant.board.standing.condition is Condition.OK)


def test_a_start_tells_every_present_state_again(
    make_bench: Callable[..., Bench], peer: Peer, started: Callable[[Bench], None]
) -> None:
    """What was delivered before the restart is told once more, for nobody knows what the WFM kept."""
    bench = make_bench(peer.url, reader=FakeReader(snapshots=deque([shown("WK1")])))
    bench.tell(activity(T0, AVAILABLE), activity(T0 + 10 * S, BREAK))
    bench.drain()
    bench.restart()
    started(bench)
    until(lambda: len(peer.taken) == 3)
    assert peer.taken[2] == ("WK1", "UNAVAILABLE", "Break")
    assert bench.rows()[-1].kind == Kind.SNAPSHOT


def test_a_fault_at_the_moment_of_release_does_not_keep_the_forwarder_from_starting(
    make_bench: Callable[..., Bench],
    peer: Peer,
    started: Callable[[Bench], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The disk is full just when the present states are to be repeated: the step is repeated, then states flow."""
    monkeypatch.setattr(duty, "AFTER_A_FAULT_S", 0.0)
    bench = make_bench(peer.url)
    bench.tell(activity(T0, AVAILABLE))
    repeat = bench.projector.repeat_present_states
    faults = [OSError("disk full")]

    def fails_once() -> int:
        if faults:
            raise faults.pop()
        return repeat()

    monkeypatch.setattr(bench.projector, "repeat_present_states", fails_once)
    started(bench)
    until(lambda: peer.taken == [("WK1", "AVAILABLE", "")])


def test_a_tenant_without_the_lease_stands_by_and_takes_over(
    make_bench: Callable[..., Bench], peer: Peer, started: Callable[[Bench], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Standing by it stores but sends nothing; once the lease is free it does what the other left undone."""
    monkeypatch.setattr(tenant_module, "LEASE_POLL_S", 0.0)
    bench = make_bench(peer.url)
    free = threading.Event()
    monkeypatch.setattr(bench.tenant._parts.lease, "acquire", free.is_set)
    bench.store([activity(T0, AVAILABLE)])
    started(bench)
    until(lambda: bench.tenant.board.standing.condition is Condition.STANDBY)
    assert bench.rows() == []
    free.set()
    until(lambda: peer.taken == [("WK1", "AVAILABLE", "")])


def test_a_request_that_died_goes_out_under_the_agent_id_of_now(
    make_bench: Callable[..., Bench], peer: Peer, started: Callable[[Bench], None]
) -> None:
    """Killed with a state on its way, and started again with other settings: the agent is told under its new id."""
    bench = make_bench(peer.url)
    bench.tell(activity(T0, BREAK, worker_name="ana"))
    bench.restart(mapping={"agent_id": "friendly_name"})
    with bench.ledger.write() as connection:  # as the dead process left it
        connection.exec_driver_sql("UPDATE state_changes SET status = 'sending', agent_id = 'WK1'")
    started(bench)
    until(lambda: ("ana", "UNAVAILABLE", "Break") in peer.taken)
