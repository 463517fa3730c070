"""Is the feed from Twilio alive: a silent one may be quiet, dead, or out of sight, and each is told apart."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import structlog

from flex_plugin_backend.clock import Clock
from flex_plugin_backend.flow.condition import Condition, ConditionBoard, Trouble, Witness
from flex_plugin_backend.flow.duty import Duty, Pause
from flex_plugin_backend.flow.looking import Look
from flex_plugin_backend.ledger import eventlog
from flex_plugin_backend.ledger.gaps import Cause
from flex_plugin_backend.ledger.store import Ledger
from flex_plugin_backend.settings import TenantSettings

TICK_S = 30.0
# The oldest piece of history that was not compared is looked up no oftener.
BEHIND_MS = 60_000
# What we refused ourselves, or missed while we started, is no fault of the feed; nor is what happened just after.
NOT_LISTENING_MS = 10_000

_log = structlog.get_logger(__name__)


class SecondWitness(Protocol):
    """What Twilio's own history says, as repair reads it."""

    @property
    def unreachable(self) -> str | None:
        """Why Twilio's REST API does not answer; None where it does."""

    @property
    def unverified_since_ms(self) -> int | None:
        """The oldest instant that should have been compared by now and was not."""

    def suspect(self, cause: Cause, from_ms: int, to_ms: int) -> None:
        """Events of this span may be missing."""

    def look_soon(self) -> None:
        """Compare the present now."""


@dataclass(slots=True)
class _Lost:
    """Events that Twilio lists and that did not come, counted since the last one that did; their times by Twilio."""

    number: int = 0
    first_ms: int = 0
    last_ms: int = 0

    def add(self, at_ms: int) -> None:
        self.first_ms = min(self.first_ms, at_ms) if self.number else at_ms
        self.last_ms = max(self.last_ms, at_ms)
        self.number += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRules:
    """When a feed counts as blind.

    Attributes:
        silent_events, silent_s: so many events in a row, over so long a time, that Twilio lists and that did not come.
        unreachable_s: so long Twilio's REST API may fail to answer.
        settle_s: how long an event may be on its way.
        silent_agent_s: without REST, so long a silence, times the agents logged in; 0: never.
        silent_least_s: and no shorter a silence, however many they are.
    """

    silent_events: int = 5
    silent_s: float = 60.0
    unreachable_s: float = 60.0
    settle_s: float = 60.0
    silent_agent_s: float = 14_400.0
    silent_least_s: float = 300.0

    @classmethod
    def of(cls, settings: TenantSettings) -> FeedRules:
        """What a tenant's settings say."""
        health = settings.health
        return cls(
            silent_events=health.silent_events,
            silent_s=health.silent_s,
            unreachable_s=health.unreachable_s,
            settle_s=settings.repair.settle_s,
            silent_agent_s=health.silent_agent_s,
            silent_least_s=health.silent_least_s,
        )


