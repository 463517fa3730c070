"""Alarms over restarts and bad days: each begin that was told gets its end, once, whatever happens in between."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flow_bench import T0, TENANT
from hypothesis import given, settings
from hypothesis import strategies as st

from flex_plugin_backend.clock import ManualClock
from flex_plugin_backend.flow.alerts import MOST_WAITING, AlarmBook, AlertRules
from flex_plugin_backend.flow.backoff import Backoff
from flex_plugin_backend.flow.condition import Condition, ConditionBoard, Trouble, Witness
from flex_plugin_backend.flow.duty import Pause
from flex_plugin_backend.flow.webhook import Message, NotTaken
from flex_plugin_backend.ledger import alarms as alarm_rows
from flex_plugin_backend.ledger.alarms import Alarm
from flex_plugin_backend.ledger.store import Ledger

RULES = AlertRules(after_s=60.0, give_up_s=3600.0, backoff=Backoff(first_s=5.0, cap_s=300.0))
DOWN = (Condition.WFM_DOWN, Trouble.WFM_UNREACHABLE)
HELD = (Condition.HELD, Trouble.WFM_REFUSES)


class House:
    """One tenant's board and alarm book, a webhook that may be down, and restarts."""

    def __init__(self, folder: Path, *, webhook: bool = True, template: Path | None = None) -> None:
        self.path = folder / "ledger.sqlite3"
        if template is not None:
            shutil.copy(template, self.path)
        self.clock = ManualClock(T0)
        self.ledger = Ledger(f"sqlite:///{self.path}")
        self.webhook = webhook
        self.down: NotTaken | None = None
        self.taken: list[Message] = []
        self.tries = 0
        self.due_ms = T0
        self._firm = False
        self.start()

    def start(self) -> None:
        """A process begins on the ledger."""
        self.board = ConditionBoard(TENANT, self.clock.now_ms())
        post = self._post if self.webhook else None
        self.book = AlarmBook(TENANT, self.ledger, self.clock, self.board, RULES, post=post, chance=random.Random(1))
        self.book.begin()
        self.due_ms = self.clock.now_ms()
        self._firm = False
        self.run(0)

    def _post(self, message: Message, _now_ms: int) -> NotTaken | None:
        self.tries += 1
        if self.down is None:
            self.taken.append(message)
        return self.down

    def show(self, what: Any = Condition.OK, detail: str = "") -> None:
        """What delivery says."""
        condition, trouble = what if isinstance(what, tuple) else (what, None)
        self.board.show(condition, self.clock.now_ms(), detail, trouble)

    def run(self, seconds: float) -> None:
        """Let time pass, with the duty at its times."""
        until_ms = self.clock.now_ms() + round(seconds * 1000)
        while True:
            if self.book.duty.woken and not self._firm:
                self.due_ms = self.clock.now_ms()
            if self.due_ms > until_ms:
                break
            self.clock.set_ms(max(self.due_ms, self.clock.now_ms()))
            pause: Pause = self.book.duty.step()
            self._firm = pause.firm
            self.due_ms = 2**62 if pause.seconds is None else self.clock.now_ms() + round(pause.seconds * 1000)
        self.clock.set_ms(until_ms)

    def told(self) -> list[str]:
        """begin or end, with the cause, in order of telling."""
        return [f"{one.body['type'].removeprefix('alarm.')} {one.body['data']['cause']}" for one in self.taken]

    def stored(self) -> list[Alarm]:
        with self.ledger.read() as connection:
            return alarm_rows.latest(connection, TENANT, 1_000)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A house with a webhook."""
    house = House(tmp_path)
    house.show()
    yield house
    house.ledger.close()


def test_begin_and_end_are_told_with_what_a_human_needs(house: House) -> None:
    """Which tenant, what, since when, why, what to do; and how long it lasted."""
    house.show(DOWN, "HTTP 503")
    house.run(60)
    house.run(240)
    house.show()
    house.run(1)
    begin, end = house.taken
    assert begin.body["data"] == {
        "tenant": TENANT,
        "condition": "wfm down",
        "cause": "wfm unreachable",
        "since": "2025-06-15T15:06:40+00:00",
        "ended": None,
        "lasted_s": None,
        "detail": "HTTP 503",
        "to_do": begin.body["data"]["to_do"],
    }
    assert "service_url" in begin.body["data"]["to_do"]
    assert begin.body["text"].startswith("flex-wfm, acme: wfm down (wfm unreachable) since 2025-06-15T15:06:40")
    assert (end.body["type"], end.body["data"]["lasted_s"]) == ("alarm.end", 300.0)
    assert end.body["text"] == "flex-wfm, acme: wfm down (wfm unreachable) is over after 300 s."
    assert begin.id != end.id


def test_an_alarm_that_is_over_within_after_s_wakes_nobody(house: House) -> None:
    """It is in the log and in the ledger."""
    house.show(DOWN)
    house.run(59)
    house.show()
    house.run(600)
    assert house.taken == []
    assert [(one.ended_ms, one.begin_told_ms) for one in house.stored()] == [(T0 + 59_000, None)]


def test_an_alarm_that_began_before_a_restart_gets_its_end(house: House) -> None:
    """Told by another process than the one that told the begin, with the whole time it lasted."""
    house.show(DOWN)
    house.run(120)
    house.start()
    house.run(120)
    assert house.told() == ["begin wfm unreachable"]
    house.show()
    house.run(1)
    assert house.told() == ["begin wfm unreachable", "end wfm unreachable"]
    assert house.taken[1].body["data"]["lasted_s"] == 240.0


def test_an_alarm_that_goes_on_over_a_restart_is_not_begun_again(house: House) -> None:
    """One alarm, one begin."""
    house.show(DOWN)
    house.run(120)
    house.start()
    house.show(DOWN)
    house.run(600)
    assert house.told() == ["begin wfm unreachable"]
    assert house.board.standing.since_ms == T0
    assert len(house.stored()) == 1


def test_an_end_that_was_not_taken_before_the_restart_is_told_after_it(house: House) -> None:
    """The ledger knows what is still to be told."""
    house.show(DOWN)
    house.run(61)
    house.down = NotTaken("HTTP 500")
    house.show()
    house.run(30)
    house.down = None
    house.start()
    house.run(1)
    assert house.told() == ["begin wfm unreachable", "end wfm unreachable"]


def test_a_webhook_that_does_not_answer_is_tried_ever_more_slowly_and_not_for_ever(house: House) -> None:
    """At most 300 s apart; an hour after the alarm ended it is given up, and what comes later is told."""
    house.show(DOWN)
    house.down = NotTaken("HTTP 500")
    house.run(3600)
    assert 15 < house.tries < 40
    assert house.book.problem == "HTTP 500"
    house.show()
    house.run(3600 + 301)
    tries = house.tries
    house.run(3600)
    assert house.tries == tries
    house.down = None
    house.show(HELD)
    house.run(600)
    assert house.told() == ["begin wfm refuses the connector"]
    assert house.book.problem is None


def test_a_wish_to_wait_is_obeyed(house: House) -> None:
    """Retry-After, up to an hour."""
    house.show(DOWN)
    house.down = NotTaken("HTTP 429", 1800.0)
    house.run(60 + 1799)
    assert house.tries == 1
    house.down = None
    house.run(2)
    assert house.told() == ["begin wfm unreachable"]


def test_whatever_happens_while_the_webhook_is_away_only_so_much_is_remembered(house: House) -> None:
    """The oldest are let go; memory stays bounded."""
    house.down = NotTaken("HTTP 500")
    for _ in range(MOST_WAITING + 20):
        house.show(DOWN)
        house.run(61)
        house.show()
        house.run(1)
    assert len(house.book._alarms) <= MOST_WAITING
    house.down = None
    house.run(600)
    assert house.told() == ["begin wfm unreachable", "end wfm unreachable"] * (len(house.taken) // 2)
    assert len(house.taken) <= 2 * MOST_WAITING


def test_without_a_webhook_alarms_are_kept_all_the_same(tmp_path: Path) -> None:
    """For since-when after a restart, and for people."""
    house = House(tmp_path, webhook=False)
    house.show(DOWN)
    house.run(600)
    house.start()
    house.show(DOWN)
    assert house.board.standing.since_ms == T0
    house.show()
    house.run(1)
    assert [(one.since_ms, one.ended_ms) for one in house.stored()] == [(T0, T0 + 600_000)]
    assert house.book._alarms == {}
    house.ledger.close()


def test_where_the_ledger_takes_nothing_the_alarm_is_told_all_the_same_and_written_down_later(house: House) -> None:
    """The disk is full, say: that must be heard of above all."""
    with house.ledger.write() as connection:
        connection.exec_driver_sql("CREATE TRIGGER full BEFORE INSERT ON alarms BEGIN SELECT RAISE(FAIL, 'full'); END")
    house.show(HELD)
    house.run(61)
    assert house.told() == ["begin wfm refuses the connector"]
    assert house.stored() == []
    with house.ledger.write() as connection:
        connection.exec_driver_sql("DROP TRIGGER full")
    house.run(60)
    assert [one.begin_told_ms for one in house.stored()] == [T0 + 60_000]


def test_an_alarm_that_only_a_newer_program_knows_is_over(tmp_path: Path) -> None:
    """After going back to an older version its end is told instead of never."""
    house = House(tmp_path)
    strange = Alarm(condition="held", cause="sun spots", witness="moon", since_ms=T0 - 1, begin_told_ms=T0 - 1)
    with house.ledger.write() as connection:
        alarm_rows.save(connection, TENANT, [strange])
    house.start()
    house.run(1)
    assert house.told() == ["end sun spots"]
    house.ledger.close()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty ledger, made once."""
    path = tmp_path_factory.mktemp("template") / "ledger.sqlite3"
    Ledger(f"sqlite:///{path}").close()
    return path


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("show"), st.sampled_from([Condition.OK, DOWN, HELD])),
        st.tuples(st.just("feed"), st.sampled_from([Condition.OK, (Condition.BLIND, Trouble.FEED_SILENT), DOWN])),
        st.tuples(st.just("run"), st.sampled_from([1, 59, 61, 400])),
        st.tuples(st.just("webhook"), st.booleans()),
        st.tuples(st.just("restart"), st.none()),
    ),
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_every_begin_that_was_told_gets_exactly_one_end(template: Path, steps: list[tuple[str, Any]]) -> None:
    """Alarms, webhook outages and restarts in any order; once all is well, nothing is left open."""
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder), template=template)
        for what, value in steps:
            match what:
                case "show":
                    house.show(value)
                case "feed":
                    condition, trouble = value if isinstance(value, tuple) else (value, None)
                    house.board.show(condition, house.clock.now_ms(), trouble=trouble, witness=Witness.FEED)
                case "run":
                    house.run(value)
                case "webhook":
                    house.down = None if value else NotTaken("HTTP 500")
                case _:
                    house.run(0)
                    house.start()
        house.down = None
        house.show()
        house.board.show(Condition.OK, house.clock.now_ms(), witness=Witness.FEED)
        house.run(1_000)
        told: dict[str, list[str]] = {}
        for message in house.taken:
            alarm, _, kind = message.id.rpartition(".")
            told.setdefault(alarm, []).append(kind)
        assert all(kinds == ["begin", "end"] for kinds in told.values()), told
        assert all(one.ended_ms is not None for one in house.stored())
        house.ledger.close()
