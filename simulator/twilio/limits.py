"""Rate limits: how many requests in a second are answered before 429 comes (Twilio reference 3.1)."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask import request

from simulator.twilio.problems import RestProblem

_EXPRESSIONS = ("EvaluateTaskAttributes", "TargetWorkersExpression", "EvaluateWorkerAttributes")
_WINDOW_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Requests in a second, by the machine's clock as the caller's is; 0: as many as they like.

    Attributes:
        expressions: lists filtered by an expression (documented).
        bulk: real-time statistics of several queues (documented).
        requests: all requests together; Twilio states no number.
        retry_after_s: sent along with a refusal as Retry-After, which Twilio does not promise; 0: not.
    """

    expressions: int = 3
    bulk: int = 5
    requests: int = 0
    retry_after_s: int = 0


class Limiter:
    """Counts the requests of one workspace within the last second."""

    def __init__(self, limits: Limits, clock_s: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits
        self.clock_s = clock_s
        self._seen: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def admit(self) -> Mapping[str, str]:
        """Headers for the answer to the present request; raises RestProblem 20429 if there were too many."""
        found: dict[str, str] = {}
        for kind, most in self._rules():
            left = self._count(kind, most)
            # The names of the headers are documented, what stands in them is assumed.
            found = {
                "X-Rate-Limit-Limit": str(most),
                "X-Rate-Limit-Remaining": str(max(0, left)),
                "X-Rate-Limit-Config": kind,
            }
            if left < 0:
                problem = RestProblem(429, 20429, "Too Many Requests")
                problem.headers = dict(found)
                if self.limits.retry_after_s:
                    problem.headers["Retry-After"] = str(self.limits.retry_after_s)
                raise problem
        return found

    def _rules(self) -> list[tuple[str, int]]:
        rules = [("requests", self.limits.requests)]
        if any(request.args.get(name) for name in _EXPRESSIONS):
            rules.append(("expressions", self.limits.expressions))
        if request.method == "POST" and request.path.endswith("/TaskQueues/RealTimeStatistics"):
            rules.append(("bulk", self.limits.bulk))
        return [(kind, most) for kind, most in rules if most]

    def _count(self, kind: str, most: int) -> int:
        """How many more of this kind there may be in this second; below 0: this one is too many, and does not count."""
        now_s = self.clock_s()
        with self._lock:
            seen = self._seen.setdefault(kind, deque())
            while seen and seen[0] <= now_s - _WINDOW_S:
                seen.popleft()
            if len(seen) >= most:
                return -1
            seen.append(now_s)
            return most - len(seen)
