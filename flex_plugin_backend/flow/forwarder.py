"""Sends undelivered state changes, oldest first, in as large a batch as gathered while the last was in flight."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from flex_plugin_backend.clock import Clock
from flex_plugin_backend.domain.events import FINDING
from flex_plugin_backend.flow.backoff import Backoff
from flex_plugin_backend.flow.condition import Condition, ConditionBoard, Trouble, condition_of
from flex_plugin_backend.flow.duty import UNTIL_WOKEN, Duty, Pause
from flex_plugin_backend.ledger import letters, outbox
from flex_plugin_backend.ledger.outbox import Delivery, Kind, StateChange
from flex_plugin_backend.ledger.store import Ledger
from flex_plugin_backend.wfm.dto import WFMReportResponseDTO
from flex_plugin_backend.wfm.exceptions import CXoneWfmException, FailureKind

OPERATION = "agent_states"
KEPT_ANSWER_CHARS = 2_000
IDLE_POLL_S = 1.0

_log = structlog.get_logger(__name__)


class StateSender(Protocol):
    """The door to the WFM: raises CXoneWfmException where it does not accept."""

    def __call__(self, changes: Sequence[StateChange]) -> WFMReportResponseDTO:
        """Send these states in this order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardRules:
    """The settings of delivery; durations in seconds."""

    batch_limit: int
    min_state_s: float = 3.0
    catch_up_s: float = 900.0
    held_retry_s: float = 300.0
    snapshot_after_outage_s: float = 60.0
    backoff: Backoff = field(default_factory=Backoff)


@dataclass(slots=True)
class _Outcome:
    """What became of one batch: the failure that stopped it, if any."""

    delivered: list[StateChange] = field(default_factory=list)
    failure: CXoneWfmException | None = None


