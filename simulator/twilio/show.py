"""The show: world, clock and callbacks run as one thing that is started once and stopped once."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from simulator.clock import VirtualClock
from simulator.faults.board import Board
from simulator.faults.fault import Fault
from simulator.twilio.account import TwilioAccount
from simulator.twilio.emitter import CallbackEmitter, DeliveryMode, Emission, EmitterSettings
from simulator.twilio.event_types import unknown_types
from simulator.twilio.limits import Limiter, Limits
from simulator.twilio.signing import SigningKey
from simulator.twilio.sinks import EventStreams
from simulator.twilio.target import CallbackTarget
from simulator.world.events import Event
from simulator.world.service import WorldService


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowSettings:
    """How callbacks are sent and what the clock does unless the start says otherwise.

    Attributes:
        faults: set at the start, with `fault_seed` for their chance; a board holds them from then on.
    """

    callback_url: str = ""
    events_filter: str = ""
    lanes: int = 8
    delivery: DeliveryMode = "twilio"
    delivery_deadline_s: float = 300.0
    shared_key_id: str = ""
    shared_key_secret: str = ""
    faults: tuple[Fault, ...] = ()
    fault_seed: int = 1
    start_ms: int
    speed: float = 1.0
    end_ms: int | None = None


class Show:
    """Starts and stops the world; `emitter` exists once it runs with a callback URL.

    Callback URL and events filter can be changed at any time, as a workspace's can.
    """

    def __init__(self, service: WorldService, account: TwilioAccount, settings: ShowSettings) -> None:
        self.service = service
        self.account = account
        self.settings = settings
        self.emitter: CallbackEmitter | None = None
        self.callback_url = settings.callback_url
        self.events_filter = settings.events_filter
        self.limiter = Limiter(Limits())
        self._key = SigningKey(settings.shared_key_secret or account.auth_token, settings.shared_key_id)
        self.streams = EventStreams(account, self._key, lambda: self.service.clock)
        self._former: list[CallbackEmitter] = []
        self.faults = Board(settings.fault_seed)
        self._starting = threading.Lock()

    def start(
        self,
        *,
        anchor_ms: int | None = None,
        start_ms: int | None = None,
        speed: float | None = None,
        end_ms: int | None = None,
        callback_url: str | None = None,
    ) -> VirtualClock:
        """Let the clock run; raises ValueError for impossible times, RuntimeError if it runs already.

        What happened before `start_ms` is known to REST alone; no callback tells of it.
        """
        settings = self.settings
        with self._starting:
            if self.service.clock is not None:
                raise RuntimeError("the world runs already")
            clock = VirtualClock(
                settings.start_ms if start_ms is None else start_ms,
                time.time_ns() // 1_000_000 if anchor_ms is None else anchor_ms,
                settings.speed if speed is None else speed,
            )
            end_ms = settings.end_ms if end_ms is None else end_ms
            if end_ms is not None and end_ms <= clock.start_ms:
                raise ValueError("the end must come after the start")
            url = self.callback_url if callback_url is None else callback_url
            emitter = CallbackEmitter(self._emitter_settings(url), clock, self.faults) if url else None
            if clock.start_ms < self.service.now_ms():
                raise ValueError("the start lies before the time that the world has reached")
            self.service.advance_to(clock.start_ms)
            self.service.begin_to_be_heard()
            if emitter is not None:
                emitter.start()
                self.emitter, self.callback_url = emitter, url
            self.service.listen(self._hear)
            self.service.listen_to_holds(self.streams.take)
            self.faults.set(settings.faults, clock.start_ms)
            self.service.start(clock, end_ms)
            return clock

    def send_callbacks(self, url: str, events_filter: str) -> None:
        """Send the events from now on to another address, or others of them; an empty address ends it.

        What has happened already still goes where it was meant to go. Raises ValueError for an impossible address or a
        filter with an unknown type.
        """
        if problem := unknown_types(events_filter):
            raise ValueError(f"EventsFilter: {problem}")
        if url:
            CallbackTarget.parse(url)
        with self._starting, self.service.present():
            emitter, clock = None, self.service.clock
            self.events_filter, self.callback_url = events_filter, url
            if url and clock is not None:
                emitter = CallbackEmitter(self._emitter_settings(url), clock, self.faults)
                emitter.start()
            if self.emitter is not None:
                self._former.append(self.emitter)
            self.emitter = emitter
        for former in self._former:
            if former.is_idle():
                former.stop()

    def emissions(self) -> list[Emission]:
        """Every callback so far, those to former addresses first."""
        return [emission for emitter in self._emitters() for emission in emitter.emissions[:]]

    def callback_counts(self) -> tuple[int, int]:
        """Callbacks that were taken, and those given up."""
        counts = [emitter.counts() for emitter in self._emitters()]
        return sum(taken for taken, _ in counts), sum(failed for _, failed in counts)

    def stop(self) -> None:
        """Stop the world, then the callbacks."""
        self.service.stop()
        for emitter in self._emitters():
            emitter.stop()
        self.streams.stop()

    def has_finished(self) -> bool:
        """The world has reached its end, and every callback was taken or given up."""
        return self.service.has_ended() and all(emitter.is_idle() for emitter in self._emitters())

    def _emitters(self) -> list[CallbackEmitter]:
        return self._former if self.emitter is None else [*self._former, self.emitter]

    def _hear(self, events: Sequence[Event]) -> None:
        if self.emitter is not None:
            self.emitter.take(events)
        self.streams.take(events)

    def _emitter_settings(self, url: str) -> EmitterSettings:
        settings, account = self.settings, self.account
        return EmitterSettings(
            callback_url=url,
            account_sid=account.account_sid,
            workspace_sid=account.workspace_sid,
            workspace_name=account.workspace_name,
            key=self._key,
            events_filter=self.events_filter,
            lanes=settings.lanes,
            delivery=settings.delivery,
            deadline_s=settings.delivery_deadline_s,
        )
