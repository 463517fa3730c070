"""Who gets which task: the longest idle worker with room, the oldest task first."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from simulator.world.agenda import Agenda
from simulator.world.entities import Reservation, Task, Worker
from simulator.world.transitions import Transitions


class Router:
    """Matches waiting tasks and workers; `on_offer` is told of each reservation it makes."""

    on_offer: Callable[[Reservation], None]

    def __init__(self, agenda: Agenda, transitions: Transitions) -> None:
        self._agenda = agenda
        self._transitions = transitions
        self._due: set[int] = set()

    def enqueue(self, task: Task) -> None:
        """Let a task wait in its queue, and look for a worker in a few milliseconds."""
        task.queue.waiting[task.sid] = task
        self._agenda.after(self._transitions.gap_ms(9, 60), self._match_task, task)

    def worker_changed(self, worker: Worker) -> None:
        """The worker may have room now: look for waiting work in a few milliseconds."""
        if worker.activity.available and worker.index not in self._due:
            self._due.add(worker.index)
            self._agenda.after(self._transitions.gap_ms(12, 150), self._match_worker, worker)

    def shun(self, task: Task, worker: Worker, for_ms: int) -> None:
        """Offer a refused task to others first, and to everybody after `for_ms`."""
        task.shunned = worker.sid
        task.shunned_until_ms = self._agenda.now_ms + for_ms
        # It has waited longer than the others, so it goes back to the front.
        task.queue.waiting = {task.sid: task, **task.queue.waiting}
        self.enqueue(task)
        self._agenda.after(for_ms + 1, self._match_task, task)

    def pick(self, task: Task, besides: Worker | None = None) -> Worker | None:
        """The worker of the task's queue who would get it now: the longest idle, else the least loaded with room."""
        idle = self._best(task.queue.idle.values(), task, besides)
        return idle if idle is not None else self._best(task.queue.workers, task, besides)

    def _best(self, candidates: Iterable[Worker], task: Task, besides: Worker | None) -> Worker | None:
        channel = task.channel.unique_name
        best: Worker | None = None
        best_key = (0, 0, 0)
        for worker in candidates:
            key = (len(worker.open), worker.idle_since_ms, worker.index)
            if (best is None or key < best_key) and worker.has_room(channel):
                if worker is besides or self._is_shunned(task, worker):
                    continue
                best, best_key = worker, key
        return best

    def _match_task(self, task: Task) -> None:
        if task.sid not in task.queue.waiting:
            return
        worker = self.pick(task)
        if worker is not None:
            self._offer(task, worker)

    def _match_worker(self, worker: Worker) -> None:
        self._due.discard(worker.index)
        while True:
            task = self._oldest_for(worker)
            if task is None:
                return
            self._offer(task, worker)

    def _oldest_for(self, worker: Worker) -> Task | None:
        oldest: Task | None = None
        for queue in worker.queues:
            for task in queue.waiting.values():
                if worker.has_room(task.channel.unique_name) and not self._is_shunned(task, worker):
                    if oldest is None or task.queue_entered_ms < oldest.queue_entered_ms:
                        oldest = task
                    break
        return oldest

    def _is_shunned(self, task: Task, worker: Worker) -> bool:
        return task.shunned == worker.sid and self._agenda.now_ms < task.shunned_until_ms

    def _offer(self, task: Task, worker: Worker) -> None:
        self.on_offer(self._transitions.offer(task, worker, self._agenda.now_ms, task.transfer))
