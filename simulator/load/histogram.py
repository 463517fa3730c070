"""Latencies as an HdrHistogram: any percentile to within 0.1 %, in bounded memory, and mergeable."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hdrh.histogram import HdrHistogram

SHARES = (50.0, 75.0, 90.0, 95.0, 99.0, 99.9, 99.99)
DIGITS = 3
_LOWEST_US, _HIGHEST_US = 1, 3_600_000_000


class Latencies:
    """Durations from 1 microsecond to 1 hour; what is shorter or longer counts as that."""

    def __init__(self, seconds: Iterable[float] = ()) -> None:
        self._histogram = HdrHistogram(_LOWEST_US, _HIGHEST_US, DIGITS)
        self._most_s = self._sum_s = 0.0
        self.count = 0
        for one in seconds:
            self.add(one)

    def add(self, seconds: float) -> None:
        """Note one."""
        self._histogram.record_value(min(_HIGHEST_US, max(_LOWEST_US, round(seconds * 1e6))))
        self.count += 1
        self._sum_s += seconds
        self._most_s = max(self._most_s, seconds)

    def percentile_ms(self, share: float) -> float:
        """The least value that `share` per cent of all do not exceed; 0 where there is none."""
        if not self.count:
            return 0.0
        return min(float(self._histogram.get_value_at_percentile(share)) / 1000, self.most_ms)

    @property
    def most_ms(self) -> float:
        """The longest, exactly."""
        return self._most_s * 1000

    def curve(self) -> list[tuple[float, float]]:
        """Share in per cent and milliseconds, denser towards the end, as percentile plots want it."""
        if not self.count:
            return []
        shares = [100 * (1 - 10 ** (-step / 20)) for step in range(200)]
        inside = [share for share in shares if self.count * (1 - share / 100) >= 1]
        return [*((share, self.percentile_ms(share)) for share in inside), (100.0, self.most_ms)]

    def to_dict(self) -> dict[str, Any]:
        """Percentiles in milliseconds, and the whole histogram in HdrHistogram's own encoding, to be merged."""
        return {
            "count": self.count,
            "mean_ms": round(self._sum_s * 1000 / self.count, 3) if self.count else None,
            "max_ms": round(self.most_ms, 3),
            "percentiles_ms": {f"{share:g}": round(self.percentile_ms(share), 3) for share in SHARES},
            "hdr_us": self._histogram.encode().decode() if self.count else None,
        }