class FeedWatch:
    """One tenant's watch over what comes by itself, by callback or stream.

    Silence alone proves nothing: at night nobody moves. So Twilio's history is the second witness. Silence while it
    shows nothing new is quiet; silence while it shows events that did not come is blind, and so is a history that
    cannot be read. Without it only the number of agents logged in says how long a silence can be.

    Blind it stays until something comes by itself again. `heard`, `missed` and `seen` may be called from any thread.
    """

    def __init__(
        self,
        tenant: str,
        ledger: Ledger,
        clock: Clock,
        board: ConditionBoard,
        rules: FeedRules,
        *,
        witness: SecondWitness | None,
        logged_in: Callable[[], int],
        start_problem: Callable[[], str | None] = lambda: None,
    ) -> None:
        """Set up.

        Args:
            witness: repair; None where nothing is compared.
            logged_in: how many agents are logged in.
            start_problem: why the floor could not be read at the start.
        """
        self._tenant = tenant
        self._ledger = ledger
        self._clock = clock
        self._board = board
        self._rules = rules
        self._witness = witness
        self._logged_in = logged_in
        self._start_problem = start_problem
        self._lock = threading.Lock()
        self._seq = 0
        # Twilio's times of events are compared with one another, our own times with our own: clocks differ.
        self._told_ms = 0
        self._heard_ms = clock.now_ms()
        self._listening_ms = clock.now_ms() + NOT_LISTENING_MS
        self._lost = _Lost()
        self._blind = False
        self._suspected_ms: int | None = None
        self._unreachable_ms: int | None = None
        self._ask_ms: int | None = self._heard_ms + self._early_ms
        self._behind_ms: int | None = None
        self._behind_at_ms = 0
        self.agents = 0
        self.duty = Duty(f"feed-{tenant}", self.step)

    # -- what others tell -----------------------------------------------------------------------------------------

    def heard(self, told_ms: int) -> None:
        """An event of this time (Twilio's) has come by itself, even if it was known already."""
        with self._lock:
            self._heard(told_ms, self._clock.now_ms())

    def missed(self) -> None:
        """An event came and could not be stored, so what is missing of now is our own fault."""
        with self._lock:
            self._listening_ms = max(self._listening_ms, self._clock.now_ms() + NOT_LISTENING_MS)
            self._lost = _Lost()

    def seen(self, look: Look) -> None:
        """Twilio's history was read: what it shows after the last event that came by itself did not come."""
        with self._lock:
            after_ms = max(self._told_ms, self._listening_ms)
            for one in look.missing.values():
                if one.occurred_ms > after_ms:
                    self._lost.add(one.occurred_ms)
            uneasy = self._blind or self._lost.number > 0
        if uneasy:
            self._catch_up_with_ledger()
            self._judge_silence(looked=True)
            with self._lock:
                # Lost, but not enough of it to be sure: look again as soon as it could be.
                self._ask_ms = None if self._blind else self._clock.now_ms() + round(self._rules.silent_s * 1000)
            self.duty.wake()

    def begin(self) -> None:
        """A feed that was dead when the process before this one ended is dead until something comes."""
        stood = {one.trouble for one in self._board.alarms}
        self._blind = Trouble.FEED_SILENT in stood
        if Trouble.NO_EVENTS in stood:
            with self._ledger.read() as connection:
                newest = eventlog.newest_by_itself(connection, self._tenant, 0)
            self._heard_ms = min(self._heard_ms, newest[0]) if newest else 0

    # -- the duty -------------------------------------------------------------------------------------------------

    def step(self) -> Pause:
        """Judge once; a silence is judged while it lasts, not when it ends."""
        self._follow_clock()
        self._catch_up_with_ledger()
        self.agents = self._logged_in()
        self._judge_silence()
        self._show()
        self._look_early()
        return Pause(TICK_S)

    @property
    def silent_s(self) -> float:
        """For how long nothing has come by itself, or since this process listens."""
        return max(0, self._clock.now_ms() - self._heard_ms) / 1000

    def _follow_clock(self) -> None:
        """Where the clock was set back, what it showed before lies in no future."""
        now_ms = self._clock.now_ms()
        with self._lock:
            if self._heard_ms > now_ms:
                self._heard_ms, self._ask_ms = now_ms, now_ms + self._early_ms
            self._listening_ms = min(self._listening_ms, now_ms + NOT_LISTENING_MS)

    def _heard(self, told_ms: int, received_ms: int) -> None:
        self._told_ms = max(self._told_ms, told_ms)
        self._heard_ms = max(self._heard_ms, received_ms)
        self._ask_ms = self._heard_ms + self._early_ms
        self._lost = _Lost()
        if self._blind:
            self._blind = False
            self.duty.wake()

    def _catch_up_with_ledger(self) -> None:
        """What another process on the same ledger has taken was heard, too."""
        with self._ledger.read() as connection:
            last_seq = eventlog.last_seq(connection, self._tenant)
            newest = None
            if last_seq != self._seq:
                newest = eventlog.newest_by_itself(connection, self._tenant, self._seq)
            self._seq = last_seq
        if newest is None:
            return
        received_ms, told_ms = newest
        with self._lock:
            self._told_ms = max(self._told_ms, told_ms)
            if received_ms > self._heard_ms:
                self._heard(told_ms, received_ms)

    def _judge_silence(self, *, looked: bool = False) -> None:
        """Blind by what the history shows; the time of blindness is suspected piece by piece, so that the history is
        read again every minute or so while it lasts.
        """
        now_ms = self._clock.now_ms()
        with self._lock:
            lost, least_ms = self._lost, self._rules.silent_s * 1000
            silent = now_ms - self._heard_ms >= least_ms
            if silent and lost.number >= self._rules.silent_events and lost.last_ms - lost.first_ms >= least_ms:
                self._blind = True
            from_ms = self._suspected_ms
            if from_ms is None and self._blind:
                from_ms = min(lost.first_ms or now_ms, self._heard_ms)
            elif from_ms is None or (self._blind and not looked):
                return
            self._suspected_ms = now_ms if self._blind else None
        if self._witness is not None:
            self._witness.suspect(Cause.BLIND, from_ms, now_ms)

    def _show(self) -> None:
        now_ms = self._clock.now_ms()
        detail, trouble = self._trouble(now_ms)
        if trouble is not None:
            self._board.show(Condition.BLIND, now_ms, detail, trouble, witness=Witness.FEED)
            return
        if self._witness is not None and not 0 <= now_ms - self._behind_at_ms < BEHIND_MS:
            self._behind_ms, self._behind_at_ms = self._witness.unverified_since_ms, now_ms
        if self._behind_ms is not None:
            detail = f"the events since {_time(self._behind_ms)} are being compared with Twilio's history"
            self._board.show(Condition.CATCHING_UP, now_ms, detail, Trouble.HISTORY, witness=Witness.FEED)
            return
        self._board.show(Condition.OK, now_ms, witness=Witness.FEED)

    def _trouble(self, now_ms: int) -> tuple[str, Trouble | None]:
        problem = self._start_problem()
        if problem is not None:
            return f"the floor of the start is not known: {problem}", Trouble.TWILIO_UNREACHABLE
        if self._blind:
            lost = self._lost
            since = f"nothing has come since {_time(self._heard_ms)}"
            listed = f"; Twilio lists {lost.number} events of {_time(lost.first_ms)} and later" if lost.number else ""
            return since + listed, Trouble.FEED_SILENT
        problem = self._unreachable(now_ms)
        if problem is not None:
            return problem, Trouble.TWILIO_UNREACHABLE
        if self._witness is None and self._silent_too_long(now_ms):
            return (
                f"nothing has come since {_time(self._heard_ms)}, while {self.agents} agents are logged in",
                Trouble.NO_EVENTS,
            )
        return "", None

    def _unreachable(self, now_ms: int) -> str | None:
        problem = self._witness.unreachable if self._witness is not None else None
        if problem is None:
            self._unreachable_ms = None
            return None
        if self._unreachable_ms is None:
            self._unreachable_ms = now_ms
        return problem if now_ms - self._unreachable_ms >= self._rules.unreachable_s * 1000 else None

    def _silent_too_long(self, now_ms: int) -> bool:
        rules, silent_s = self._rules, (now_ms - self._heard_ms) / 1000
        limit = rules.silent_agent_s
        return limit > 0 and silent_s >= rules.silent_least_s and silent_s * self.agents >= limit

    def _look_early(self) -> None:
        """A silence while agents are logged in is a reason to ask sooner than it is due, once in each."""
        with self._lock:
            due = self._ask_ms is not None and self._clock.now_ms() >= self._ask_ms
            if due:
                self._ask_ms = None
        if due and self._witness is not None and self.agents:
            self._witness.look_soon()

    @property
    def _early_ms(self) -> int:
        """So long a silence that a dead feed would show itself in what is read."""
        return round((self._rules.settle_s + 1.5 * self._rules.silent_s) * 1000)


def _time(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
