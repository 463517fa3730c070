"""What the contract allows is taken: states, reports with and without rows, and the same again."""

from __future__ import annotations

from typing import Any

import pytest

from contract_tests import rows
from contract_tests.target import Reply, Target
from flex_plugin_backend.wfm.contract import Event


def test_the_acd_type_is_named(target: Target) -> None:
    """The lookup names an ACD type, the same each time."""
    assert target.acd_type().strip()
    reply = target.send("acd_details")
    plain = target.profile.decode(target.profile.endpoint("acd_details").response or "", reply.json())
    assert plain["acd_type"] == target.acd_type()


def test_a_heartbeat(target: Target) -> None:
    """A heartbeat is taken."""
    _taken(target, target.send("heartbeat", target.encode("heartbeat", sent_ms=rows.now_ms())))


def test_one_state(target: Target) -> None:
    """One agent state is taken."""
    _taken(target, target.send("agent_states", target.states(rows.state(target.profile, target.marks, rows.now_ms()))))


def test_every_event_id(target: Target) -> None:
    """Each event id of the profile is taken, with the reason that it wants."""
    now_ms = rows.now_ms()
    events: list[Event] = list(target.profile.events.values())
    batch = target.profile.limits.agent_states_rows
    states = [
        {
            "agent_id": f"{target.marks.agent_id}-{number}",
            "event_id": rows.pair_of(event)[0],
            "event_reason": rows.pair_of(event)[1],
            "start_ms": now_ms,
        }
        for number, event in enumerate(events)
    ]
    for at in range(0, len(states), batch):
        _taken(target, target.send("agent_states", target.states(*states[at : at + batch])))


def test_states_in_the_order_of_time(target: Target) -> None:
    """Several states of one agent in one request, oldest first, and a later one in the next, are taken."""
    profile, marks, now_ms = target.profile, target.marks, rows.now_ms()
    first = [
        rows.state(profile, marks, now_ms - 20_000, "AVAILABLE"),
        rows.state(profile, marks, now_ms - 10_000, "UNAVAILABLE"),
    ]
    _taken(target, target.send("agent_states", target.states(*first)))
    _taken(target, target.send("agent_states", target.states(rows.state(profile, marks, now_ms, "AVAILABLE"))))


def test_no_states(target: Target) -> None:
    """An empty list of states is taken."""
    _taken(target, target.send("agent_states", target.states()))


def test_an_activity_report(target: Target) -> None:
    """An agent activity report with rows is taken."""
    _taken(target, target.send("agent_activity", target.activity(*rows.activities(target.profile, target.marks))))


def test_an_activity_report_without_rows(target: Target) -> None:
    """An agent activity report of an interval in which nothing ended is taken."""
    _taken(target, target.send("agent_activity", target.activity()))


def test_a_queue_report(target: Target) -> None:
    """A queue report with all three parts is taken."""
    _taken(target, target.send("queue_report", _full(target)))


def test_a_queue_report_without_rows(target: Target) -> None:
    """A queue report whose three parts are empty arrays is taken."""
    _taken(target, target.send("queue_report", target.queues()))


@pytest.mark.parametrize("part", ["queues", "agent_queues", "agents"])
def test_a_queue_report_with_one_empty_part(target: Target, part: str) -> None:
    """A part in which nothing happened is an empty array beside the others."""
    marks = target.marks
    parts: dict[str, tuple[dict[str, Any], ...]] = {
        "queues": (rows.queue(target.profile, marks),),
        "agent_queues": (rows.agent_queue(target.profile, marks),),
        "agents": (rows.performance(target.profile, marks),),
    }
    parts[part] = ()
    if part == "queues":
        parts["agent_queues"] = ()  # what no queue handled no agent handled for it
    _taken(target, target.send("queue_report", target.queues(**parts)))


@pytest.mark.parametrize("operation", ["agent_states", "agent_activity", "queue_report"])
def test_the_same_again(target: Target, operation: str) -> None:
    """A payload whose answer was lost is sent again: it is taken again."""
    payload = rows.payload(target, operation)
    _taken(target, target.send(operation, payload))
    _taken(target, target.send(operation, payload))


def test_a_report_that_replaces_one(target: Target) -> None:
    """A corrected report of the same interval is taken."""
    _taken(target, target.send("queue_report", _full(target, handled=2)))
    _taken(target, target.send("queue_report", _full(target, handled=3)))
    _taken(target, target.send("queue_report", target.queues()))


def _full(target: Target, handled: int = 2) -> dict[str, object]:
    profile, marks = target.profile, target.marks
    return target.queues(
        (rows.queue(profile, marks, handled),),
        (rows.agent_queue(profile, marks, handled),),
        (rows.performance(profile, marks),),
    )


def _taken(target: Target, reply: Reply) -> None:
    """A 2xx, and no row of it refused."""
    assert reply.ok, str(reply)
    body = reply.json()
    if isinstance(body, dict):
        plain = target.profile.decode("WFMReportResponseDTO", body)
        assert not plain.get("rejected"), f"rows were refused. {reply}"
