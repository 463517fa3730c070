"""Whatever is sent to the fake Twilio, it answers in Twilio's way: never by falling over, and the world lives on."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import Any

import pytest
from flask import Flask

from simulator.twilio.app import create_twilio_app
from simulator.twilio.grounds import Grounds
from simulator.twilio.limits import Limits
from simulator.twilio.show import Show, ShowSettings
from simulator.world.scenario import Scenario

_FIELDS = {
    "Workers": ("FriendlyName", "ActivitySid", "Attributes", "RejectPendingReservations"),
    "Channels": ("Capacity", "Available"),
    "Tasks": (
        "Attributes", "AssignmentStatus", "Reason", "Priority", "TaskChannel", "WorkflowSid", "TaskQueueSid",
        "RoutingTarget", "Timeout", "IgnoreCapacity",
    ),
    "Reservations": ("ReservationStatus", "WorkerActivitySid"),
    "Activities": ("FriendlyName", "Available"),
    "Workspaces": ("EventCallbackUrl", "EventsFilter"),
    "Sinks": ("Description", "SinkConfiguration", "SinkType"),
    "Subscriptions": ("Description", "SinkSid", "Types"),
    "SubscribedEvents": ("Type", "SchemaVersion"),
    "Validate": ("TestId",),
}  # fmt: skip
_QUERIES = (
    "PageSize", "Page", "PageToken", "StartDate", "EndDate", "Minutes", "Ordering", "AssignmentStatus", "Available",
    "EvaluateTaskAttributes", "TargetWorkersExpression", "TaskChannel", "SplitByWaitTime", "FriendlyName",
)  # fmt: skip
_WORDS = (
    "", "true", "false", "0", "-1", "5", "99999999999", "٣", "²", "nan", "accepted", "rejected", "wrapping",
    "completed", "canceled", "voice", "chat", "{}", "[]", "null", '{"queue":"Support"}', '{"direction":"outbound"}',
    '{"a":1e999}', '{"type":"com.twilio.taskrouter.worker.created"}',
    '"\\ud800"', '{"routing":{"skills":["support"]}}', '{"routing":[]}', "[" * 3000, "a == 1 AND", "a HAS 'b'", "((",
    "NOT " * 3000 + "a == 1", "2026-01-05T08:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00",
    "http://127.0.0.1:9/", "http://[", "http://h:99999/", "http://h:x/", "http://h/#ct=x", "webhook", "task.created",
    "DateCreated:asc", '{"destination":"http://h:x/"}', '{"type":5}', "PAnull", "PBW10", "PAWzEsMl0", "PA",
    "é\x00\U0001f600",
)  # fmt: skip
_PREFIXES = {
    "Workers": "WK", "Tasks": "WT", "Reservations": "WR", "Activities": "WA", "TaskQueues": "WQ", "TaskChannels": "TC",
    "Channels": "WC", "Workflows": "WW", "Events": "EV", "Sinks": "DG", "Subscriptions": "DF",
}  # fmt: skip
_KINDS = ("Statistics", "CumulativeStatistics", "RealTimeStatistics")


class _Monkey:
    """Calls what there is, with what may be anything."""

    def __init__(self, show: Show, app: Flask, seed: int) -> None:
        self._show = show
        self._app = app
        self._rng = Random(seed)
        rules = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith(("/v1", "/2010"))]
        self._calls = sorted(
            (rule.rule, method, rule)
            for rule in rules
            for method in {"GET", "POST", "DELETE"} & set(rule.methods or ())
        )
        self.statuses: dict[int, int] = {}

    def call(self) -> tuple[str, Any]:
        """What was called, and the answer."""
        rng, account = self._rng, self._show.account
        _, method, rule = rng.choice(self._calls)
        before = dict(pairwise(part.strip("<>") for part in rule.rule.split("/")))
        collections = {name: collection for collection, name in before.items()}
        built = rule.build({name: self._part(name, collections.get(name, "")) for name in rule.arguments})
        assert built is not None
        query = {rng.choice(_QUERIES): self._value() for _ in range(rng.randrange(3))}
        kind = next(part for part in reversed(rule.rule.split("/")) if part in _FIELDS or not part)
        fields = _FIELDS.get(kind, ("Nonsense",))
        form = {rng.choice(fields): self._value() for _ in range(rng.randrange(1, 5))} if method == "POST" else None
        answer = self._app.test_client().open(
            built[1], method=method, query_string=query, data=form, auth=(account.account_sid, account.auth_token)
        )
        self.statuses[answer.status_code] = self.statuses.get(answer.status_code, 0) + 1
        return f"{method} {built[1]} {query} {form}", answer

    def _part(self, name: str, collection: str) -> Any:
        fixed = {"workspace_sid": self._show.account.workspace_sid, "number": self._rng.randrange(9)}
        if name in fixed:
            return fixed[name]
        if name == "kind":
            return self._rng.choice(_KINDS)
        fitting = [sid for sid in self._sids() if sid.startswith(_PREFIXES.get(collection, "-"))]
        return self._rng.choice(fitting if fitting and self._rng.random() < 0.8 else [*self._sids(), "voice", "%00"])

    def _value(self) -> str:
        return self._rng.choice(_WORDS) if self._rng.random() < 0.6 else self._rng.choice(self._sids())

    def _sids(self) -> list[str]:
        with self._show.service.present() as (world, now_ms):
            floor, tasks = world.floor, world.tasks(now_ms)
            catalogue = [*floor.activities.values(), *floor.all_queues(), *floor.channels.values(), floor.workflow]
            reservations = [one for task in tasks for one in task.reservations]
            streams = [*self._show.streams.sinks.values(), *self._show.streams.subscriptions.values()]
            return [one.sid for one in (*floor.present(), *catalogue, *tasks, *reservations, *streams)]


@pytest.mark.parametrize("seed", [1, 2])
def test_every_call_is_answered_in_twilio_s_way(seed: int) -> None:
    """A 2xx, or a 4xx with code, message, more_info and status, 600 times; time passes in between."""
    scenario = Scenario(agents=4, seed=51)
    show = Grounds(scenario=scenario, show=ShowSettings(start_ms=scenario.start_ms + 60_000), by_hand=True).build()
    show.limiter.limits = Limits(expressions=0, bulk=0)
    monkey = _Monkey(show, create_twilio_app(show), seed)
    try:
        for _ in range(600):
            called, answer = monkey.call()
            assert answer.status_code < 500, called
            if answer.status_code >= 400:
                assert {"code", "message", "more_info", "status"} <= set(answer.get_json()), called
            show.service.advance_to(show.service.now_ms() + 5_000)
    finally:
        show.stop()
    assert {200, 201, 204, 400, 404} <= set(monkey.statuses)


@pytest.mark.parametrize(
    ("method", "path", "given"),
    [
        ("GET", "/Workers", {"query_string": {"TargetWorkersExpression": "NOT " * 3000 + "a == 1"}}),
        ("GET", "/Workers", {"query_string": {"TargetWorkersExpression": "(" * 3000 + "a == 1"}}),
        ("GET", "/Workers", {"query_string": {"TargetWorkersExpression": "a IN " + "[" * 3000}}),
        ("GET", "/Workers", {"query_string": {"PageToken": "PAWzFlOTk5LCJhIl0"}}),
        ("POST", "/Tasks", {"data": {"Attributes": "[" * 3000}}),
        ("POST", "/Tasks", {"data": {"Attributes": "[" * 300 + "]" * 300}}),
        ("POST", "/TaskQueues/RealTimeStatistics", {"data": "[" * 9000, "content_type": "application/json"}),
        ("POST", "", {"data": {"EventCallbackUrl": "http://h/#ct=x"}}),
        ("POST", "", {"data": {"EventCallbackUrl": "http://h:99999/"}}),
        ("POST", "/v1/Sinks", {"data": {"Description": "x", "SinkType": "webhook", "SinkConfiguration": "[" * 3000}}),
        ("POST", "/sim/agents", {"data": "[" * 9000, "content_type": "application/json"}),
        ("POST", "/sim/queues/Sales", {"data": '{"timeout_s": NaN}', "content_type": "application/json"}),
        ("POST", "/sim/queues/Sales", {"json": {"timeout_s": 1e308}}),
        ("POST", "/sim/queues/Sales", {"json": {"timeout_s": -5}}),
    ],
)
def test_what_is_meant_to_break_it_is_refused(app: Flask, show: Show, method: str, path: str, given: Any) -> None:
    """400, or 409 on the control face; never a fault of the server."""
    account = show.account
    address = path if path.startswith(("/v1", "/sim")) else f"/v1/Workspaces/{account.workspace_sid}{path}"
    auth = (account.account_sid, account.auth_token)
    answer = app.test_client().open(address, method=method, auth=auth, **given)
    assert answer.status_code in (400, 409), answer.text
