"""The run over time, in slices: what was due, sent and answered, how long it took, and what was piled up."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from simulator.load.records import Records

_MOST_SLICES = 240


@dataclass(frozen=True, slots=True)
class Slice:
    """Part of a run; latencies belong to the slice in which the callback was due.

    Attributes:
        at_s: its beginning, seconds after that of the run.
        due, sent, taken: how many callbacks were due, written and acknowledged in it.
        unanswered: callbacks that were due by its end and not answered yet.
        untold: states whose callback was due by its end and that the WFM had not accepted yet; those that it never
            accepted are not counted.
        late_ms: the longest own lateness of the generator.
    """

    at_s: float
    due: int
    sent: int
    taken: int
    p50_ms: float | None
    p99_ms: float | None
    max_ms: float | None
    wfm_p50_ms: float | None
    wfm_p99_ms: float | None
    unanswered: int
    untold: int
    late_ms: float

    def to_dict(self) -> dict[str, Any]:
        """As JSON types."""
        return {name: round(value, 3) if isinstance(value, float) else value for name, value in asdict(self).items()}


def slice_length_s(length_s: float) -> float:
    """One second, or more where that would be too many slices."""
    return max(1.0, math.ceil(length_s / _MOST_SLICES))


def slices_of(records: Records, begin: float, told: Sequence[tuple[float, float]]) -> list[Slice]:
    """Cut a run that began at `begin`, in the records' clock; `told` is in seconds after the beginning."""
    answered = [one - begin for one in records.answered if not math.isnan(one)]
    due = [one - begin for one in records.due]
    sent = sorted(one - begin for one in records.sent if not math.isnan(one))
    told_at = sorted(accepted for _, accepted in told)
    end_s = max([0.0, *due[-1:], *answered, *told_at[-1:]])
    length_s = slice_length_s(end_s)
    count = int(end_s // length_s) + 1
    latencies = _by_slice(
        count, length_s, ((records.due[n] - begin, records.answered[n] - records.due[n]) for n in _taken(records))
    )
    to_wfm = _by_slice(count, length_s, ((due_s, accepted - due_s) for due_s, accepted in told))
    late = [0.0] * count
    for planned, woke in zip(due, records.woke, strict=True):
        at = min(count - 1, int(planned // length_s))
        late[at] = max(late[at], woke - begin - planned)
    taken = sorted(records.answered[n] - begin for n in _taken(records))
    told_due = sorted(due_s for due_s, _ in told)
    answered.sort()
    found: list[Slice] = []
    for number in range(count):
        from_s, to_s = number * length_s, (number + 1) * length_s
        own, far = latencies[number], to_wfm[number]
        found.append(
            Slice(
                at_s=from_s,
                due=_between(due, from_s, to_s),
                sent=_between(sent, from_s, to_s),
                taken=_between(taken, from_s, to_s),
                p50_ms=_rank(own, 0.5),
                p99_ms=_rank(own, 0.99),
                max_ms=_rank(own, 1.0),
                wfm_p50_ms=_rank(far, 0.5),
                wfm_p99_ms=_rank(far, 0.99),
                unanswered=bisect_left(due, to_s) - bisect_left(answered, to_s),
                untold=bisect_left(told_due, to_s) - bisect_left(told_at, to_s),
                late_ms=max(0.0, late[number]) * 1000,
            )
        )
    return found


def _taken(records: Records) -> list[int]:
    return [number for number in range(len(records)) if records.taken(number)]


def _by_slice(count: int, length_s: float, samples: Iterable[tuple[float, float]]) -> list[list[float]]:
    """The durations of each slice, ordered."""
    found: list[list[float]] = [[] for _ in range(count)]
    for at_s, seconds in samples:
        found[min(count - 1, int(at_s // length_s))].append(seconds)
    for durations in found:
        durations.sort()
    return found


def _rank(ordered: Sequence[float], share: float) -> float | None:
    """Nearest rank, in milliseconds."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] * 1000 if ordered else None


def _between(ordered: Sequence[float], from_s: float, to_s: float) -> int:
    return bisect_left(ordered, to_s) - bisect_left(ordered, from_s)
