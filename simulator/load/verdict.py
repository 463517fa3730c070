"""Whether the generator kept up: if it did not, the latencies are its own and say nothing about the receiver."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.load.histogram import Latencies
from simulator.load.records import Records
from simulator.load.sender import Pulse

# A generator that comes to one per cent of its letters later than this adds itself to what it measures; a tenth of
# what it measures does no harm.
LATE_MS = 10.0
LATE_SHARE = 0.1
CPU_SHARE = 0.85


@dataclass(frozen=True, slots=True)
class Fitness:
    """What the generator did by itself.

    Attributes:
        late: from the planned time until the generator got to the letter.
        loop_late: of regular wake-ups of its event loop, when answers are read as well.
        cpu_share: of one processor, over the run.
        starved: letters that were not made yet when they were due; part of what made others late.
        reasons: why its figures are not to be trusted; empty if they are.
    """

    late: Latencies
    loop_late: Latencies
    cpu_share: float
    starved: int
    reasons: tuple[str, ...]

    @property
    def is_bottleneck(self) -> bool:
        """The generator was too slow for its plan."""
        return bool(self.reasons)


def fitness_of(records: Records, pulse: Pulse, latency: Latencies) -> Fitness:
    """Judge the generator by its own lateness, whatever the receiver did."""
    late = Latencies(max(0.0, woke - due) for due, woke in zip(records.due, records.woke, strict=True))
    loop_late = Latencies(pulse.late)
    cpu_share = pulse.cpu_s / pulse.wall_s if pulse.wall_s > 0 else 0.0
    bound_ms = max(LATE_MS, LATE_SHARE * latency.percentile_ms(99))
    reasons: list[str] = []
    if late.percentile_ms(99) > bound_ms:
        reasons.append(
            f"it got to 1 % of its callbacks {late.percentile_ms(99):,.1f} ms or more after their time "
            f"(bound {bound_ms:,.1f} ms)" + (f"; {pulse.starved:,} were not even made by then" if pulse.starved else "")
        )
    if loop_late.percentile_ms(99) > bound_ms:
        reasons.append(
            f"its event loop came {loop_late.percentile_ms(99):,.1f} ms or more late in 1 % of its looks, so answers "
            f"were read late (bound {bound_ms:,.1f} ms)"
        )
    if cpu_share > CPU_SHARE:
        reasons.append(f"it used {cpu_share:.0%} of a processor (bound {CPU_SHARE:.0%})")
    return Fitness(late, loop_late, cpu_share, pulse.starved, tuple(reasons))
