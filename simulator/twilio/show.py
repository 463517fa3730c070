"""The show: world, clock and callbacks run as one thing that is started once and stopped once."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from simulator.clock import VirtualClock
from simulator.faults.board import Board
from simulator.faults.fault import Fault
from simulator.twilio.account import TwilioAccount
from simulator.twilio.emitter import CallbackEmitter, DeliveryMode, EmitterSettings
from simulator.twilio.signing import SigningKey
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
    """Starts and stops the world; `emitter` exists once it runs with a callback URL."""

    def __init__(self, service: WorldService, account: TwilioAccount, settings: ShowSettings) -> None:
        self.service = service
        self.account = account
        self.settings = settings
        self.emitter: CallbackEmitter | None = None
        self.callback_url = settings.callback_url
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
            url = settings.callback_url if callback_url is None else callback_url
            emitter = CallbackEmitter(self._emitter_settings(url), clock, self.faults) if url else None
            if clock.start_ms < self.service.now_ms():
                raise ValueError("the start lies before the time that the world has reached")
            self.service.advance_to(clock.start_ms)
            if emitter is not None:
                emitter.start()
                self.service.listen(emitter.take)
                self.emitter, self.callback_url = emitter, url
            self.faults.set(settings.faults, clock.start_ms)
            self.service.start(clock, end_ms)
            return clock

    def stop(self) -> None:
        """Stop the world, then the callbacks."""
        self.service.stop()
        if self.emitter is not None:
            self.emitter.stop()

    def has_finished(self) -> bool:
        """The world has reached its end, and every callback was taken or given up."""
        return self.service.has_ended() and (self.emitter is None or self.emitter.is_idle())

    def _emitter_settings(self, url: str) -> EmitterSettings:
        settings, account = self.settings, self.account
        key = SigningKey(settings.shared_key_secret or account.auth_token, settings.shared_key_id)
        return EmitterSettings(
            callback_url=url,
            account_sid=account.account_sid,
            workspace_sid=account.workspace_sid,
            workspace_name=account.workspace_name,
            key=key,
            events_filter=settings.events_filter,
            lanes=settings.lanes,
            delivery=settings.delivery,
            deadline_s=settings.delivery_deadline_s,
        )
