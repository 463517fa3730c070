"""Writes a recording: masked events in order of time, each once."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TextIO

from simulator.recording.mask import Mask
from simulator.world.events import Event
from simulator.world.log_file import LineWriter, LogHeader, logged_event

_HOLDS_MS = 60_000  # callbacks overtake each other; what comes later than this is written where it comes


@dataclass(frozen=True, slots=True)
class Heard:
    """One event as it was heard, under Twilio's snake_case names, nothing masked."""

    sid: str
    type: str
    ms: int
    resource_type: str
    resource_sid: str
    data: Mapping[str, Any]


class Recorder:
    """Takes events in any order and writes them; may be used by several threads.

    Args:
        file: where the lines go; closed by whoever opened it.
        account_sid, workspace_sid: of the workspace; masked like everything else.
        offline_activity_sid: the logged-out activity, where it is known, so that a replay can be mapped.
    """

    def __init__(
        self,
        file: TextIO,
        mask: Mask,
        *,
        account_sid: str,
        workspace_sid: str,
        offline_activity_sid: str = "",
    ) -> None:
        self._file = file
        self._mask = mask
        self._writer = LineWriter()
        self._lock = threading.Lock()
        self._held: list[tuple[int, int, Event]] = []
        self._seen: set[str] = set()
        self._newest_ms = 0
        self._taken = 0
        self.written = 0
        header = LogHeader(
            source="recorded",
            account_sid=mask.sid(account_sid),
            workspace_sid=mask.sid(workspace_sid),
            workspace_name="Recorded workspace",
            offline_activity_sid=mask.sid(offline_activity_sid),
        )
        file.write(header.line() + "\n")

    def take(self, heard: Heard) -> bool:
        """Take one event; false if it was taken before."""
        with self._lock:
            if heard.sid in self._seen:
                return False
            self._seen.add(heard.sid)
            self._taken += 1
            self._newest_ms = max(self._newest_ms, heard.ms)
            heapq.heappush(self._held, (heard.ms, self._taken, self._masked(heard)))
            self._write(self._newest_ms - _HOLDS_MS)
            return True

    def finish(self) -> None:
        """Write what is still held back."""
        with self._lock:
            self._write(self._newest_ms)
            self._file.flush()

    @property
    def taken(self) -> int:
        """Events taken so far."""
        return self._taken

    def _masked(self, heard: Heard) -> Event:
        mask = self._mask
        resource = (heard.resource_type, mask.sid(heard.resource_sid))
        data = mask.data(heard.data)
        return logged_event(
            self._taken, heard.type, heard.ms, data, at_ms=heard.ms, sid=mask.sid(heard.sid), resource=resource
        )

    def _write(self, until_ms: int) -> None:
        while self._held and self._held[0][0] <= until_ms:
            self._file.write(self._writer.line(heapq.heappop(self._held)[2]) + "\n")
            self.written += 1
