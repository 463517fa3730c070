"""The reconciler over a real ledger: what was lost comes back once, with a record of the hole it left."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from flow_bench import T0, TENANT
from histories import AVAILABLE, activity, reservation
from repair_site import EVERY, HOUR, MINUTE, SETTLE, Site, steady

from flex_plugin_backend.domain.events import Route
from flex_plugin_backend.ledger import receipts
from flex_plugin_backend.ledger.gaps import Cause, GapState
from flex_plugin_backend.ledger.receipts import Receipt, ReceiptStatus

# -- found and filled -----------------------------------------------------------------------------------------------


def test_a_lost_event_comes_back_within_one_round_and_leaves_a_record(site: Site) -> None:
    """With its own time and the route REST; nothing that arrived is counted as lost."""
    steady(site, T0 + 20 * MINUTE)
    lost = reservation("accepted", site.now_ms)
    site.happen(lost, lost=True)
    lost_ms = site.now_ms
    steady(site, lost_ms + EVERY + SETTLE + 2_000)
    back = [one for one in site.stored() if one.sid == lost.sid]
    assert [one.occurred_ms for one in back] == [lost_ms]
    [hole] = site.gaps()
    assert (hole.cause, hole.from_ms, hole.to_ms, hole.events) == (Cause.UNKNOWN, lost_ms, lost_ms, 1)
    assert hole.types == {"reservation.accepted": 1}
    assert hole.found_ms <= lost_ms + EVERY + SETTLE + 2_000
    assert site.recovered == 1


def test_what_is_still_on_its_way_is_no_hole(site: Site) -> None:
    """An event that arrives within `settle_s` is not read before it."""
    steady(site, T0 + 20 * MINUTE)
    for _ in range(20):
        late = activity(site.now_ms, AVAILABLE)
        site.history.happened.append(late)
        site.run(55_000)
        site.submit([late])
    steady(site, site.now_ms + 10 * MINUTE)
    assert site.gaps() == []


def test_nothing_is_read_twice_besides_the_overlap(site: Site) -> None:
    """Two hours: each look goes on where the last one ended."""
    steady(site, T0 + 2 * HOUR)
    asked = site.history.spans()
    assert len(asked) == 24
    overlap_ms = 300_000
    for (_, end_ms), (start_ms, _) in pairwise(asked):
        assert max(T0, end_ms - overlap_ms - 20_000) <= start_ms <= max(T0, end_ms - overlap_ms + 1)
    assert site.verified()[0].start_ms == T0
    assert len(site.verified()) == 1


def test_what_the_list_shows_late_is_found_by_the_overlap(site: Site) -> None:
    """An event that the list did not show when its span was verified."""
    steady(site, T0 + 20 * MINUTE)
    hidden = activity(site.now_ms, AVAILABLE)
    site.happen(hidden, lost=True)
    shown_from_ms = site.now_ms + EVERY + SETTLE
    site.history.visible = lambda row: row.sid != hidden.sid or site.now_ms >= shown_from_ms
    steady(site, site.now_ms + 3 * EVERY)
    assert hidden.sid in {one.sid for one in site.stored()}


def test_an_hour_of_silence_is_one_hole_with_that_cause(site: Site) -> None:
    """Of many events in a row not one came."""
    steady(site, T0 + 20 * MINUTE)
    lost = steady(site, T0 + 80 * MINUTE, lost=True)
    steady(site, T0 + 100 * MINUTE)
    stored = {one.sid for one in site.stored()}
    assert {one.sid for one in lost} <= stored
    assert {one.cause for one in site.gaps()} == {Cause.SILENT}
    assert sum(one.events for one in site.gaps()) == len(lost)


# -- away -----------------------------------------------------------------------------------------------------------


def test_a_restart_is_a_suspicion_that_is_filled(site: Site) -> None:
    """Three hours away: everything of the meantime comes back, the hole is the restart's."""
    steady(site, T0 + 20 * MINUTE)
    down_ms = site.now_ms
    lost = [activity(down_ms + at * MINUTE, AVAILABLE) for at in range(1, 180)]
    site.happen(*lost, lost=True)
    site.crash(3 * HOUR)
    [hole] = site.gaps()
    assert (hole.cause, hole.state) == (Cause.RESTART, GapState.OPEN)
    assert hole.from_ms <= down_ms
    steady(site, site.now_ms + 10 * MINUTE)
    site.pass_through()
    steady(site, site.now_ms + 5 * MINUTE)
    [hole] = site.gaps()
    assert (hole.state, hole.events) == (GapState.HEALED, len(lost))
    assert {one.sid for one in lost} <= {one.sid for one in site.stored()}


def test_a_restart_that_missed_nothing_is_clear(site: Site) -> None:
    """The record says so."""
    steady(site, T0 + 20 * MINUTE)
    site.crash(30_000)
    steady(site, site.now_ms + 10 * MINUTE)
    assert [(one.cause, one.state, one.events) for one in site.gaps()] == [(Cause.RESTART, GapState.CLEAR, 0)]


