"""What every step of the model does besides changing it: log the events of the change, and tell the truth about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

from simulator.world.blocks import task_base, transfer_block, worker_block
from simulator.world.entities import Reservation, Task, Transfer, Worker
from simulator.world.events import Event, EventLog
from simulator.world.floor import Floor
from simulator.world.sids import SidFactory, Streams
from simulator.world.truth import Truth

NOTHING: Mapping[str, str] = {}
# `_value_` of an enumeration is its value without the detour of a property.
_new: Callable[[type[Event], tuple[object, ...]], Event] = tuple.__new__  # as fast as it gets, for every event


class Notes:
    """The log and the truth, and the few milliseconds between the events of one instant."""

    def __init__(self, floor: Floor, sids: SidFactory, streams: Streams, log: EventLog, truth: Truth) -> None:
        self._floor = floor
        self._sids = sids
        self._new_event_sid = sids.walk("EV")
        self._gap = streams.of("gaps").random
        self._log = log
        self._truth = truth
        self._unit_sid = floor.operating_unit_sid
        self.ledger = truth.ledger

    def gap_ms(self, low: int = 0, high: int = 8) -> int:
        """The few milliseconds that lie between events of one instant (Twilio reference 1.4, 13 row 5)."""
        return low + int(self._gap() * (high - low + 1))

    def log_worker(
        self, kind: str, worker: Worker, ms: int, extra: Mapping[str, str] = NOTHING, at_ms: int | None = None
    ) -> Event:
        """An event about a worker; told at `at_ms` if that is not the time it states."""
        block = worker_block(worker, self._unit_sid)
        if kind in ("worker.capacity.update", "worker.channel.availability.update"):
            # These raise the version without carrying it (reference 1.7).
            block = {key: value for key, value in block.items() if key != "worker_version"}
        log = self._log
        told_ms = ms if at_ms is None else at_ms
        facts = (told_ms, log.draw(), self._new_event_sid(), kind, ms, "worker", worker.sid, worker.sid, "")
        event = _new(Event, (*facts, block, NOTHING, "", 0, extra))
        log.stage(event)
        return event

    def log_task(self, kind: str, task: Task, ms: int, extra: Mapping[str, str] = NOTHING) -> Event:
        """An event about a task."""
        log, sid = self._log, task.sid
        event = _new(
            Event,
            (
                ms, log.draw(), self._new_event_sid(), kind, ms, "task", sid, "", sid,
                NOTHING, task.base or task_base(task, self._unit_sid), task.status._value_, task.version, extra,
            ),
        )  # fmt: skip
        log.stage(event)
        return event

    def log_transfer(self, kind: str, task: Task, transfer: Transfer, ms: int, failed_reason: str = "") -> None:
        """An event about a transfer."""
        extra = transfer_block(transfer)
        if failed_reason:
            extra["transfer_failed_reason"] = failed_reason
        log = self._log
        facts = (ms, log.draw(), self._new_event_sid(), kind, ms, "transfer", transfer.sid, "", task.sid)
        base = task.base or task_base(task, self._unit_sid)
        log.stage(_new(Event, (*facts, NOTHING, base, task.status._value_, task.version, extra)))

    def log_reservation(self, kind: str, reservation: Reservation, ms: int) -> Event:
        """An event about a reservation, with its worker and its task."""
        task, worker, log = reservation.task, reservation.worker, self._log
        channel = task.channel.unique_name
        extra: Mapping[str, str] = _capacity_block(
            reservation.version, worker.channels[channel].capacity, worker.load.get(channel, 0)
        )
        if reservation.transfer is not None:
            extra = {**extra, **transfer_block(reservation.transfer)}
        unit_sid = self._unit_sid
        event = _new(
            Event,
            (
                ms, log.draw(), self._new_event_sid(), kind, ms, "reservation", reservation.sid, worker.sid, task.sid,
                worker.block or worker_block(worker, unit_sid), task.base or task_base(task, unit_sid),
                task.status._value_, task.version, extra,
            ),
        )  # fmt: skip
        log.stage(event)
        return event

    def log_other(self, kind: str, resource_sid: str, ms: int, extra: Mapping[str, str]) -> None:
        """An event about something that is neither worker nor task, such as an activity."""
        facts = (ms, self._log.draw(), self._new_event_sid(), kind, ms, kind.partition(".")[0], resource_sid, "", "")
        self._log.stage(_new(Event, (*facts, NOTHING, NOTHING, "", 0, extra)))


@lru_cache(maxsize=4096)
def _capacity_block(version: int, capacity: int, load: int) -> Mapping[str, str]:
    """A reservation's version and its worker's channel; shared by all events of which it is true."""
    return {
        "reservation_version": str(version),
        "worker_channel_capacity": str(capacity),
        "worker_channel_consumed_capacity": str(load),
    }


def stamp(worker: Worker, at_ms: int) -> int:
    """The time of a worker's next event: `at_ms`, or later so that two of them never share a millisecond."""
    if at_ms <= worker.last_event_ms:
        at_ms = worker.last_event_ms + 1
    worker.last_event_ms = worker.seen_ms = at_ms
    return at_ms


def touch(task: Task, ms: int) -> None:
    """A task has changed."""
    task.version += 1
    task.updated_ms = ms
