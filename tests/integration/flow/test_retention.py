"""What the ledger lets go of and what it keeps, on a real file; and that the file stops growing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flow_bench import TENANT
from histories import AVAILABLE, BREAK, OFFLINE, activity, event, reservation, task
from long_life import BEGIN_MS, DAY_MS, HOUR_MS, MINUTE_MS, Life, weeks
from sqlalchemy import select
from structlog.testing import capture_logs

from flex_plugin_backend.domain.intervals import INTERVAL_MS, Interval
from flex_plugin_backend.domain.mapping import State
from flex_plugin_backend.errors import HistoryPruned
from flex_plugin_backend.flow import retention
from flex_plugin_backend.flow.retention import Retention, RetentionRules
from flex_plugin_backend.ledger import eventlog, gaps, outbox, prune, receipts, spans
from flex_plugin_backend.ledger.gaps import Cause, Gap, GapState
from flex_plugin_backend.ledger.outbox import Delivery
from flex_plugin_backend.ledger.receipts import Receipt, ReceiptStatus
from flex_plugin_backend.ledger.tables import answers, state_changes

KEEP_DAYS = 35
END_MS = BEGIN_MS + 50 * DAY_MS


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Callable[..., Life]]:
    """Makes lives and closes their ledgers."""
    made: list[Life] = []

    def make(keep_days: float | None = KEEP_DAYS) -> Life:
        made.append(Life(tmp_path / str(len(made)), keep_days=keep_days))
        made[-1].clock.set_ms(BEGIN_MS)
        return made[-1]

    yield make
    for one in made:
        one.close()


def call(at_ms: int, number: int, *, ends: bool = True) -> list[object]:
    """A contact of WK1 that begins there; it takes ten minutes, or it stays."""
    steps = ["created", "accepted", "wrapup", "completed"] if ends else ["created", "accepted"]
    told: list[object] = [task("created", at_ms, number)]
    told += [reservation(step, at_ms + index * 3 * MINUTE_MS, number) for index, step in enumerate(steps)]
    return [*told, task("completed", at_ms + 9 * MINUTE_MS, number)] if ends else told


def at(life: Life, at_ms: int, *events: object) -> None:
    """These events come at this time, and everything they lead to is done and delivered."""
    life.clock.set_ms(at_ms)
    life.tell(*events)  # type: ignore[arg-type]
    life.desk().catch_up(at_ms)


def pruned(life: Life, at_ms: int = END_MS) -> None:
    """The time comes to let go of what is old."""
    life.clock.set_ms(at_ms)
    life.project()
    life.desk().catch_up(at_ms)
    life.prune()


def sids(life: Life) -> list[str]:
    """Which events are left."""
    return [one.sid for one in life.events()]


def statuses(life: Life) -> list[str]:
    """How the state changes that are left stand, in sending order."""
    with life.ledger.read() as connection:
        found = connection.execute(select(state_changes.c.status).order_by(state_changes.c.id))
        return list(found.scalars())


def test_an_agent_who_rests_for_months_keeps_the_state(live: Callable[..., Life]) -> None:
    """What the WFM was told last, the raw state and the event that tells it stay, however old; the rest goes."""
    life = live()
    at(life, BEGIN_MS, activity(BEGIN_MS, AVAILABLE, sid="EV1"))
    at(life, BEGIN_MS + HOUR_MS, activity(BEGIN_MS + HOUR_MS, BREAK, sid="EV2"), *call(BEGIN_MS + HOUR_MS, 1))
    at(life, BEGIN_MS + 2 * HOUR_MS, activity(BEGIN_MS + 2 * HOUR_MS, OFFLINE, sid="EV3"))
    life.deliver()
    before = life.present()
    pruned(life)
    assert sids(life) == ["EV3"]
    assert life.present() == before
    assert statuses(life) == [Delivery.DELIVERED]
    life.restart()
    assert life.present() == before
    at(life, END_MS + HOUR_MS, activity(END_MS + HOUR_MS, AVAILABLE, sid="EV4"))
    assert [one.state.state for one in life.line("WK1", END_MS)] == [State.OFFLINE, State.AVAILABLE]


def test_what_is_open_keeps_all_its_events(live: Callable[..., Life]) -> None:
    """A contact that never ended is still the agent's state and in the backlog; one that ended is gone."""
    life = live()
    at(life, BEGIN_MS, activity(BEGIN_MS, AVAILABLE), *call(BEGIN_MS + MINUTE_MS, 1, ends=False))
    at(life, BEGIN_MS + HOUR_MS, *call(BEGIN_MS + HOUR_MS, 2))
    life.deliver()
    kept = [one.sid for one in life.events() if one.task_sid == "WT1"]
    assert len(kept) == 3
    pruned(life)
    left = life.events()
    assert [one.sid for one in left if one.task_sid == "WT1"] == kept
    assert not [one for one in left if one.task_sid == "WT2"]
    assert life.present()["WK1"][0].state is State.CONTACT
    life.restart()
    at(life, END_MS + MINUTE_MS, reservation("completed", END_MS, 1), task("completed", END_MS, 1))
    rows = life.rows(Interval(END_MS))
    assert [one.contacts_handled for one in rows.queues] == [1]
    assert life.present()["WK1"][0].state is State.AVAILABLE


