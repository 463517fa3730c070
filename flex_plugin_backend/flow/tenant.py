"""One tenant at work: start-up, heartbeat, projector, forwarder and reporter, each a duty, under one lease."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import structlog
from pydantic import ValidationError

from flex_plugin_backend.domain.events import TaskRouterEvent
from flex_plugin_backend.errors import ContractError
from flex_plugin_backend.flow.alerts import AlarmBook
from flex_plugin_backend.flow.backoff import Backoff
from flex_plugin_backend.flow.buildreports import ReportBuilder
from flex_plugin_backend.flow.condition import Condition, ConditionBoard, Witness, condition_of
from flex_plugin_backend.flow.crosscheck import CrossCheck
from flex_plugin_backend.flow.drift import FloorCheck
from flex_plugin_backend.flow.duty import AT_ONCE, UNTIL_WOKEN, Duty, Pause, retraced, until_done
from flex_plugin_backend.flow.forwarder import OPERATION, Forwarder, ForwardRules
from flex_plugin_backend.flow.health import FeedRules, FeedWatch
from flex_plugin_backend.flow.looking import Look
from flex_plugin_backend.flow.projector import MOST_PER_STEP, Projector
from flex_plugin_backend.flow.reconciler import Reconciler, RepairRules
from flex_plugin_backend.flow.reporter import Report, Reporter, ReportTiming
from flex_plugin_backend.flow.retention import Horizon, Retention, RetentionRules
from flex_plugin_backend.flow.rules import derive_report_rules, derive_rules, derive_state_rules
from flex_plugin_backend.flow.startup import Startup, StartupRules
from flex_plugin_backend.flow.status import condition_record, logged_in
from flex_plugin_backend.flow.taskbook import TaskBook
from flex_plugin_backend.flow.tenantparts import TenantParts
from flex_plugin_backend.ledger import eventlog, outbox
from flex_plugin_backend.ledger.gaps import Cause
from flex_plugin_backend.ledger.outbox import Delivery, Kind, StateChange
from flex_plugin_backend.wfm import (
    AgentState,
    AgentStateListDTO,
    AgentStatesService,
    Beat,
    CXoneWfmException,
    FailureKind,
    Heartbeat,
    ReportDTO,
    ReportService,
    WFMReportResponseDTO,
)

LEASE_POLL_S = 1.0

_log = structlog.get_logger(__name__)


class Tenant:
    """Starts and stops what works for one tenant, and tells how it is."""

    def __init__(self, parts: TenantParts) -> None:
        self._parts = parts
        self.name = parts.name
        self._clock = parts.clock
        self.board = ConditionBoard(parts.name, parts.clock.now_ms())
        self.horizon = Horizon(parts.name, parts.ledger, parts.clock)
        self._duties: list[Duty] = []
        self._stored = 0
        self._last_event_ms: int | None = None
        self._build(parts)
        parts.metrics.watch(
            parts.name,
            pending=lambda: self._number(Delivery.PENDING, Delivery.SENDING),
            held=lambda: self._number(Delivery.DEAD, Delivery.UNMAPPED),
        )
        parts.metrics.watch_health(parts.name, self.board, self.watch)

    def _build(self, parts: TenantParts) -> None:
        settings, states, wfm = parts.settings, parts.settings.states, parts.settings.wfm
        profile = parts.connection.profile
        self._service = AgentStatesService(parts.connection)
        self._reports = ReportService(parts.connection)
        self.forwarder = Forwarder(
            parts.name,
            parts.ledger,
            parts.clock,
            self._send,
            ForwardRules(
                batch_limit=min(wfm.batch_limit or profile.limits.agent_states_rows, profile.limits.agent_states_rows),
                min_state_s=states.min_state_s,
                catch_up_s=states.catch_up_s,
                held_retry_s=wfm.held_retry_s,
                snapshot_after_outage_s=states.snapshot_after_outage_s,
                backoff=Backoff(first_s=wfm.retry_first_s, cap_s=wfm.retry_cap_s),
            ),
            self.board,
            on_delivered=self._delivered,
            on_failure=lambda failure: parts.metrics.failures.labels(parts.name, failure.kind.value).inc(),
            on_recovered=self._wfm_is_back,
        )
        self.projector = Projector(
            parts.name,
            parts.ledger,
            parts.clock,
            rules_for=lambda catalogue: derive_rules(settings, profile, catalogue),
            reorder_window_s=states.reorder_window_s,
            on_changes=self.forwarder.wake,
            complete_from_ms=lambda: self.horizon.complete_from_ms,
        )
        self.reconciler = self._build_reconciler(parts)
        self.startup = Startup(
            parts.name,
            parts.reader,
            self.projector,
            parts.clock,
            StartupRules(snapshot=settings.twilio.snapshot_at_start, gone_settle_s=states.gone_settle_s),
            submit=parts.submit,
            recover=self.reconciler.recover if self.reconciler else parts.submit,
            settled=self._settled,
            last_stored=self._last_stored,
            newest_ms=self._newest_ms,
            since_ms=self._since_ms,
        )
        self.watch = self._build_watch(parts)
        self.alerts = self._build_alerts(parts)
        self.reporter = self._build_reporter(parts)
        self.retention = Retention(
            parts.name,
            parts.ledger,
            parts.clock,
            RetentionRules(keep_s=parts.keep_days * 86_400, reports=settings.reports.enabled),
            self.horizon,
            on_pruned=lambda table, rows: parts.metrics.pruned.labels(parts.name, table).inc(rows),
        )
        self._heartbeat = Heartbeat(parts.connection, self._beaten, period_s=wfm.heartbeat_s)
        self._projecting = Duty(f"projector-{parts.name}", self._project)
        self._forwarding = False

    def _build_reporter(self, parts: TenantParts) -> Reporter:
        settings, reports, wfm = parts.settings, parts.settings.reports, parts.settings.wfm
        rules = derive_report_rules(settings, derive_state_rules(settings))
        book = TaskBook(
            parts.name,
            parts.ledger,
            mapping=lambda: self.projector.mapping,
            rules=rules,
            gone=self.projector.deleted_workers,
        )
        return Reporter(
            parts.name,
            parts.ledger,
            parts.clock,
            book,
            ReportBuilder(parts.name, parts.ledger, book, mapping=lambda: self.projector.mapping, rules=rules),
            self._send_report,
            ReportTiming(
                delay_s=reports.delay_s,
                correct_every_s=reports.correct_every_s,
                correct_for_s=reports.correct_for_days * 86_400,
                held_retry_s=wfm.held_retry_s,
                backoff=Backoff(first_s=wfm.retry_first_s, cap_s=wfm.retry_cap_s),
            ),
            parts.connection.profile,
            on_outcome=self._reported,
        )

    def _build_reconciler(self, parts: TenantParts) -> Reconciler | None:
        repair, reports = parts.settings.repair, parts.settings.reports
        if parts.pages is None or not repair.enabled:
            return None
        metrics = parts.metrics
        floor = FloorCheck(parts.name, parts.pages, self.projector, parts.clock)
        return Reconciler(
            parts.name,
            parts.ledger,
            parts.clock,
            parts.pages,
            RepairRules(
                every_s=repair.every_s,
                settle_s=repair.settle_s,
                overlap_s=repair.overlap_s,
                requests_per_minute=repair.requests_per_minute,
                reports=reports.enabled,
                correct_for_s=reports.correct_for_days * 86_400,
            ),
            submit=parts.submit,
            projected=lambda: self.projector.cursor,
            compare=floor.compare,
            totals=CrossCheck(parts.name, parts.ledger, parts.pages, parts.clock, every_s=repair.totals_every_s),
            on_look=self._looked,
            on_request=lambda ok: metrics.requests.labels(parts.name, "answered" if ok else "failed").inc(),
            on_recovered=lambda number: metrics.recovered.labels(parts.name).inc(number),
            on_drift=lambda number: metrics.drift.labels(parts.name).inc(number),
        )

    def _build_watch(self, parts: TenantParts) -> FeedWatch:
        return FeedWatch(
            parts.name,
            parts.ledger,
            parts.clock,
            self.board,
            FeedRules.of(parts.settings),
            witness=self.reconciler,
            logged_in=lambda: logged_in(self.projector),
            start_problem=lambda: self.startup.problem,
        )

    def _build_alerts(self, parts: TenantParts) -> AlarmBook:
        messages = parts.metrics.messages
        return AlarmBook(
            parts.name,
            parts.ledger,
            parts.clock,
            self.board,
            parts.alert_rules,
            post=parts.post,
            on_message=lambda taken: messages.labels(parts.name, "taken" if taken else "failed").inc(),
        )

    def start(self) -> None:
        """Begin; the lease decides whether this process works or stands by."""
        with self._parts.ledger.read() as connection:
            self._stored, self._last_event_ms = eventlog.count(connection, self.name)
        self._begin(Duty.of_course(f"lead-{self.name}", self._lead()))

    def stop(self) -> None:
        """End every duty after the step it is in, and give the lease back."""
        while self._duties:  # the lead may have begun more of them meanwhile
            ending, self._duties = self._duties, []
            self._parts.drive.end(ending)
        self._parts.lease.release()
        self._parts.connection.close()

    def stored(self, number: int) -> None:
        """New events are in the ledger."""
        self._stored += number
        self._last_event_ms = self._clock.now_ms()
        self._parts.metrics.events.labels(self.name).inc(number)
        self._projecting.wake()

    def heard(self, event: TaskRouterEvent) -> None:
        """An event has come by itself and is in the ledger, perhaps since before."""
        self.watch.heard(event.occurred_ms)

    def refused(self, *, disk: bool = False) -> None:
        """An event of this tenant could not be stored, perhaps for want of room; Twilio may not send it again."""
        self.watch.missed()
        if self.reconciler is not None:
            now_ms = self._clock.now_ms()
            self.reconciler.suspect(Cause.DISK if disk else Cause.REFUSED, now_ms, now_ms)

    @property
    def started(self) -> bool:
        """Is the first look at Twilio over, so that states flow."""
        return not self.board.is_starting

    def health(self) -> dict[str, Any]:
        """What an operator asks first, ready for JSON."""
        return {
            **condition_record(self.board),
            "silent_s": round(self.watch.silent_s),
            "agents_logged_in": self.watch.agents,
            "alert_problem": self.alerts.problem,
            "pending": self._number(Delivery.PENDING, Delivery.SENDING),
            "dead_letters": self._number(Delivery.DEAD, Delivery.UNMAPPED),
            "unmapped": {worker: why for worker, (_, why) in self.unmapped().items()},
            "events": self._stored,
            "unprojected": self._unprojected(),
            "reports_waiting": self.reporter.waiting() if self._parts.settings.reports.enabled else 0,
            "report_problem": self.reporter.problem,
            "last_event_ms": self._last_event_ms,
            "repair": self.reconciler.status() if self.reconciler else None,
        }

    def unmapped(self) -> dict[str, tuple[int, str]]:
        """Workers whose states are held for want of a mapping: how many states, and why."""
        with self._parts.ledger.read() as connection:
            return outbox.unmapped_workers(connection, self.name)

    # -- duties -------------------------------------------------------------------------------------------------

    def _begin(self, duty: Duty) -> None:
        self._duties.append(duty)
        self._parts.drive.start(duty)

    def _lead(self) -> Iterator[Pause]:
        """Wait for the lease, then set everything going; then this is the start-up."""
        while not self._parts.lease.acquire():
            self.board.show(Condition.STANDBY, self._clock.now_ms(), "another process on this ledger forwards")
            yield Pause(LEASE_POLL_S)
        self.board.show(Condition.STARTING, self._clock.now_ms())
        yield from until_done(self.alerts.begin)
        self.watch.begin()
        self._begin(self.alerts.duty)
        # First what a dead process had claimed: it may be for an agent that the settings call otherwise by now.
        yield from until_done(self.forwarder.resume)
        yield from until_done(self.projector.load)
        if self.reconciler is not None:
            yield from until_done(self.reconciler.begin)
        self._begin(Duty(f"heartbeat-{self.name}", lambda: Pause(self._heartbeat.step(), firm=True)))
        yield from until_done(self.startup.prepare)
        self._begin(self._projecting)
        self._begin(self.watch.duty)
        self._begin(self.retention.duty)
        yield from retraced(self.startup.course)

    def _project(self) -> Pause:
        if self.projector.step() >= MOST_PER_STEP:
            return AT_ONCE
        due_ms = self.projector.next_timer_ms()
        return UNTIL_WOKEN if due_ms is None else Pause(max(0.0, (due_ms - self._clock.now_ms()) / 1000))

    def _last_stored(self) -> int:
        with self._parts.ledger.read() as connection:
            return eventlog.last_seq(connection, self.name)

    def _since_ms(self) -> int:
        with self._parts.ledger.read() as connection:
            return eventlog.first_received_ms(connection, self.name) or 0

    def _newest_ms(self) -> int | None:
        with self._parts.ledger.read() as connection:
            return eventlog.newest_ms(connection, self.name)

    def _settled(self) -> None:
        """The first look at Twilio is over: tell the WFM the present state of every agent, then each change."""
        if self._forwarding:
            return
        self._repeat_present_states()
        # Only now: where the repetition failed, this is called again.
        self._forwarding = True
        self._begin(self.forwarder.duty)
        if self._parts.settings.reports.enabled:
            self._begin(Duty(f"reporter-{self.name}", self._report))
        if self.reconciler is not None:
            self._begin(self.reconciler.duty)

    def _report(self) -> Pause:
        self.reporter.begin()
        return Pause(self.reporter.step(), firm=True)

    def _repeat_present_states(self) -> None:
        agents = self.projector.repeat_present_states()
        _log.info("tenant.present_states_queued", tenant=self.name, agents=agents)

    def _reported(self, failure: CXoneWfmException | None) -> None:
        now_ms = self._clock.now_ms()
        if failure is None:
            self.board.show(Condition.OK, now_ms, witness=Witness.REPORTS)
        else:
            self.board.show(*condition_of(failure, now_ms), witness=Witness.REPORTS)

    def _looked(self, look: Look) -> None:
        self.watch.seen(look)

    def _wfm_is_back(self) -> None:
        self._repeat_present_states()
        if self.reconciler is not None:
            self.reconciler.look_soon()

    # -- what the parts call ------------------------------------------------------------------------------------

    def _send(self, changes: Sequence[StateChange]) -> WFMReportResponseDTO:
        try:
            states = tuple(
                AgentState(
                    agent_id=one.agent_id or "",
                    event_id=one.event_id or "",
                    event_reason=one.reason,
                    start_ms=one.start_ms,
                )
                for one in changes
            )
            return self._service.process_agent_states(AgentStateListDTO(agent_states=states))
        except (ContractError, ValidationError) as error:
            # A state that cannot be put into the contract's form is refused content, found by halving like any other.
            raise CXoneWfmException(kind=FailureKind.CONTENT, operation=OPERATION, problem=str(error)) from error

    def _send_report(self, report: Report) -> WFMReportResponseDTO:
        operation = "queue_report" if isinstance(report, ReportDTO) else "agent_activity"
        try:
            if isinstance(report, ReportDTO):
                return self._reports.process_queue_report(report)
            return self._reports.process_agent_activity_report(report)
        except (ContractError, ValidationError) as error:
            raise CXoneWfmException(kind=FailureKind.CONTENT, operation=operation, problem=str(error)) from error

    def _delivered(self, changes: Sequence[StateChange], now_ms: int) -> None:
        self._parts.metrics.delivered.labels(self.name).inc(len(changes))
        latency = self._parts.metrics.latency.labels(self.name)
        for one in changes:
            if one.kind is Kind.CHANGE:
                latency.observe(max(0, now_ms - one.start_ms) / 1000)

    def _beaten(self, beat: Beat) -> None:
        self._parts.metrics.heartbeats.labels(self.name, "ok" if beat.ok else "failed").inc()
        failure = beat.error if isinstance(beat.error, CXoneWfmException) else None
        self.forwarder.heartbeat(failure)
        if not beat.ok:
            _log.warning("heartbeat.failed", tenant=self.name, problem=str(beat.error))

    def _number(self, *statuses: Delivery) -> int:
        with self._parts.ledger.read() as connection:
            return outbox.number(connection, self.name, statuses)

    def _unprojected(self) -> int:
        with self._parts.ledger.read() as connection:
            return eventlog.number_after(connection, self.name, self.projector.cursor)