def test_what_was_refused_is_looked_for_as_soon_as_it_has_settled(site: Site) -> None:
    """Not only when the next round is due; many refusals are one hole."""
    steady(site, T0 + 20 * MINUTE)
    lost = []
    for _ in range(10):
        site.run(1_000)
        lost.append(activity(site.now_ms, AVAILABLE))
        site.happen(lost[-1], lost=True)
        site.reconciler.suspect(Cause.REFUSED, site.now_ms, site.now_ms)
    refused_ms = site.now_ms
    steady(site, refused_ms + 90_000)
    assert {one.sid for one in lost} <= {one.sid for one in site.stored()}
    assert [(one.cause, one.events) for one in site.gaps()] == [(Cause.REFUSED, 10)]


def test_a_suspicion_about_the_verified_past_is_read_again(site: Site) -> None:
    """A damaged row, say: what was there is there no more."""
    told = steady(site, T0 + 60 * MINUTE)
    with site.ledger.write() as connection:
        connection.exec_driver_sql("DELETE FROM events WHERE sid = ?", (told[30].sid,))
    at_ms = told[30].occurred_ms
    site.reconciler.suspect(Cause.DISK, at_ms, at_ms)
    steady(site, site.now_ms + 2 * MINUTE)
    assert told[30].sid in {one.sid for one in site.stored()}
    assert [(one.cause, one.events) for one in site.gaps()] == [(Cause.DISK, 1)]


def test_a_look_can_be_asked_for(site: Site) -> None:
    """After the WFM was away, for example."""
    steady(site, T0 + 20 * MINUTE)
    asked = len(site.history.asked)
    site.run(1_000)
    site.reconciler.look_soon()
    site.run(1_000)
    assert len(site.history.asked) == asked + 1


def test_what_happened_before_the_first_start_is_not_read(site: Site) -> None:
    """The connector answers for events from its first start on."""
    site.happen(activity(T0 - 1_000, AVAILABLE), lost=True)
    steady(site, T0 + 20 * MINUTE)
    assert min(from_ms for from_ms, _ in site.history.spans()) == T0
    assert site.gaps() == []


# -- healing --------------------------------------------------------------------------------------------------------


def test_a_hole_is_healed_when_its_reports_were_sent_again(make_site: Callable[..., Site]) -> None:
    """Filled, then projected, then reported: the record counts the intervals that were sent again meanwhile."""
    site = make_site(reports=True)
    steady(site, T0 + 20 * MINUTE)
    site.happen(activity(site.now_ms, AVAILABLE), lost=True)
    interval_ms = site.now_ms - site.now_ms % (15 * MINUTE)
    steady(site, site.now_ms + 7 * MINUTE)
    [hole] = site.gaps()
    assert hole.state is GapState.FILLED
    usual = Receipt(kind="queue", start_ms=interval_ms, revision=1, hash="x", status=ReceiptStatus.ACCEPTED, dirty=True)
    with site.ledger.write() as connection:
        receipts.save(connection, TENANT, usual)
    site.pass_through()
    site.run(2 * MINUTE)
    assert site.gaps()[0].state is GapState.FILLED  # the report is still wrong
    with site.ledger.write() as connection:
        for kind in ("queue", "activity"):
            again = Receipt(
                kind=kind,
                start_ms=interval_ms,
                revision=2,
                hash="y",
                status=ReceiptStatus.ACCEPTED,
                sent_ms=site.now_ms,
            )
            receipts.save(connection, TENANT, again)
    site.run(2 * MINUTE)
    [hole] = site.gaps()
    assert (hole.state, hole.intervals, hole.revisions) == (GapState.HEALED, 1, 2)
    assert hole.healed_ms is not None


def test_a_repair_waits_for_the_states_between_its_portions(site: Site) -> None:
    """So that what comes in the meantime waits for one portion at most."""
    steady(site, T0 + 20 * MINUTE)
    lost = [activity(site.now_ms + at, AVAILABLE) for at in range(1_000)]
    site.happen(*lost, lost=True)
    arrived = len(site.stored())
    site.projected = site.last_seq()
    for _ in range(400):
        site.run(1_000)
        if len(site.stored()) > arrived:
            break
    site.run(20_000)
    assert len(site.stored()) == arrived + 200
    site.projected = None
    site.run(5_000)
    assert {one.sid for one in lost} <= {one.sid for one in site.stored()}


def test_status_tells_what_others_need(site: Site) -> None:
    """For the condition of the feed: the problem, the last answer, and since when nothing is verified."""
    steady(site, T0 + 20 * MINUTE)
    status = site.reconciler.status()
    assert status["problem"] is None
    assert status["open_gaps"] == 0
    assert status["unverified_since_ms"] is None
    assert site.now_ms - EVERY - 2_000 <= status["last_read_ms"] <= site.now_ms


def test_recovered_events_carry_their_route(site: Site) -> None:
    """What the history brings is told apart from what came by itself."""
    steady(site, T0 + 20 * MINUTE)
    site.happen(activity(site.now_ms, AVAILABLE, sid="EVback", route=Route.REST), lost=True)
    steady(site, site.now_ms + 7 * MINUTE)
    assert [one.route for one in site.stored() if one.sid == "EVback"] == [Route.REST]
