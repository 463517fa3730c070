"""The machine of a virtual floor: what the faults of a host do to its connectors, their ledger and their clock."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import httpx
from flask import Flask

from flex_plugin_backend import ManualDrive
from simulator.faults.board import Board, SetFault
from simulator.faults.carrier import CarriedTransport
from simulator.faults.fault import HostFault
from simulator.faults.host_face import Death, DiskTrouble
from simulator.harness.disk import Disk, PowerCut


@dataclass(slots=True)
class Connector:
    """One running connector, and the hand that moves it."""

    drive: ManualDrive
    app: Flask


class _LastAnswer(httpx.BaseTransport):
    """Lets the machine go out after the WFM has carried a request out, and before the connector knows."""

    def __init__(self, inner: CarriedTransport, host: VirtualHost) -> None:
        self._inner = inner
        self._host = host

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._inner.handle_request(request)
        self._host.disk.passes("before answer")
        return answer


Starts = Callable[[ManualDrive], Flask]


class VirtualHost:
    """Runs connectors on one ledger; time is told to it in true time, and its clock may differ from that.

    Attributes:
        connectors: those that run; none while the machine is out.
        deaths: how often it was killed.
    """

    def __init__(
        self, ledger: Path, now_ms: int, starts: Starts, twilio: CarriedTransport, wfm: CarriedTransport, seed: int
    ) -> None:
        self._ledger = ledger
        self._starts = starts
        self._twilio = twilio
        self._wfm = wfm
        self._chance = random.Random(f"{seed}:host")
        self._offset_ms = 0
        self._now_ms = now_ms
        self._turn = 0
        self._begun: set[int] = set()
        self._ended: set[int] = set()
        self.disk = Disk(ledger)
        self.connectors: list[Connector] = []
        self.deaths = 0
        self.start()

    # -- the time

    @property
    def clock_ms(self) -> int:
        """What the machine's clock shows."""
        return self._now_ms + self._offset_ms

    def next_ms(self) -> int | None:
        """When a connector does something of its own accord, true time."""
        dues = [due_ms for one in self.connectors if (due_ms := one.drive.next_ms()) is not None]
        return min(dues) - self._offset_ms if dues else None

    def step_to(self, now_ms: int) -> None:
        """Let the connectors do what is due."""
        self._now_ms = now_ms
        with self._mortal():
            for one in list(self.connectors):
                one.drive.step_to(self.clock_ms)

    def door(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The way in: each connector in turn. Nobody answers while the machine is out."""
        if self.connectors:
            self._turn += 1
            app: WSGIApplication = self.connectors[self._turn % len(self.connectors)].app
            try:
                return app(environ, start_response)
            except PowerCut:
                self.die()
        start_response("503 Nobody There", [])
        return []

    def after_arrivals(self) -> None:
        """Of two connectors, the one that works looks for what the other has stored."""
        if len(self.connectors) > 1:
            self.look()

    def look(self) -> None:
        """Another process has stored something: let the connectors look, as they do before long."""
        for one in self.connectors:
            one.drive.look()

    # -- the faults

    def face(self, board: Board, now_ms: int) -> None:
        """Begin and end the faults of the machine that are due."""
        for one, fault in board.host_faults():
            self._face(one, fault, now_ms)

    def next_fault_ms(self, board: Board) -> int | None:
        """When a fault of the machine begins or ends next."""
        dues = []
        for one, fault in board.host_faults():
            from_ms, until_ms = fault.window(one.set_ms)
            if one.id not in self._begun:
                dues.append(from_ms)
            elif one.id not in self._ended and until_ms is not None:
                dues.append(until_ms)
        return min(dues, default=None)

    def _face(self, one: SetFault, fault: HostFault, now_ms: int) -> None:
        from_ms, until_ms = fault.window(one.set_ms)
        if one.id not in self._begun and now_ms >= from_ms:
            self._begun.add(one.id)
            if one.tries(from_ms):
                fault.begin(self, one.chance)
            else:
                self._ended.add(one.id)
        if one.id in self._begun and one.id not in self._ended and until_ms is not None and now_ms >= until_ms:
            self._ended.add(one.id)
            fault.end(self)

    def kill(self, when: Death, nth: int = 1, *, torn: bool = False) -> None:
        """End the connectors without warning."""
        if when == "now":
            self.die()
        else:
            self.disk.doom(when, nth, torn=torn)

    def die(self) -> None:
        """What a dead machine leaves: its ledger, and nothing in memory."""
        if self.connectors:
            self.deaths += 1
        self.connectors.clear()
        self.disk.bury(self._chance)

    def start(self) -> None:
        """Start a connector on the ledger; one that has not died as it was to dies now."""
        if self.connectors:
            self.die()
        trouble, commits = self.disk.trouble, self.disk.commits
        self.disk = Disk(self._ledger)
        self.disk.trouble, self.disk.commits = trouble, commits
        self.join_second()

    def spoil_disk(self, trouble: DiskTrouble) -> None:
        """From now on writing fails."""
        self.disk.trouble = trouble

    def mend_disk(self) -> None:
        """Writing succeeds again."""
        self.disk.trouble = None

    def join_second(self) -> None:
        """Start one more connector on the same ledger."""
        drive = ManualDrive(
            self.clock_ms,
            twilio=self._twilio,
            wfm=_LastAnswer(self._wfm, self),
            ledger_connection=self.disk.connection_class(),
        )
        with self._mortal():
            self.connectors.append(Connector(drive, self._starts(drive)))

    def drop_first(self) -> None:
        """Stop the first of two."""
        if len(self.connectors) > 1:
            self.connectors.pop(0).app.extensions["flex_wfm_plugin"].close()

    def shift_clock(self, seconds: float) -> None:
        """Set the clock on, or back."""
        by_ms = round(seconds * 1000)
        self._offset_ms += by_ms
        for one in self.connectors:
            one.drive.set_clock(by_ms)

    def close(self) -> None:
        """Stop in good order."""
        while self.connectors:
            self.connectors.pop().app.extensions["flex_wfm_plugin"].close()

    @contextmanager
    def _mortal(self) -> Iterator[None]:
        """Where the machine goes out in this block, its connectors are dead after it."""
        try:
            yield
        except PowerCut:
            self.die()
