"""Heartbeat: a thread that beats once in each period and tells each result; a failed beat never stops it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from flex_plugin_backend.errors import WfmError
from flex_plugin_backend.wfm.connection import WFMConnection
from flex_plugin_backend.wfm.dto import WFMReportResponseDTO

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Beat:
    """One heartbeat: when (epoch milliseconds of the connection's clock), and the answer or the failure."""

    at_ms: int
    response: WFMReportResponseDTO | None
    error: WfmError | None

    @property
    def ok(self) -> bool:
        """Whether the service answered 2xx."""
        return self.error is None


class Heartbeat:
    """Beats at once when started and then every `period_s` seconds of the connection's clock.

    Args:
        connection: where to.
        on_beat: called in the heartbeat's thread after each beat; what it raises is logged and otherwise ignored.
        period_s: the profile's period when None.
    """

    def __init__(
        self, connection: WFMConnection, on_beat: Callable[[Beat], None], *, period_s: float | None = None
    ) -> None:
        self._connection = connection
        self._on_beat = on_beat
        self._period_s = connection.profile.limits.heartbeat_period_s if period_s is None else period_s
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to beat; RuntimeError when it was started before."""
        if self._thread is not None:
            raise RuntimeError("a heartbeat is started once")
        self._thread = threading.Thread(target=self._run, name="wfm-heartbeat", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 15.0) -> bool:
        """End the beating and wait for the beat under way, at most `timeout_s`; whether the thread has ended."""
        self._stop.set()
        if self._thread is None:
            return True
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def beat(self) -> Beat:
        """Beat once, now."""
        at_ms = self._connection.clock.now_ms()
        try:
            return Beat(at_ms, self._connection.heartbeat(), None)
        except WfmError as error:
            return Beat(at_ms, None, error)

    def step(self) -> float:
        """Beat once and tell the listener; returns the seconds of the connection's clock until the next beat is due.

        For whoever keeps the time without this class's thread.
        """
        clock = self._connection.clock
        began_ms = clock.now_ms()
        self._report()
        # Counted from the beat's begin, so that a slow answer does not stretch the period.
        left_s = self._period_s - (clock.now_ms() - began_ms) / 1000
        return max(0.0, min(left_s, self._period_s))

    def _run(self) -> None:
        while not self._stop.is_set():
            self._connection.clock.wait(self._stop, self.step())

    def _report(self) -> None:
        try:
            self._on_beat(self.beat())
        except Exception:  # noqa: BLE001  the listener's fault, or one nobody foresaw: the next beat may go well
            _log.exception("a heartbeat or its listener failed")
