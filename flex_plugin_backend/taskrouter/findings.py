"""What REST shows of workers and reservations, as events that say it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from flex_plugin_backend.domain.events import (
    FINDING,
    SNAPSHOT_RESERVATION,
    SNAPSHOT_WORKER,
    Route,
    TaskRouterEvent,
)
from flex_plugin_backend.errors import TwilioUnavailable
from flex_plugin_backend.taskrouter.callbacks import agent_key, task_words
from flex_plugin_backend.taskrouter.fields import epoch_ms, lower, sid, text

OPEN_TASKS = ("reserved", "assigned", "wrapping")
OPEN_RESERVATIONS = frozenset(("pending", "accepted", "wrapping"))


@dataclass(frozen=True, slots=True)
class Findings:
    """Makes the events of one workspace; rows are resources with Twilio's field names as attributes."""

    account_sid: str
    workspace_sid: str
    agent_path: tuple[str, ...] | None = None

    def of_worker(self, worker_sid: str, row: Any) -> TaskRouterEvent | None:
        """The worker's activity, and since when; None where the row carries no date."""
        occurred_ms = first_date(row.date_status_changed, row.date_updated, row.date_created)
        if occurred_ms is None:
            return None
        activity_sid = sid(row.activity_sid)
        return TaskRouterEvent(
            sid=_finding_sid(worker_sid, activity_sid, occurred_ms),
            type=SNAPSHOT_WORKER,
            occurred_ms=occurred_ms,
            route=Route.SNAPSHOT,
            account_sid=self.account_sid,
            workspace_sid=self.workspace_sid,
            resource_sid=worker_sid,
            worker_sid=worker_sid,
            worker_name=text(row.friendly_name),
            agent_key=agent_key(row.attributes, self.agent_path),
            activity_sid=activity_sid,
            activity_name=text(row.activity_name),
        )

    def of_reservation(self, reservation_sid: str, row: Any, task: Any) -> list[TaskRouterEvent]:
        """The reservation's status, and before it its creation; nothing where it is not open.

        Raises:
            TwilioUnavailable: it is open and carries no date.
        """
        status = lower(row.reservation_status)
        if status not in OPEN_RESERVATIONS:
            return []
        events: list[TaskRouterEvent] = []
        if status != "pending" and first_date(row.date_created) is not None:
            # When it was offered is known too; without that a wait would last to the last update.
            events.append(self._reservation(reservation_sid, "pending", row, task))
        events.append(self._reservation(reservation_sid, status, row, task))
        return events

    def _reservation(self, reservation_sid: str, status: str, row: Any, task: Any) -> TaskRouterEvent:
        # Only the creation is certain; any later update moves date_updated (reference 5.5).
        first, second = row.date_updated, row.date_created
        if status == "pending":
            first, second = second, first
        occurred_ms = first_date(first, second, task.date_updated, task.date_created)
        if occurred_ms is None:
            raise TwilioUnavailable(what="reservations", problem="an open reservation carries no date")
        return TaskRouterEvent(
            sid=_finding_sid(reservation_sid, status, occurred_ms),
            type=SNAPSHOT_RESERVATION,
            occurred_ms=occurred_ms,
            route=Route.SNAPSHOT,
            account_sid=self.account_sid,
            workspace_sid=self.workspace_sid,
            resource_sid=reservation_sid,
            reservation_sid=reservation_sid,
            reservation_status=status,
            worker_sid=sid(row.worker_sid),
            worker_name=text(row.worker_name),
            task_sid=sid(task.sid),
            task_status=text(task.assignment_status),
            task_queue_sid=sid(task.task_queue_sid),
            task_queue_name=text(task.task_queue_friendly_name),
            task_channel=text(task.task_channel_unique_name),
            task_created_ms=epoch_ms(task.date_created),
            queue_entered_ms=epoch_ms(task.task_queue_entered_date),
            workflow_sid=sid(task.workflow_sid),
            **task_words(task.attributes),
        )


def first_date(*dates: object) -> int | None:
    """The first of these that is a date, epoch milliseconds."""
    return next((moment for moment in map(epoch_ms, dates) if moment is not None), None)


def _finding_sid(*facts: object) -> str:
    """The same finding has the same identity, so a second look adds nothing to the ledger."""
    return FINDING + hashlib.sha256("\n".join(map(str, facts)).encode()).hexdigest()[:32]
