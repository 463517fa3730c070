"""Times on the command line: ISO 8601, UTC unless said otherwise."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from flex_plugin_backend.domain.intervals import INTERVAL_MS


class Moment(click.ParamType[int]):
    """A time as epoch milliseconds; with `on_grid` one on which an interval begins."""

    name = "ISO"

    def __init__(self, *, on_grid: bool = False) -> None:
        self._on_grid = on_grid

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The time in the text; a usage error that says how to write one."""
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value} is not a time like 2026-01-05T09:00Z", param, ctx)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        at_ms = round(moment.timestamp() * 1000)
        if self._on_grid and at_ms % INTERVAL_MS:
            self.fail(f"{value} is not on the 15-minute grid (UTC)", param, ctx)
        return at_ms


def as_time(at_ms: int) -> str:
    """Epoch milliseconds as ISO 8601 in UTC, to the millisecond."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def as_second(at_ms: int) -> str:
    """The same, cut to the second."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