def test_what_waits_or_must_be_decided_stays(live: Callable[..., Life]) -> None:
    """Undelivered states, dead letters with their answer, and unmapped states are there after the horizon."""
    life = live()
    for hour in range(5):
        at_ms = BEGIN_MS + hour * HOUR_MS
        at(life, at_ms, activity(at_ms, AVAILABLE if hour % 2 else BREAK))
    with life.ledger.write() as connection:
        dead, unmapped, delivered, *_ = outbox.pending(connection, TENANT, 9)
        numbers = [
            outbox.keep_answer(connection, TENANT, at_ms=BEGIN_MS, what="states", status=400, rows=1, body="no")
            for _ in range(2)
        ]
        outbox.mark_dead(connection, dead.id, "refused", numbers[0])
        outbox.mark(connection, [unmapped.id], Delivery.UNMAPPED, "who is this")
        outbox.mark_delivered(connection, [delivered.id], BEGIN_MS, numbers[1])
    pruned(life)
    # The delivered one is what the WFM was told last.
    assert statuses(life) == ["dead", "unmapped", "delivered", "pending", "pending"]
    with life.ledger.read() as connection:
        assert list(connection.execute(select(answers.c.id)).scalars()) == numbers[:1]


def test_what_was_not_reported_is_kept_until_it_is(live: Callable[..., Life]) -> None:
    """As long as the WFM takes no reports, nothing that they are made of goes; when it does, everything old goes."""
    life = live()
    with life.ledger.write() as connection:
        eventlog.set_cursor(connection, TENANT, "reports.begin", BEGIN_MS)
    at(life, BEGIN_MS + HOUR_MS, activity(BEGIN_MS + HOUR_MS, AVAILABLE), *call(BEGIN_MS + HOUR_MS, 1))
    life.deliver()
    number = len(sids(life))
    pruned(life)
    assert len(sids(life)) == number
    with life.ledger.write() as connection:
        for kind in receipts.KINDS:
            for start_ms in (BEGIN_MS, END_MS - INTERVAL_MS):
                one = Receipt(kind=kind, start_ms=start_ms, revision=1, hash="", status=ReceiptStatus.ACCEPTED)
                receipts.save(connection, TENANT, one)
    pruned(life)
    assert len(sids(life)) == 1
    with life.ledger.read() as connection:
        left = receipts.between(connection, TENANT, 0, END_MS)
    assert [one.start_ms for one in left] == [END_MS - INTERVAL_MS] * 2


def test_who_left_is_forgotten_once_everything_is_delivered(live: Callable[..., Life]) -> None:
    """A deleted worker leaves nothing behind after the horizon, but not before what waits has been sent."""
    life = live()
    at(life, BEGIN_MS, activity(BEGIN_MS, AVAILABLE), *call(BEGIN_MS, 1))
    at(life, BEGIN_MS + HOUR_MS, event("worker.deleted", BEGIN_MS - DAY_MS, worker_sid="WK1"))
    pruned(life)
    assert set(life.present()) == {"WK1"}
    life.deliver()
    pruned(life, END_MS + DAY_MS)
    assert life.present() == {}
    assert sids(life) == []
    assert statuses(life) == []


def test_an_event_from_before_all_that_is_kept_is_left_out(live: Callable[..., Life]) -> None:
    """A request that somebody recorded months ago changes nothing; a deletion with an old stamp does."""
    life = live()
    old = [activity(BEGIN_MS, AVAILABLE), *call(BEGIN_MS, 1)]
    at(life, BEGIN_MS + HOUR_MS, *old)
    at(life, END_MS - DAY_MS, activity(END_MS - DAY_MS, OFFLINE))
    life.deliver()
    pruned(life)
    before, line = life.present(), sids(life)
    with capture_logs() as logs:
        at(life, END_MS, *(replace(one, sid=f"again-{one.sid}") for one in old))  # type: ignore[type-var]
    assert (life.present(), sids(life)) == (before, line)
    assert {one["event"] for one in logs} >= {"intake.event_past"}
    at(life, END_MS + HOUR_MS, event("worker.deleted", BEGIN_MS - 400 * DAY_MS, worker_sid="WK1"))
    assert life.present()["WK1"][0].state is State.OFFLINE
    # What lies a week back is as right as before: the deletion says nothing about then.
    assert [one.state.state for one in life.line("WK1", END_MS - DAY_MS + 1)] == [State.OFFLINE]
    assert [one.state.state for one in life.line("WK1", END_MS - 2 * DAY_MS)][:2] == [State.AVAILABLE, State.OFFLINE]


