"""What happens to tasks: birth, changes, queues and completion."""

from __future__ import annotations

from collections import deque

from simulator.world.blocks import with_more
from simulator.world.entities import Task, TaskQueue, TaskStatus
from simulator.world.notes import NOTHING, Notes, touch

KEEPS_ENDED_TASKS_MS = 300_000  # Twilio reference 3.1: terminal tasks are deleted after 5 minutes


class TaskSteps(Notes):
    """Changes tasks, one documented step at a time; `tasks` are those that REST still knows, oldest first."""

    tasks: dict[str, Task]
    _ended: deque[Task]

    def create_task(self, task: Task) -> None:
        """Let a task enter its workflow and queue; the four events of its birth fall within ten milliseconds.

        A task without a queue enters none; who is to take it stands in its routing target.
        """
        ms = task.created_ms
        self._forget_ended(ms)
        self.tasks[task.sid] = task
        queued = bool(task.queue.sid)
        if queued:
            task.queue_entered_ms = ms + self.gap_ms()
        self.log_task("task.created", task, ms)
        self.log_task("workflow.entered", task, ms + self.gap_ms())
        if queued:
            self.log_task("task-queue.entered", task, task.queue_entered_ms)
            self._log_target(task, ms + self.gap_ms())
        self.ledger.entered(task, task.queue_entered_ms if queued else ms)

    def _log_target(self, task: Task, ms: int) -> None:
        self.log_task("workflow.target-matched", task, ms, {"workflow_filter_name": task.queue.name})

    def _forget_ended(self, now_ms: int) -> None:
        ended = self._ended
        while ended and (ended[0].terminal_ms or 0) < now_ms - KEEPS_ENDED_TASKS_MS:
            task = ended.popleft()
            self.tasks.pop(task.sid, None)
            # Without circles nothing has to look for garbage.
            task.reservations, task.partner = [], None

    def update_task(self, task: Task, key: str, value_json: str, at_ms: int) -> None:
        """Write one of the task's attributes."""
        task.attributes_json = with_more(task.attributes_json, key, value_json)
        if task.base is not None:
            task.base = {**task.base, "task_attributes": task.attributes_json}
        touch(task, at_ms)
        self.log_task("task.updated", task, at_ms)

    def rewrite_task(self, task: Task, attributes_json: str, priority: int, at_ms: int) -> None:
        """Write all of the task's attributes, and its priority."""
        task.attributes_json, task.priority, task.base = attributes_json, priority, None
        touch(task, at_ms)
        self.log_task("task.updated", task, at_ms)

    def complete_task(self, task: Task, at_ms: int, reason: str = "") -> None:
        """End a task that was taken."""
        self.end_task(task, TaskStatus.COMPLETED, reason, at_ms)
        extra = {"task_completed_reason": reason, "reason": reason} if reason else NOTHING
        self.log_task("task.completed", task, at_ms, extra)
        self.ledger.completed(task, at_ms)

    def end_task(self, task: Task, status: TaskStatus, reason: str, at_ms: int) -> None:
        """Let a task be over; nothing is told of it by that."""
        task.queue.waiting.pop(task.sid, None)
        task.status = status
        task.reason = reason
        task.terminal_ms = at_ms
        self._ended.append(task)
        touch(task, at_ms)

    # -- queues

    def move_to_queue(self, task: Task, queue: TaskQueue, at_ms: int) -> None:
        """Put a task into another queue, as a transfer does."""
        task.queue = queue
        task.queue_entered_ms = at_ms
        task.base = None
        touch(task, at_ms)
        self.log_task("task-queue.entered", task, at_ms)
        self.ledger.entered(task, at_ms)

    def overflow(self, task: Task, queue: TaskQueue, at_ms: int, *, openly: bool) -> None:
        """Let a task that has waited too long go on to the next queue of its workflow."""
        before = task.queue
        before.waiting.pop(task.sid, None)
        kind = "task-queue.moved" if openly else "task-queue.timeout"
        extra = NOTHING
        if openly:
            extra = {
                "previous_task_queue_sid": before.sid,
                "previous_task_queue_name": before.name,
                "target_changed_reason": "workflow timeout",
            }
        self.log_task(kind, task, at_ms, extra)
        self.ledger.left(task, at_ms)
        entered_ms = at_ms + self.gap_ms(0, 6)
        self.move_to_queue(task, queue, entered_ms)
        self._log_target(task, entered_ms + self.gap_ms(0, 4))
