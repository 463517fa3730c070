"""One look at the history: every event of the span once, however its pages behave."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import pytest
from fake_history import FakeHistory, failed, run_course, sids
from histories import AVAILABLE, activity, event, reservation

from flex_plugin_backend.clock import ManualClock
from flex_plugin_backend.domain.events import TaskRouterEvent
from flex_plugin_backend.domain.spans import Span
from flex_plugin_backend.errors import TwilioUnavailable
from flex_plugin_backend.flow import looking
from flex_plugin_backend.flow.asking import Asker
from flex_plugin_backend.flow.looking import Look, Looker, StoredEvents
from flex_plugin_backend.ledger import eventlog
from flex_plugin_backend.ledger.eventlog import Arrival
from flex_plugin_backend.ledger.store import Ledger

T0 = 1_750_000_000_000
SPAN = Span(T0, T0 + 900_000)


def some(number: int, every_ms: int = 1_000) -> list[TaskRouterEvent]:
    return [activity(T0 + at * every_ms, AVAILABLE, sid=f"EV{at:04d}") for at in range(number)]


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """One for all tests; each has a tenant of its own."""
    found = Ledger(f"sqlite:///{tmp_path_factory.mktemp('looking') / 'l.sqlite3'}")
    yield found
    found.close()


Looking = Callable[..., Look]


@pytest.fixture
def look(ledger: Ledger, request: pytest.FixtureRequest) -> Looking:
    """Looks at a history beside a ledger that holds these events."""
    tenant = request.node.name

    def at(history: FakeHistory, known: Iterable[TaskRouterEvent] = (), span: Span = SPAN, overlap_ms: int = 0) -> Look:
        with ledger.write() as connection:
            eventlog.append(connection, [Arrival(tenant, one, one.occurred_ms) for one in known])
        asker = Asker(tenant, ManualClock(T0), requests_per_minute=6_000.0)
        looker = Looker(tenant, history, asker, StoredEvents(tenant, ledger))
        _, found = run_course(looker.look(span, overlap_ms))
        assert isinstance(found, Look)
        return found

    return at


def test_what_the_ledger_lacks_is_found_on_every_page(look: Looking) -> None:
    """Twenty-five events on three pages, five of them unknown."""
    history = FakeHistory(some(25), page_size=10)
    unknown = ["EV0000", "EV0009", "EV0010", "EV0019", "EV0024"]
    found = look(history, [one for one in history.happened if one.sid not in unknown])
    assert sids(list(found.missing.values())) == unknown
    assert (found.pages, found.rows, found.newest_ms) == (3, 25, T0 + 24_000)
    assert sorted(found.told) == [(T0 + at * 1_000, f"EV{at:04d}" in unknown) for at in range(25)]


@pytest.mark.parametrize("order", [1, -1])
def test_the_order_of_the_list_does_not_matter(look: Looking, order: int) -> None:
    """It is not documented."""
    history = FakeHistory(some(25)[::order], page_size=10)
    assert len(look(history).missing) == 25


def test_rows_that_move_between_pages_are_taken_once(look: Looking) -> None:
    """A row that is shown on two pages is one event."""
    events = some(30)
    history = FakeHistory(events[:10] + events[5:15] + events[10:30], page_size=10)
    found = look(history)
    assert sids(list(found.missing.values())) == sids(events)
    assert len(found.told) == 30


def test_only_what_moves_something_counts(look: Looking) -> None:
    """The feed does not send other types, so their absence is no hole; the newest of all tells how far Twilio is."""
    other = event("workflow.entered", T0 + 500_000, sid="EV8")
    found = look(FakeHistory([*some(3), other]))
    assert sids(list(found.missing.values())) == ["EV0000", "EV0001", "EV0002"]
    assert found.newest_ms == T0 + 500_000


def test_what_lies_behind_the_end_waits_for_its_own_look(look: Looking) -> None:
    """Twilio's end is a whole second and inclusive; an event in it may still be on its way."""
    history = FakeHistory([activity(T0 + 999, AVAILABLE, sid="EV1"), activity(T0 + 1_000, AVAILABLE, sid="EV2")])
    found = look(history, span=Span(T0, T0 + 1_000))
    assert (sids(list(found.missing.values())), found.newest_ms) == (["EV1"], T0 + 999)


