"""Events as requests that are ready to be sent: new times, new sids, signed."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from simulator.recording.restamp import restamped
from simulator.twilio.form import CallbackForm, Sender
from simulator.twilio.target import CallbackTarget
from simulator.world.events import Event
from simulator.world.sids import sid_of

_NEW_IN_EACH_RUN = ("EV", "WT", "WR")


@dataclass(frozen=True, slots=True)
class Letter:
    """One request.

    Attributes:
        due_s: seconds after the beginning of the run at which it is to be sent.
        lane: letters of one lane are sent in order, each after the answer to the one before.
        raw: the whole request as it goes over the wire.
    """

    number: int
    due_s: float
    lane: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Told:
    """What the callback of an event of the floor told: under which sid, as having happened when, in which letter."""

    sid: str
    ms: int
    number: int


class Warp:
    """Maps the floor's instants to those of the run: each event lies at its planned time, the past before them.

    Where plan and floor go by different rates, the times between events are stretched or squeezed with them, the
    times and lengths in the events' data too.
    """

    def __init__(self, from_ms: int, to_ms: int) -> None:
        """The run begins at `to_ms`, when the floor has come to `from_ms`."""
        self._floor_ms = array("q", [from_ms])
        self._run_ms = array("q", [to_ms])

    def put(self, floor_ms: int, run_ms: int) -> None:
        """An event of `floor_ms` is due at `run_ms`; called in the order in which events were told."""
        self._floor_ms.append(max(floor_ms, self._floor_ms[-1]))
        self._run_ms.append(run_ms)

    def instant(self, ms: int) -> int:
        """Where an instant up to the newest event's comes to lie."""
        if ms <= self._floor_ms[0]:
            return self._run_ms[0] + ms - self._floor_ms[0]
        if ms == self._floor_ms[-1]:
            return self._run_ms[-1]
        at = bisect_left(self._floor_ms, ms)
        if at == len(self._floor_ms) or self._floor_ms[at] != ms:
            at -= 1
        return self._run_ms[at]

    def length(self, length_ms: int, end_ms: int) -> int:
        """How long something lasts now that lasted so long and ended at `end_ms`."""
        return max(0, self.instant(end_ms) - self.instant(end_ms - length_ms))


class Post:
    """Makes the letters of a run, one after the other, as they are asked for.

    Args:
        run: a word that no other run has; the sids depend on it.
        known: sids that keep, because REST has told of them.
        start_ms: the time that is stated at the beginning of the run.
    """

    def __init__(
        self,
        target: CallbackTarget,
        sender: Sender,
        *,
        run: str,
        floor_start_ms: int,
        start_ms: int,
        known: Collection[str] = (),
    ) -> None:
        self._form = CallbackForm(target, sender)
        self._line = f"POST {target.request_target} HTTP/1.1\r\n"
        self._run = run
        self._known = frozenset(known)
        self._start_ms = start_ms
        self._warp = Warp(floor_start_ms, start_ms)
        self._newest_ms: dict[str, int] = {}
        self._numbers: dict[str, int] = {}
        self._stamps = array("q")

    def letters(self, timed: Iterable[tuple[float, Event]]) -> Iterator[Letter]:
        """The letters of events that are due at these seconds after the beginning."""
        for due_s, event in timed:
            run_ms = self._start_ms + round(due_s * 1000)
            self._warp.put(event.at_ms, run_ms)
            new = self._renamed(restamped(event, self._warp))
            self._note(event, new.ms)
            body, headers = self._form.render(new)
            head = self._line + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            raw = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
            yield Letter(len(self._stamps) - 1, due_s, event.worker_sid or event.task_sid or event.resource_sid, raw)

    def told(self, dispatched: int) -> Iterator[tuple[str, Told]]:
        """By the floor's sid, what the callbacks told whose turn had come; the first `dispatched` letters."""
        for sid, number in self._numbers.items():
            if number < dispatched:
                yield sid, Told(self._fresh(sid), self._stamps[number], number)

    def _note(self, event: Event, ms: int) -> None:
        worker = event.worker_sid
        if worker:
            # A deletion bears an old stamp and counts from the newest that is known of the worker.
            ms = self._newest_ms[worker] = max(ms, self._newest_ms.get(worker, ms))
        self._numbers[event.sid] = len(self._stamps)
        self._stamps.append(ms)

    def _renamed(self, event: Event) -> Event:
        extra = {key: self._fresh(value) if key.endswith("_sid") else value for key, value in event.extra.items()}
        return event._replace(
            sid=self._fresh(event.sid),
            resource_sid=self._fresh(event.resource_sid),
            task_sid=self._fresh(event.task_sid),
            extra=extra,
        )

    def _fresh(self, sid: str) -> str:
        if sid[:2] not in _NEW_IN_EACH_RUN or sid in self._known:
            return sid
        return sid_of(sid[:2], self._run, sid)
