"""Instants that fell due while nobody projected: a connector that was down, or behind, must not forget them."""

from __future__ import annotations

from flow_bench import T0, Bench
from histories import AVAILABLE, BREAK, activity, reservation, task

from flex_plugin_backend.ledger import segments

S, HOUR = 1_000, 3_600_000


def raw(bench: Bench) -> list[tuple[int, str]]:
    """WK1's raw line: (start in ms after T0, state)."""
    with bench.ledger.read() as connection:
        line = segments.line(connection, bench.tenant.name, "WK1", 0, 2**62, 0)
    return [(one.start_ms - T0, one.state.state.value) for one in line]


def test_the_cap_of_wrap_up_holds_though_its_end_came_before_anybody_looked(bench: Bench) -> None:
    """The connector projects the wrap-up, stands still, and then sees the end, which came after the cap."""
    bench.tell(activity(T0, AVAILABLE), reservation("accepted", T0 + S), reservation("wrapup", T0 + 2 * S))
    bench.clock.set_ms(T0 + 2 * HOUR)
    bench.tell(reservation("completed", T0 + HOUR + 60 * S))
    assert raw(bench)[-2:] == [(2 * S, "WRAPUP"), (HOUR + 2 * S, "AVAILABLE")]
    assert bench.line("WK1")[-1] == (T0 + HOUR + 2 * S, "AVAILABLE", "")


def test_the_same_over_a_restart(bench: Bench) -> None:
    """What was in memory is gone; the ledger has it."""
    bench.tell(activity(T0, AVAILABLE), reservation("accepted", T0 + S), reservation("wrapup", T0 + 2 * S))
    bench.store([reservation("completed", T0 + HOUR + 60 * S)])
    bench.clock.set_ms(T0 + 2 * HOUR)
    bench.restart()
    bench.project()
    assert raw(bench)[-2:] == [(2 * S, "WRAPUP"), (HOUR + 2 * S, "AVAILABLE")]


def test_a_task_s_end_holds_after_its_grace_though_the_cap_came_first_and_the_window_is_over(bench: Bench) -> None:
    """A backlog of hours: the wrap-up's cap lies further back than memory reaches, its task's end is in its grace."""
    now_ms = T0 + 3 * HOUR
    bench.clock.set_ms(now_ms)
    bench.tell(
        activity(T0, AVAILABLE),
        reservation("accepted", T0 + S),
        reservation("wrapup", T0 + 2 * S),
        task("completed", T0 + 10 * S),
        activity(now_ms, BREAK),
    )
    bench.clock.advance(31)
    bench.project()
    assert raw(bench)[-3:] == [(2 * S, "WRAPUP"), (10 * S, "AVAILABLE"), (3 * HOUR, "UNAVAILABLE")]
