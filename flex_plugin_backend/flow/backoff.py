"""How long to wait after a failure: capped exponential back-off with jitter; the peer's own wish comes first."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """The n-th failure in a row (from 1) waits `first_s * 2^(n-1)`, at most `cap_s`, less up to half by chance.

    The jitter keeps many connectors from knocking at one recovering server in step.
    """

    first_s: float = 1.0
    cap_s: float = 60.0

    def delay_s(self, failures: int, chance: random.Random, retry_after_s: float | None = None) -> float:
        """Seconds to wait before the next try; never less than a `Retry-After` asks for."""
        # The exponent is bounded so that years of failures do not overflow a float.
        full_s = min(self.cap_s, self.first_s * 2.0 ** min(failures - 1, 60))
        wait_s = full_s * (1 - chance.random() / 2)
        return max(wait_s, retry_after_s or 0.0)