def test_a_report_of_what_is_gone_is_refused(live: Callable[..., Life]) -> None:
    """Rather no report than one that says nobody worked; what is kept is reported."""
    life = live(8)
    life.live(weeks(14, 1, workers=2), BEGIN_MS + 14 * DAY_MS)
    with life.ledger.read() as connection:
        before_ms = prune.before_ms(connection, TENANT)
    old, young = (Interval(at_ms - at_ms % INTERVAL_MS) for at_ms in (before_ms, before_ms + HOUR_MS))
    with pytest.raises(HistoryPruned, match="retention_days"):
        life.rows(old)
    assert life.rows(young) is not None


def test_holes_that_are_not_healed_stay(live: Callable[..., Life]) -> None:
    """Closed holes and what was compared long ago go by their age, open ones do not."""
    life = live()
    with life.ledger.write() as connection:
        for state in GapState:
            gaps.add(connection, TENANT, Gap(cause=Cause.UNKNOWN, state=state, from_ms=1, to_ms=2, found_ms=3))
        spans.cover(connection, TENANT, [spans.Span(1, 2), spans.Span(END_MS - 5, END_MS)])
    pruned(life)
    with life.ledger.read() as connection:
        assert {one.state for one in gaps.listed(connection, TENANT, 99)} == {GapState.OPEN, GapState.FILLED}
        assert spans.covered(connection, TENANT) == [spans.Span(END_MS - 5, END_MS)]


def test_what_the_projections_have_not_seen_stays(live: Callable[..., Life]) -> None:
    """An old event that is stored and not applied yet is applied before it can go."""
    life = live()
    life.clock.set_ms(BEGIN_MS + MINUTE_MS)
    life.intake.submit(TENANT, [activity(BEGIN_MS, AVAILABLE, sid="EV1")])
    life.clock.set_ms(END_MS)
    life.prune()
    assert sids(life) == ["EV1"]
    life.project()
    assert life.present()["WK1"][0].state is State.AVAILABLE


def test_it_works_in_small_portions_with_pauses_between(
    live: Callable[..., Life], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No transaction deletes more than a few hundred rows, and after each there is a pause."""
    life = live()
    for day in range(40):
        start_ms = BEGIN_MS + day * DAY_MS // 40
        at(life, start_ms, activity(start_ms, AVAILABLE if day % 2 else BREAK), *call(start_ms, day))
    life.deliver()
    portions: list[int] = []
    monkeypatch.setattr(retention, "MOST_ROWS", 20)
    life.clock.set_ms(END_MS)
    life.retention = Retention(
        TENANT,
        life.ledger,
        life.clock,
        RetentionRules(keep_s=KEEP_DAYS * 86_400, reports=True),
        life.horizon,
        on_pruned=lambda _table, rows: portions.append(rows),
    )
    pauses = [one.seconds for one in life.retention.once()]
    # The events of a task go together, so a portion of them may be a few times as large.
    assert sum(portions) > 300
    assert max(portions) <= 6 * 20
    assert len(pauses) > len(portions) / 2  # one of a worker's states is of two tables
    assert all(pause == retention.PAUSE_S for pause in pauses)


def test_the_file_stops_growing(live: Callable[..., Life]) -> None:
    """Over fifty days with ten kept the file is as large as after the first twenty."""
    life = live(10)
    sizes: list[int] = []
    told = weeks(50, 5, workers=2)
    for day in range(10, 51, 10):
        until_ms = BEGIN_MS + day * DAY_MS
        life.live([one for one in told if until_ms - 10 * DAY_MS <= one.at_ms < until_ms], until_ms)
        sizes.append(pages_of(life))
    assert sizes[4] <= 1.15 * max(sizes[1:3])


def test_a_file_that_is_mostly_free_becomes_smaller(live: Callable[..., Life]) -> None:
    """When nearly all of it goes, so does most of the file, and it is whole afterwards."""
    life = live()
    changes = [
        activity(BEGIN_MS + number * 1_000, BREAK if number % 2 else AVAILABLE, worker=f"WK{number % 49}")
        for number in range(6_000)
    ]
    at(life, BEGIN_MS + 6_000_000, *changes)
    life.deliver()
    many = pages_of(life)
    assert many > retention.LEAST_PAGES
    pruned(life)
    with life.ledger.read() as connection:
        free, pages = prune.free_pages(connection)
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    assert pages < many / 4
    assert free < retention.MUCH_FREE * pages or pages < retention.LEAST_PAGES


def pages_of(life: Life) -> int:
    """How long the file is."""
    with life.ledger.read() as connection:
        return prune.free_pages(connection)[1]
