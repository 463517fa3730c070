"""Rules for the agent system performance part."""

from __future__ import annotations

from collections.abc import Iterator

from flex_plugin_backend.wfm.contract.payload import Payload
from flex_plugin_backend.wfm.contract.rules.record import QUEUE, Found, rule


@rule(
    "M20",
    "ready and idle time are part of login time",
    "All three are cut to the interval at the same instants.",
    QUEUE,
)
def parts_of_login(payload: Payload) -> Iterator[Found]:
    for row in payload.rows("AgentPerformanceRow"):
        times = row.numbers("ready_time_s", "idle_time_s", "login_time_s")
        if times is not None and times[0] + times[1] > times[2]:
            message = f"{times[0]} s ready and {times[1]} s idle in {times[2]} s of login"
            repair = "Cut all three at the same instants."
            yield Found(row.pointer_of("login_time_s"), message, "ready + idle <= login", repair)


@rule(
    "M55",
    "login time fits the interval",
    "Login time is clipped to the interval; more than its length is the time of two agents, or of two intervals.",
    QUEUE,
)
def login_fits(payload: Payload) -> Iterator[Found]:
    longest_s = payload.profile.limits.interval_s
    for row in payload.rows("AgentPerformanceRow"):
        login_s = row.number("login_time_s")
        if login_s is not None and login_s > longest_s:
            message = f"{login_s} s in an interval of {longest_s} s"
            yield Found(row.pointer_of("login_time_s"), message, f"at most {longest_s} s", "Clip it to the interval.")


@rule(
    "M56",
    "outbound time belongs to outbound calls",
    "A call is booked once, with its whole time, where it ends (S16).",
    QUEUE,
)
def out_time_has_calls(payload: Payload) -> Iterator[Found]:
    yield from _time_has_calls(payload, "out_time_s", "out_calls")


@rule(
    "M57",
    "internal time belongs to internal calls",
    "A call is booked once, with its whole time, where it ends (S16).",
    QUEUE,
)
def internal_time_has_calls(payload: Payload) -> Iterator[Found]:
    yield from _time_has_calls(payload, "internal_time_s", "internal_calls")


def _time_has_calls(payload: Payload, time_name: str, count_name: str) -> Iterator[Found]:
    for row in payload.rows("AgentPerformanceRow"):
        found = row.numbers(time_name, count_name)
        if found is not None and found[0] > 0 and found[1] == 0:
            message = f"{found[0]} s without a call"
            yield Found(row.pointer_of(time_name), message, "0", "Book a call's time in the interval where it ends.")
