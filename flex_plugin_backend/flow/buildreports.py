"""One interval out of the ledger: segments and task facts -> rows -> the DTOs that go to the WFM."""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from flex_plugin_backend.domain.agents import Segment
from flex_plugin_backend.domain.intervals import INTERVAL_MS, Interval
from flex_plugin_backend.domain.mapping import MappingRules, WfmState
from flex_plugin_backend.domain.report_rules import ReportRules
from flex_plugin_backend.domain.reports import AgentLine, IntervalRows, rows_of
from flex_plugin_backend.errors import ContractError
from flex_plugin_backend.flow.taskbook import TaskBook
from flex_plugin_backend.ledger import agents as agent_rows
from flex_plugin_backend.ledger import segments as segment_rows
from flex_plugin_backend.ledger.store import Ledger
from flex_plugin_backend.wfm import (
    AgentActivity,
    AgentActivityReportDTO,
    AgentPerformanceRow,
    AgentQueueRow,
    QueueRow,
    ReportDTO,
)
from flex_plugin_backend.wfm.contract import Profile

# How many states before an interval are read to find the start of the row that lasts into it; then more, then all.
FEW_STATES, MORE_STATES, ALL_STATES = 4, 50, 1_000_000


class ReportBuilder:
    """Builds an interval's rows; the same ledger gives the same rows."""

    def __init__(
        self,
        tenant: str,
        ledger: Ledger,
        book: TaskBook,
        *,
        mapping: Callable[[], MappingRules],
        rules: ReportRules,
    ) -> None:
        self._tenant = tenant
        self._ledger = ledger
        self._book = book
        self._mapping = mapping
        self._rules = rules

    def rows(self, interval: Interval, as_of_ms: int) -> IntervalRows:
        """The rows of an interval by what is known at `as_of_ms`."""
        facts = self._book.facts_between(interval.start_ms, interval.end_ms)
        mapping = self._mapping()
        return rows_of(
            interval,
            visits=[visit for one in facts for visit in one.visits],
            contacts=[contact for one in facts for contact in one.contacts],
            lines=self._lines(interval, mapping),
            rules=self._rules,
            mapping=mapping,
            as_of_ms=as_of_ms,
        )

    def _lines(self, interval: Interval, mapping: MappingRules) -> list[AgentLine]:
        lines: list[AgentLine] = []
        with self._ledger.read() as connection:
            span = (interval.start_ms, interval.end_ms + INTERVAL_MS)
            known = segment_rows.lines(connection, self._tenant, *span, FEW_STATES)
            for worker_sid, agent_id in agent_rows.names(connection, self._tenant):
                states: Sequence[Segment] | None = known.get(worker_sid)
                if states:
                    read = partial(segment_rows.line, connection, self._tenant, worker_sid, *span)
                    lines.append(AgentLine(worker_sid, agent_id, None, self._states(states, read, interval, mapping)))
        return lines

    def _states(
        self,
        states: Sequence[Segment],
        read: Callable[[int], Sequence[Segment]],
        interval: Interval,
        mapping: MappingRules,
    ) -> Sequence[Segment]:
        """The line from the start of the activity row that lasts into the interval, or from its very beginning."""
        for asked, more in ((FEW_STATES, MORE_STATES), (MORE_STATES, ALL_STATES)):
            earlier = bisect_left(states, interval.start_ms, key=lambda one: one.start_ms)
            if earlier < asked:
                break
            start = self._row_start(states, earlier, mapping)
            if start is not None:
                return states[start:]
            states = read(more)
        return states

    def _row_start(self, line: Sequence[Segment], earlier: int, mapping: MappingRules) -> int | None:
        """The newest state before the interval that surely begins a row: two long neighbours told apart by the WFM."""
        for index in range(earlier - 1, 0, -1):
            before, here = line[index - 1], line[index]
            after_ms = line[index + 1].start_ms if index + 1 < len(line) else None
            long_before = here.start_ms - before.start_ms >= self._rules.min_state_ms
            long_here = after_ms is None or after_ms - here.start_ms >= self._rules.min_state_ms
            if long_before and long_here and _told(before, mapping) != _told(here, mapping):
                return index
        return None


def _told(segment: Segment, mapping: MappingRules) -> WfmState | None:
    found = mapping.wfm_state(segment.state)
    return found if isinstance(found, WfmState) else None


def activity_report(rows: IntervalRows) -> AgentActivityReportDTO:
    """The agent activity report of an interval."""
    return AgentActivityReportDTO(
        start_ms=rows.interval.start_ms,
        end_ms=rows.interval.end_ms,
        report_data=tuple(
            AgentActivity(
                agent_id=one.agent_id,
                agent_value=one.agent_value,
                event_id=one.event_id,
                event_reason=one.event_reason,
                start_ms=one.start_ms,
                end_ms=one.end_ms,
                duration_s=one.duration_s,
            )
            for one in rows.activities
        ),
    )


def queue_report(rows: IntervalRows) -> ReportDTO:
    """The queue report of an interval with its two agent parts; a part without rows is an empty one."""
    return ReportDTO(
        start_ms=rows.interval.start_ms,
        end_ms=rows.interval.end_ms,
        queue_report=tuple(
            QueueRow(
                queue_id=one.queue_id,
                queue_name=one.queue_name,
                contacts_received=one.contacts_received,
                contacts_handled=one.contacts_handled,
                contacts_abandoned=one.contacts_abandoned,
                contacts_answered_in_sl=one.contacts_answered_in_sl,
                contacts_abandoned_in_sl=one.contacts_abandoned_in_sl,
                handle_time_s=one.handle_time_s,
                work_time_s=one.work_time_s,
                queue_delay_s=one.queue_delay_s,
                service_level=one.service_level,
                backlog=one.backlog,
                backlog_not_expired=one.backlog_not_expired,
                backlog_expired=one.backlog_expired,
            )
            for one in rows.queues
        ),
        agent_queue_report=tuple(
            AgentQueueRow(
                queue_id=one.queue_id,
                agent_id=one.agent_id,
                contacts_handled=one.contacts_handled,
                handle_time_s=one.handle_time_s,
                work_time_s=one.work_time_s,
            )
            for one in rows.agent_queues
        ),
        agent_system_performance_report=tuple(
            AgentPerformanceRow(
                agent_id=one.agent_id,
                internal_calls=one.internal_calls,
                internal_time_s=one.internal_time_s,
                ready_time_s=one.ready_time_s,
                idle_time_s=one.idle_time_s,
                out_calls=one.out_calls,
                out_time_s=one.out_time_s,
                login_time_s=one.login_time_s,
            )
            for one in rows.performance
        ),
    )


def wire_of(report: AgentActivityReportDTO | ReportDTO, profile: Profile) -> dict[str, Any]:
    """The report as it stands on the wire, the ACD type left empty where it is not known yet."""
    return profile.encode(type(report).__name__, {"acd_type": "", **report.to_plain()})


def content_hash(report: AgentActivityReportDTO | ReportDTO, profile: Profile) -> str:
    """What tells two revisions of a report apart: what the WFM would see of them."""
    try:
        found: dict[str, Any] = wire_of(report, profile)
    except ContractError:  # the WFM will never see it; whoever sends it says why
        found = report.to_plain()
    return hashlib.sha256(json.dumps(found, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
