"""Intraday: a day's actual figures beside the forecast, per queue and 15-minute interval, 00:00 to 23:45 UTC."""

from __future__ import annotations

from typing import Any

from simulator.wfm.history import figures_of, ratio
from simulator.wfm.holdings import INTERVAL_MS, newest_reports
from simulator.wfm.schedule import Schedule
from simulator.wfm.service import FakeWfm

DAY_MS = 86_400_000
_SHOWN = ("volume", "handled", "abandoned", "aht_s", "asa_s", "service_level", "backlog")


def intraday(wfm: FakeWfm, schedule: Schedule, day_ms: int, queue_id: str | None = None) -> dict[str, Any]:
    """The day that holds the instant `day_ms`.

    `actual` is None where no report is held yet, and zeros where the report has no row of the queue. `so_far` adds
    up the intervals of which a report is held, on both sides.
    """
    first_ms = day_ms // DAY_MS * DAY_MS
    starts = range(first_ms, first_ms + DAY_MS, INTERVAL_MS)
    actual: dict[int, dict[str, dict[str, Any]]] = {}
    names: dict[str, str] = {}
    for report in newest_reports(wfm, "queue", first_ms, first_ms + DAY_MS):
        rows = [figures_of(row) for row in report.plain.get("queue_report") or ()]
        actual[report.start_ms] = {row["queue_id"]: row for row in rows}
        names.update({row["queue_id"]: row["queue_name"] for row in rows})
    queues = names.keys() | {queue for queue, start_ms in schedule.forecast if start_ms in starts}
    return {
        "day_ms": first_ms,
        "queues": [
            {"queue_id": queue, "queue_name": names.get(queue, queue), **_queue(queue, starts, actual, schedule)}
            for queue in sorted(queues)
            if queue_id is None or queue == queue_id
        ],
    }


def _queue(
    queue: str, starts: range, actual: dict[int, dict[str, dict[str, Any]]], schedule: Schedule
) -> dict[str, Any]:
    intervals = []
    foretold_volume = foretold_work_s = 0.0
    volume = handled = handle_time_s = 0
    for start_ms in starts:
        foretold = schedule.forecast.get((queue, start_ms))
        row = None
        if start_ms in actual:
            row = actual[start_ms].get(queue) or figures_of({"queue_id": queue, "backlog": 0})
            volume, handled = volume + row["volume"], handled + row["handled"]
            handle_time_s += row["handle_time_s"]
            if foretold is not None:
                foretold_volume += foretold.volume
                foretold_work_s += foretold.volume * foretold.aht_s
        intervals.append(
            {
                "start_ms": start_ms,
                "forecast": None if foretold is None else {"volume": foretold.volume, "aht_s": foretold.aht_s},
                "actual": None if row is None else {name: row[name] for name in _SHOWN},
                "volume_deviation": None if row is None or foretold is None else round(
                    row["volume"] - foretold.volume, 2
                ),
            }
        )  # fmt: skip
    so_far = {
        "intervals": sum(1 for start_ms in starts if start_ms in actual),
        "volume": volume,
        "forecast_volume": round(foretold_volume, 2),
        "volume_deviation_percent": ratio(100 * (volume - foretold_volume), foretold_volume),
        "aht_s": ratio(handle_time_s, handled),
        "forecast_aht_s": ratio(foretold_work_s, foretold_volume),
    }
    return {"intervals": intervals, "so_far": so_far}