def test_the_overlap_reads_what_the_list_showed_late(look: Looking) -> None:
    """It is asked for before the span."""
    history = FakeHistory([activity(T0 - 60_000, AVAILABLE, sid="EV1"), activity(T0 - 60_001, AVAILABLE, sid="EV2")])
    assert sids(list(look(history, overlap_ms=60_000).missing.values())) == ["EV1"]
    assert history.spans() == [(T0 - 60_000, SPAN.end_ms)]


def test_a_failing_page_is_asked_for_again_and_the_rest_is_not(look: Looking) -> None:
    """What has been read is not read again."""
    history = FakeHistory(some(30), page_size=10)
    history.failures.extend([None, failed(503), failed(429), None])
    assert len(look(history).missing) == 30
    assert [number for _, _, number in history.asked] == [0, 1, 1, 1, 2]


def test_an_expired_token_begins_the_list_again(look: Looking) -> None:
    """The pages that were read count; no event comes twice."""
    history = FakeHistory(some(30), page_size=10)
    history.dead_tokens.add("https://taskrouter.twilio.com/Events?n=2")
    found = look(history)
    assert [number for _, _, number in history.asked] == [0, 1, 2, 0, 1, 2]
    assert len(found.told) == len(found.missing) == 30


def test_tokens_that_always_expire_are_given_up(look: Looking) -> None:
    """Then a smaller span has to be asked about."""
    history = FakeHistory(some(30), page_size=10)
    history.failures.extend([None, failed(400)] * 10)
    with pytest.raises(TwilioUnavailable):
        look(history)
    assert len(history.asked) == 2 * (looking.MOST_RESTARTS + 1)


def test_a_refused_question_is_not_repeated(look: Looking) -> None:
    """A first page that Twilio does not take."""
    history = FakeHistory(some(3))
    history.failures.append(failed(400))
    with pytest.raises(TwilioUnavailable):
        look(history)
    assert len(history.asked) == 1


def test_a_list_that_goes_in_circles_ends(look: Looking, monkeypatch: pytest.MonkeyPatch) -> None:
    """A last page that points to itself does not keep repair busy for ever."""
    monkeypatch.setattr(looking, "MOST_PAGES", 5)
    with pytest.raises(TwilioUnavailable, match="not ended after 5 pages"):
        look(FakeHistory(some(100), page_size=10))


def test_rows_that_are_no_events_are_counted_and_passed_over(look: Looking) -> None:
    """One broken row does not hide the others."""
    broken = activity(T0 + 1, AVAILABLE, sid="EVx", task_status="broken")
    found = look(FakeHistory([{}, broken, *some(2)]))
    assert (found.unreadable, len(found.missing)) == (2, 2)


def test_what_is_stored_under_another_sid_is_not_missing(look: Looking) -> None:
    """A callback without `Sid`, or a route that numbers otherwise: the same moment and content is the same event."""
    told = some(20)
    found = look(FakeHistory(told), [replace(one, sid=f"CK{one.sid}") for one in told[:15]])
    assert sids(list(found.missing.values())) == sids(told[15:])
    assert sum(missing for _, missing in found.told) == 5


def test_an_event_that_the_list_shows_itself_is_nobody_s_twin(look: Looking) -> None:
    """Two events of the same moment and content, one of them lost: the lost one is found."""
    first = activity(T0, AVAILABLE, sid="EV1")
    found = look(FakeHistory([first, replace(first, sid="EV2")]), [first])
    assert list(found.missing) == ["EV2"]


def test_another_reservation_of_the_same_moment_is_missing(look: Looking) -> None:
    """What differs in any part of the content is another event."""
    one, other = reservation("created", T0, 1), reservation("created", T0, 2, task_sid="WT1")
    assert list(look(FakeHistory([one, other]), [replace(one, sid="CK1")]).missing) == [other.sid]
