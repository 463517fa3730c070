"""Who gets which task: the longest idle worker with room, the most urgent and then the oldest task first."""

from __future__ import annotations

from collections.abc import Callable

from simulator.world.agenda import Agenda
from simulator.world.entities import Reservation, Task, TaskQueue, Worker
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

    @staticmethod
    def reorder(queue: TaskQueue) -> None:
        """Put the most urgent first; of equals, who came first."""
        if len({task.priority for task in queue.waiting.values()}) > 1:
            in_order = sorted(queue.waiting.values(), key=lambda task: (-task.priority, task.queue_entered_ms))
            queue.waiting = {task.sid: task for task in in_order}

    def worker_changed(self, worker: Worker) -> None:
        """The worker may have room now: look for waiting work in a few milliseconds."""
        if worker.activity.available and worker.index not in self._due:
            self._due.add(worker.index)
            self._agenda.after(self._transitions.gap_ms(12, 150), self._match_worker, worker)

    def shun(self, task: Task, worker: Worker, for_ms: int) -> None:
        """Offer a refused task to others first, and to everybody after `for_ms`."""
        task.shunned = worker.sid
        task.shunned_until_ms = self._agenda.now_ms + for_ms
        waiting = task.queue.waiting
        if task.sid not in waiting:
            # It has waited longer than the others, so it goes back to the front.
            task.queue.waiting = {task.sid: task, **waiting}
        self._agenda.after(self._transitions.gap_ms(9, 60), self._match_task, task)
        self._agenda.after(for_ms + 1, self._match_task, task)

    def pick(self, task: Task, besides: Worker | None = None) -> Worker | None:
        """The worker of the task's queue who would get it now: with the least open work, then the longest ready."""
        channel = task.channel.unique_name
        shunned = task.shunned if self._agenda.now_ms < task.shunned_until_ms else ""
        for group in task.queue.ready:
            for worker in group.values():
                if worker.has_room(channel) and worker is not besides and worker.sid != shunned:
                    if task.reservations and _has_it(task, worker):
                        continue
                    return worker
        return None

    def _match_task(self, task: Task) -> None:
        queue = task.queue
        while task.sid in queue.waiting:
            worker = self.pick(task)
            if worker is None:
                return
            self._offer(task, worker)

    def _match_worker(self, worker: Worker) -> None:
        self._due.discard(worker.index)
        while True:
            task = self._next_for(worker)
            if task is None:
                return
            self._offer(task, worker)

    def _next_for(self, worker: Worker) -> Task | None:
        best: Task | None = None
        for queue, place in zip(worker.queues, worker.places, strict=True):
            if place < 0:
                continue
            for task in queue.waiting.values():
                if not worker.has_room(task.channel.unique_name) or self._is_refused(task, worker):
                    continue
                if best is None or (-task.priority, task.queue_entered_ms) < (-best.priority, best.queue_entered_ms):
                    best = task
                break
        return best

    def _is_refused(self, task: Task, worker: Worker) -> bool:
        if task.shunned == worker.sid and self._agenda.now_ms < task.shunned_until_ms:
            return True
        return bool(task.reservations) and _has_it(task, worker)

    def _offer(self, task: Task, worker: Worker) -> None:
        queue = task.queue
        reservation = self._transitions.offer(task, worker, self._agenda.now_ms, task.transfer)
        if queue.offers == 1 or len(task.pending()) >= queue.offers:
            queue.waiting.pop(task.sid, None)
        self.on_offer(reservation)


def _has_it(task: Task, worker: Worker) -> bool:
    for one in task.reservations:  # noqa: SIM110  asked for every worker, and twice as fast as `any`
        if one.worker is worker and one.is_open:
            return True
    return False