class Forwarder:
    """One tenant's deliveries: one request at a time, so that order per agent holds by construction."""

    def __init__(
        self,
        tenant: str,
        ledger: Ledger,
        clock: Clock,
        sender: StateSender,
        rules: ForwardRules,
        board: ConditionBoard,
        *,
        on_delivered: Callable[[Sequence[StateChange], int], None] = lambda _changes, _now_ms: None,
        on_failure: Callable[[CXoneWfmException], None] = lambda _failure: None,
        on_recovered: Callable[[], None] = lambda: None,
        chance: random.Random | None = None,
    ) -> None:
        """Set up; nothing is sent yet.

        Args:
            on_recovered: called after the first success that follows an outage of `snapshot_after_outage_s`.
        """
        self._tenant = tenant
        self._ledger = ledger
        self._clock = clock
        self._sender = sender
        self._rules = rules
        self._board = board
        self._on_delivered = on_delivered
        self._on_failure = on_failure
        self._on_recovered = on_recovered
        self._beat_failure: CXoneWfmException | None = None
        self._refused: set[str] = set()
        self._unplaced = 0
        self._chance = chance or random.Random()
        self._failures = 0
        self._outage_since_ms: int | None = None
        self._took_all = False  # nothing waits behind the batch that was claimed last
        self._claimed = True  # perhaps: by a process or a step that came to no end
        self.duty = Duty(f"forwarder-{tenant}", self._turn, poll_s=IDLE_POLL_S)

    def resume(self) -> None:
        """Take back what a dead process had claimed: its outcome is unknown, so it is sent again."""
        with self._ledger.write() as connection:
            released = outbox.release_unfinished(connection, self._tenant)
        if released:
            _log.info("forwarder.resumed", tenant=self._tenant, unfinished=released)

    def wake(self) -> None:
        """There may be something to send."""
        self.duty.wake()

    def _turn(self) -> Pause:
        if self._claimed:
            # Also after a fault of the ledger: rows claimed then would stay claimed for ever.
            self.resume()
        self._claimed = True
        wait_s = self.step()
        self._claimed = False
        if wait_s == 0.0 and self._took_all and self._board.standing.condition is not Condition.CATCHING_UP:
            return UNTIL_WOKEN  # whatever has come since has woken it
        # New changes do not shorten a pause that the peer needs; only the duty's end does.
        return UNTIL_WOKEN if wait_s is None else Pause(wait_s, firm=True)

    def step(self) -> float | None:
        """Send one batch; returns the seconds to wait before the next, `None` where nothing waits."""
        batch, skipped = self._claim()
        if not batch:
            if skipped:
                return 0.0  # what waits behind them has not been looked at yet
            if self._failures == 0:
                self._show_rest()
            return None
        outcome = _Outcome()
        try:
            self._send(batch, outcome)
        except BaseException:
            self._release(batch)
            raise
        if outcome.failure is not None:
            self._release(batch)
            return self._failed(outcome.failure)
        self._succeeded(len(batch), delivered=bool(outcome.delivered))
        return 0.0

    def heartbeat(self, failure: CXoneWfmException | None) -> None:
        """What the last heartbeat found; where nothing waits to be sent it is the only sign of the WFM's health."""
        self._beat_failure = failure
        self.wake()

    def _show_rest(self) -> None:
        """The condition while nothing waits to be sent."""
        now_ms = self._clock.now_ms()
        if self._beat_failure is not None:
            self._board.show(*condition_of(self._beat_failure, now_ms))
        elif self._still_refused() or self._unplaced:
            self._board.show(Condition.HELD, now_ms, self._refusals(), Trouble.STATES_REFUSED)
        else:
            self._board.show(Condition.OK, now_ms)

    def _still_refused(self) -> set[str]:
        """The workers whose present state the WFM refuses; a command may have discarded what was held of some."""
        if self._refused:
            with self._ledger.read() as connection:
                self._refused &= letters.refused_workers(connection, self._tenant)
        return self._refused

    def _refusals(self) -> str:
        agents = f"the WFM refuses the present state of {len(self._refused)} agents" if self._refused else ""
        rows = f"the WFM refused {self._unplaced} rows without saying which" if self._unplaced else ""
        return "; ".join(part for part in (agents, rows) if part)

    def _claim(self) -> tuple[list[StateChange], bool]:
        """The next batch, marked as being sent, and whether superseded states were skipped on the way."""
        with self._ledger.read() as connection:
            if not outbox.any_pending(connection, self._tenant):
                return [], False
        now_ms = self._clock.now_ms()
        before_ms = now_ms - round(self._rules.catch_up_s * 1000)
        with self._ledger.write() as connection:
            waiting = outbox.pending(connection, self._tenant, self._rules.batch_limit)
            if any(one.start_ms < before_ms for one in waiting):
                outbox.skip_superseded_before(connection, self._tenant, before_ms, "superseded during an outage")
                waiting = outbox.pending(connection, self._tenant, self._rules.batch_limit)
            self._took_all = len(waiting) < self._rules.batch_limit
            findings = [one.id for one in waiting if (one.cause_sid or "").startswith(FINDING)]
            over = outbox.skip_past_findings(connection, self._tenant, findings, "seen in a snapshot only, and over")
            batch, short = self._without_short([one for one in waiting if one.id not in over])
            outbox.mark(connection, [one.id for one in short], Delivery.SKIPPED, "superseded before it could be sent")
            outbox.mark(connection, [one.id for one in batch], Delivery.SENDING)
        return batch, bool(over or short)

    def _without_short(self, waiting: Sequence[StateChange]) -> tuple[list[StateChange], list[StateChange]]:
        """Split off what was superseded within `min_state_s`, and repetitions of what is not present any more."""
        least_ms = self._rules.min_state_s * 1000
        followed_ms: dict[str, int] = {}
        batch: list[StateChange] = []
        short: list[StateChange] = []
        for one in reversed(waiting):
            next_ms = followed_ms.get(one.worker_sid)
            stale = next_ms is not None and (one.kind is Kind.SNAPSHOT or 0 <= next_ms - one.start_ms < least_ms)
            (short if stale else batch).append(one)
            if one.kind is Kind.CHANGE:
                followed_ms[one.worker_sid] = one.start_ms
        batch.reverse()
        return batch, short

    def _send(self, batch: Sequence[StateChange], outcome: _Outcome) -> None:
        """Send a batch; where its content is refused, halve it until the bad record stands alone."""
        try:
            response = self._sender(batch)
        except CXoneWfmException as failure:
            self._on_failure(failure)
            if failure.kind is not FailureKind.CONTENT or failure.operation != OPERATION:
                # A refused login or look-up says nothing about the states.
                outcome.failure = failure
                return
            self._halve(batch, str(failure), failure.response, outcome)
            return
        if response.accepted == 0 and not response.rejected and response.unplaced_rejections:
            # Accepted as a request, but not a single row of it: as good as refused.
            why = response.message or "the WFM took none of the rows and did not say why"
            self._halve(batch, why, response, outcome)
            return
        self._accepted(batch, response, outcome)

    def _halve(self, batch: Sequence[StateChange], why: str, response: WFMReportResponseDTO, outcome: _Outcome) -> None:
        if len(batch) == 1:
            self._bury(batch[0], why, response)
            return
        half = len(batch) // 2
        self._send(batch[:half], outcome)
        if outcome.failure is None:
            self._send(batch[half:], outcome)

    def _accepted(self, batch: Sequence[StateChange], response: WFMReportResponseDTO, outcome: _Outcome) -> None:
        now_ms = self._clock.now_ms()
        refused = {row.index: row for row in response.rejected if 0 <= row.index < len(batch)}
        good = [one for index, one in enumerate(batch) if index not in refused]
        with self._ledger.write() as connection:
            answer_id = outbox.keep_answer(
                connection,
                self._tenant,
                at_ms=now_ms,
                what="agent states",
                status=response.status,
                rows=len(batch),
                body=response.raw[:KEPT_ANSWER_CHARS],
            )
            outbox.mark_delivered(connection, [one.id for one in good], now_ms, answer_id)
            for index, row in refused.items():
                outbox.mark_dead(
                    connection, batch[index].id, f"refused by the WFM: {row.message or row.code}", answer_id
                )
        self._refused.difference_update(one.worker_sid for one in good)
        self._refused.update(batch[index].worker_sid for index in refused)
        self._unplaced = response.unplaced_rejections
        if refused or self._unplaced:
            _log.error("forwarder.rows_refused", tenant=self._tenant, rows=len(refused), unplaced=self._unplaced)
        outcome.delivered.extend(good)
        self._on_delivered(good, now_ms)

    def _bury(self, one: StateChange, why: str, response: WFMReportResponseDTO) -> None:
        self._refused.add(one.worker_sid)
        with self._ledger.write() as connection:
            answer_id = outbox.keep_answer(
                connection,
                self._tenant,
                at_ms=self._clock.now_ms(),
                what="agent states",
                status=response.status or None,
                rows=1,
                body=response.raw[:KEPT_ANSWER_CHARS],
            )
            outbox.mark_dead(connection, one.id, f"refused by the WFM: {why}", answer_id)
        _log.error("forwarder.dead_letter", tenant=self._tenant, worker=one.worker_sid, change=one.id, why=why)

    def _release(self, batch: Sequence[StateChange]) -> None:
        """Whatever of the batch found no end waits again."""
        with self._ledger.write() as connection:
            outbox.release(connection, [one.id for one in batch])

    def _failed(self, failure: CXoneWfmException) -> float:
        now_ms = self._clock.now_ms()
        self._failures += 1
        if self._outage_since_ms is None:
            self._outage_since_ms = now_ms
        self._board.show(*condition_of(failure, now_ms))
        if failure.kind is not FailureKind.PASSING:
            return self._rules.held_retry_s
        return self._rules.backoff.delay_s(self._failures, self._chance, failure.retry_after_s)

    def _succeeded(self, size: int, *, delivered: bool) -> None:
        now_ms = self._clock.now_ms()
        self._failures = 0
        if not delivered:
            # Everything was refused: the WFM answers, but it is not well, and an outage is not over by that.
            self._show_rest()
            return
        outage_since_ms, self._outage_since_ms = self._outage_since_ms, None
        self._beat_failure = None
        behind = size >= self._rules.batch_limit or outage_since_ms is not None
        if behind and not self._refused:
            self._board.show(Condition.CATCHING_UP, now_ms, trouble=Trouble.BACKLOG)
        else:
            self._show_rest()
        if outage_since_ms is not None and now_ms - outage_since_ms >= self._rules.snapshot_after_outage_s * 1000:
            self._on_recovered()
