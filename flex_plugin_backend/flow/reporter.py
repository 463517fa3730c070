"""Every 15 minutes the interval reports, none skipped, and again where a late event has changed one."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import structlog

from flex_plugin_backend.clock import Clock
from flex_plugin_backend.domain.intervals import INTERVAL_MS, Interval, first_whole
from flex_plugin_backend.flow.backoff import Backoff
from flex_plugin_backend.flow.buildreports import ReportBuilder, activity_report, content_hash, queue_report
from flex_plugin_backend.flow.taskbook import TaskBook
from flex_plugin_backend.ledger import eventlog, outbox, receipts
from flex_plugin_backend.ledger.receipts import ACTIVITY, KINDS, Receipt, ReceiptStatus
from flex_plugin_backend.ledger.store import Ledger
from flex_plugin_backend.wfm.contract import Profile
from flex_plugin_backend.wfm.dto import AgentActivityReportDTO, ReportDTO, WFMReportResponseDTO
from flex_plugin_backend.wfm.exceptions import CXoneWfmException, FailureKind

BEGIN = "reports.begin"
OPERATIONS = frozenset({"agent_activity", "queue_report"})
KEPT_ANSWER_CHARS = 2_000

Report = AgentActivityReportDTO | ReportDTO
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportTiming:
    """When reports are sent, in seconds.

    Attributes:
        delay_s: after the interval's end.
        correct_every_s: so often what has changed since is looked for, so that late events are gathered.
        correct_for_s: so long after its start an interval is corrected.
    """

    delay_s: float = 120.0
    correct_every_s: float = 300.0
    correct_for_s: float = 7 * 86_400.0
    held_retry_s: float = 300.0
    backoff: Backoff = field(default_factory=Backoff)


class Reporter:
    """One tenant's interval reports, oldest first; it reads on in the event log when an interval is due."""

    def __init__(
        self,
        tenant: str,
        ledger: Ledger,
        clock: Clock,
        book: TaskBook,
        builder: ReportBuilder,
        send: Callable[[Report], WFMReportResponseDTO],
        timing: ReportTiming,
        profile: Profile,
        *,
        on_outcome: Callable[[CXoneWfmException | None], None] = lambda _failure: None,
        chance: random.Random | None = None,
    ) -> None:
        """Set up.

        Args:
            send: raises CXoneWfmException where the WFM does not accept.
            on_outcome: told after each step what stands in the way of the reports, or that nothing does.
        """
        self._tenant = tenant
        self._ledger = ledger
        self._clock = clock
        self._book = book
        self._builder = builder
        self._send = send
        self._timing = timing
        self._profile = profile
        self._on_outcome = on_outcome
        self._chance = chance or random.Random()
        self._failures = 0
        self._begun = False
        self._look_ms = 0
        self.problem: str | None = None

    def begin(self) -> None:
        """Note the first whole interval that this connector sees; what lies before it is not reported."""
        if self._begun:
            return
        with self._ledger.write() as connection:
            if not eventlog.cursor(connection, self._tenant, BEGIN):
                eventlog.set_cursor(connection, self._tenant, BEGIN, first_whole(self._clock.now_ms()).start_ms)
        self._begun = True

    def waiting(self) -> int:
        """How many reports are due, or must be looked at again."""
        now_ms = self._clock.now_ms()
        return sum(len(kinds) for _, kinds in self._due(now_ms)) + len(self._dirty(now_ms))

    def step(self) -> float:
        """Send what is due of one interval, the oldest first, or else correct one that has changed since.

        Returns the seconds to wait before the next step.
        """
        now_ms = self._clock.now_ms()
        self._book.catch_up(now_ms)
        found = self._next(now_ms)
        if found is None:
            self._on_outcome(None)
            return max(0.0, (min(self._next_due_ms(), self._look_ms) - self._clock.now_ms()) / 1000)
        failure = self._report(*found, now_ms)
        if failure is not None:
            return self._failed(failure)
        self._failures, self.problem = 0, None
        self._on_outcome(None)
        return 0.0

    def _next(self, now_ms: int) -> tuple[Interval, list[str]] | None:
        """The next interval to report, and the kinds of report."""
        for interval, kinds in self._due(now_ms):
            return interval, kinds
        if now_ms < self._look_ms:
            return None
        changed = self._dirty(now_ms) or self._refused(now_ms)
        if not changed:
            self._look_ms = now_ms + round(self._timing.correct_every_s * 1000)
            return None
        first_ms = changed[0][1]
        return Interval(first_ms), [kind for kind, start_ms in changed if start_ms == first_ms]

    def _due(self, now_ms: int) -> Iterator[tuple[Interval, list[str]]]:
        """The intervals that are due and lack a report, oldest first."""
        due_ms = now_ms - round(self._timing.delay_s * 1000)
        start_ms, ends = self._next_start_ms()
        if start_ms == 0:
            return  # it has not begun
        while start_ms + INTERVAL_MS <= due_ms:
            yield Interval(start_ms), [kind for kind in KINDS if start_ms > (ends[kind] or 0)]
            start_ms += INTERVAL_MS

    def _dirty(self, now_ms: int) -> list[tuple[str, int]]:
        with self._ledger.read() as connection:
            return receipts.dirty(connection, self._tenant, now_ms - round(self._timing.correct_for_s * 1000))

    def _refused(self, now_ms: int) -> list[tuple[str, int]]:
        """What the WFM refused, whole or in part, and may take by now: its reason may have passed."""
        with self._ledger.read() as connection:
            found = receipts.refused(connection, self._tenant, now_ms - round(self._timing.correct_for_s * 1000))
        return [(one.kind, one.start_ms) for one in found if self._has_rested(one, now_ms)]

    def _has_rested(self, refused: Receipt, now_ms: int) -> bool:
        """The older a report was when it was refused, the longer it rests: a dozen tries in a week, not thousands."""
        sent_ms = refused.sent_ms or 0
        least_ms = round(self._timing.held_retry_s * 1000)
        # Where the clock was set back, the last try lies ahead.
        return sent_ms > now_ms or now_ms - sent_ms >= max(least_ms, (sent_ms - refused.start_ms) // 2)

    def _next_start_ms(self) -> tuple[int, dict[str, int | None]]:
        """The start of the oldest interval that lacks a report, and the newest that has one, by kind."""
        with self._ledger.read() as connection:
            begin_ms = eventlog.cursor(connection, self._tenant, BEGIN)
            last = {kind: receipts.last_start_ms(connection, self._tenant, kind) for kind in KINDS}
        return min(begin_ms if one is None else one + INTERVAL_MS for one in last.values()), last

    def _next_due_ms(self) -> int:
        start_ms, _ = self._next_start_ms()
        return start_ms + INTERVAL_MS + round(self._timing.delay_s * 1000)

    def _report(self, interval: Interval, kinds: Sequence[str], now_ms: int) -> CXoneWfmException | None:
        """Build an interval by what is known now, and send of it what the WFM does not hold already."""
        rows = self._builder.rows(interval, now_ms)
        for queue in rows.mixed_queues:
            _log.warning("report.mixed_queue", tenant=self._tenant, queue=queue)
        for kind in kinds:
            report = activity_report(rows) if kind == ACTIVITY else queue_report(rows)
            failure = self._send_if_new(kind, interval, report, now_ms)
            if failure is not None:
                return failure
        return None

    def _send_if_new(self, kind: str, interval: Interval, report: Report, now_ms: int) -> CXoneWfmException | None:
        digest = content_hash(report, self._profile)
        with self._ledger.read() as connection:
            before = receipts.find(connection, self._tenant, kind, interval.start_ms)
        same = before if before is not None and before.hash == digest else None
        if same is not None and (same.status in receipts.DONE or not self._has_rested(same, now_ms)):
            with self._ledger.write() as connection:
                receipts.clean(connection, self._tenant, kind, interval.start_ms)
            return None
        receipt = Receipt(
            kind=kind,
            start_ms=interval.start_ms,
            revision=1 if before is None else before.revision + (same is None),
            hash=digest,
            status=ReceiptStatus.ACCEPTED,
        )
        try:
            response = self._send(report)
        except CXoneWfmException as failure:
            if failure.kind is not FailureKind.CONTENT or failure.operation not in OPERATIONS:
                return failure
            _log.error("report.refused", tenant=self._tenant, kind=kind, start_ms=interval.start_ms, why=str(failure))
            self._keep(replace(receipt, status=ReceiptStatus.REFUSED, note=str(failure)), failure.response)
            return None
        refused = len(response.rejected) + response.unplaced_rejections
        if refused:
            _log.error("report.rows_refused", tenant=self._tenant, kind=kind, start_ms=interval.start_ms, rows=refused)
            receipt = replace(receipt, status=ReceiptStatus.PARTIAL, note=f"{refused} rows were refused")
        self._keep(receipt, response)
        return None

    def _keep(self, receipt: Receipt, response: WFMReportResponseDTO) -> None:
        now_ms = self._clock.now_ms()
        with self._ledger.write() as connection:
            answer_id = outbox.keep_answer(
                connection,
                self._tenant,
                at_ms=now_ms,
                what=f"{receipt.kind} report",
                status=response.status or None,
                rows=1,
                body=response.raw[:KEPT_ANSWER_CHARS],
            )
            receipts.save(connection, self._tenant, replace(receipt, sent_ms=now_ms, answer_id=answer_id))

    def _failed(self, failure: CXoneWfmException) -> float:
        self._failures += 1
        self.problem = str(failure)
        self._on_outcome(failure)
        _log.warning("report.not_sent", tenant=self._tenant, problem=self.problem)
        if failure.kind is not FailureKind.PASSING:
            return self._timing.held_retry_s
        return self._timing.backoff.delay_s(self._failures, self._chance, failure.retry_after_s)
