"""Laws of the measurement: error of the percentiles, time from the plan, and a generator that owns up."""

from __future__ import annotations

import math
from array import array

from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.load.histogram import Latencies
from simulator.load.records import Failure, Records
from simulator.load.result import latency_of_taken
from simulator.load.sender import Pulse
from simulator.load.series import slices_of
from simulator.load.verdict import CPU_SHARE, LATE_MS, fitness_of

SECONDS = st.floats(1e-6, 3000, allow_nan=False)


@given(seconds=st.lists(SECONDS, min_size=1, max_size=300), share=st.floats(0.1, 100))
def test_a_percentile_is_within_a_thousandth_of_the_exact_one(seconds: list[float], share: float) -> None:
    """Against sorting: a value whose rank is that of the share, to 0.1 % or the histogram's microsecond."""
    ordered = sorted(seconds)
    rank = max(1, math.ceil(share / 100 * len(ordered) - 1e-9))
    # The histogram rounds the rank, sorting takes the next one up: the ranks on both sides are right answers.
    nearby = ordered[max(0, rank - 2) : rank + 1]
    found_ms = Latencies(seconds).percentile_ms(share)
    low, high = nearby[0] * 1000 * 0.999 - 0.001, nearby[-1] * 1000 * 1.001 + 0.001
    assert low <= found_ms <= high


@settings(max_examples=20)
@given(seconds=st.lists(SECONDS, min_size=1, max_size=200))
def test_percentiles_rise_up_to_the_longest(seconds: list[float]) -> None:
    """A curve of percentiles never falls, and ends at the maximum, which is exact."""
    curve = Latencies(seconds).curve()
    assert [value for _, value in curve] == sorted(value for _, value in curve)
    assert curve[-1] == (100.0, max(seconds) * 1000)


@st.composite
def runs(draw: st.DrawFn) -> Records:
    """Records of letters that were due in order, some of them late, some of them never answered."""
    records = Records()
    due = 100.0
    for _ in range(draw(st.integers(1, 60))):
        due += draw(st.floats(0, 2))
        number = records.open(due, due + draw(st.floats(0, 0.5)))
        if draw(st.booleans()):
            records.sent[number] = records.woke[number] + draw(st.floats(0, 3))
            records.answered[number] = records.sent[number] + draw(st.floats(0, 3))
            records.status[number] = draw(st.sampled_from([204, 204, 503, Failure.TIMEOUT]))
    return records


@given(records=runs())
def test_latency_counts_from_the_plan_whatever_waited(records: Records) -> None:
    """The longest latency is that of the plan: lateness, waiting and the way together."""
    exact = [records.answered[n] - records.due[n] for n in range(len(records)) if 200 <= records.status[n] < 300]
    latency = latency_of_taken(records)
    assert latency.count == len(exact)
    assert latency.most_ms == max([0.0, *exact]) * 1000


@given(records=runs())
def test_the_slices_add_up(records: Records) -> None:
    """Every letter is due, sent and taken in one slice, and at the end nothing is piled up but what has no answer."""
    slices = slices_of(records, 100.0, [])
    assert sum(one.due for one in slices) == len(records)
    assert sum(one.sent for one in slices) == sum(1 for one in records.sent if not math.isnan(one))
    assert sum(one.taken for one in slices) == sum(1 for n in range(len(records)) if records.taken(n))
    assert slices[-1].unanswered == sum(1 for one in records.answered if math.isnan(one))


@given(late_s=st.floats(0, 2), latency_s=st.floats(0.0001, 1), count=st.integers(1, 400))
def test_a_generator_that_is_late_by_more_than_the_bound_says_so(late_s: float, latency_s: float, count: int) -> None:
    """All letters late: the bottleneck is the generator if the lateness is beyond the bound, and only then."""
    records = Records()
    for number in range(count):
        due = float(number)
        records.open(due, due + late_s)
        records.sent[number] = due + late_s
        records.answered[number] = due + late_s + latency_s
        records.status[number] = 204
    latency = latency_of_taken(records)
    fitness = fitness_of(records, Pulse(wall_s=1.0), latency)
    bound_s = max(LATE_MS / 1000, 0.1 * (late_s + latency_s))
    if abs(late_s - bound_s) > 0.002 * (late_s + latency_s):
        assert fitness.is_bottleneck == (late_s > bound_s)


@given(cpu=st.floats(0, 2), loop_late_s=st.floats(0, 1))
def test_a_generator_without_processor_says_so(cpu: float, loop_late_s: float) -> None:
    """Each of the other reasons counts by itself."""
    records = Records()
    for number in range(100):
        records.open(float(number), float(number))
    pulse = Pulse(late=[loop_late_s] * 100, cpu_s=cpu, wall_s=1.0)
    reasons = fitness_of(records, pulse, Latencies()).reasons
    # Next to the bound the histogram's own error decides.
    late = loop_late_s > LATE_MS / 1000 * 1.001
    if late or loop_late_s < LATE_MS / 1000 * 0.999:
        assert len(reasons) == (cpu > CPU_SHARE) + late


def test_a_histogram_can_be_merged_from_its_encoding() -> None:
    """Runs of several generators can be added up by anybody who reads HdrHistogram's format."""
    from hdrh.histogram import HdrHistogram

    both = HdrHistogram(1, 3_600_000_000, 3)
    for part in (Latencies([0.001, 0.002]), Latencies([0.5])):
        both.decode_and_add(part.to_dict()["hdr_us"])
    assert both.get_total_count() == 3
    assert abs(both.get_value_at_percentile(100) - 500_000) <= 500


def test_an_empty_measurement_is_no_zero() -> None:
    """It says that nothing was counted."""
    assert Latencies().to_dict()["mean_ms"] is None
    assert Latencies().curve() == []
    assert array("d") == Records().due
