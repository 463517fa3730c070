"""An event that comes by callback, by webhook, out of Kinesis and by REST is one event, whichever is first."""

from __future__ import annotations

import random

from kinesis_streams import ACCOUNT, WORKSPACE

from flex_plugin_backend.domain.events import EVENTS_FILTER
from flex_plugin_backend.ledger import eventlog
from flex_plugin_backend.taskrouter.callbacks import FormFields, event_from_form
from flex_plugin_backend.taskrouter.history import event_from_history
from flex_plugin_backend.taskrouter.streams import Owner, read_delivery
from simulator.twilio.account import TwilioAccount
from simulator.twilio.cloud_event import batch
from simulator.twilio.resources import Resources
from simulator.world.engine import World
from simulator.world.events import callback_parameters
from simulator.world.scenario import Scenario
from tests.integration.kinesis.conftest import Bench

SPAN_MS = 1_200_000


def test_what_comes_by_four_routes_at_once_is_there_once(bench: Bench) -> None:
    """Every event of a floor comes by all four routes in a random order; the ledger has each of them once."""
    world = World(Scenario(agents=8, seed=3))
    account = TwilioAccount.of(world.scenario)
    resources = Resources(account, "http://twilio.localhost")
    happened = [one for one in world.advance_to(world.now_ms + SPAN_MS) if one.type in EVENTS_FILTER]
    bench.clock.set_ms(world.now_ms)
    told = [(one, route) for one in happened for route in ("callback", "webhook", "kinesis", "rest")]
    random.Random(4).shuffle(told)
    consumer = bench.consumer()
    for one, route in told:
        body = batch([one], account_sid=ACCOUNT, workspace_sid=WORKSPACE)
        if route == "kinesis":
            bench.put([body])
        elif route == "webhook":
            bench.intake.submit("acme", read_delivery(body, Owner(ACCOUNT, WORKSPACE)).events)
        elif route == "rest":
            bench.intake.submit("acme", [event_from_history(resources.event(one))])
        else:
            form = callback_parameters(one, account_sid=ACCOUNT, workspace_sid=WORKSPACE, workspace_name="Flex")
            bench.intake.submit("acme", [event_from_form(FormFields(form.items()))])
        if random.Random(one.sid).random() < 0.1:
            bench.run(consumer, rounds=1)
    bench.run(consumer)
    assert len(happened) > 40
    assert bench.stored() == sorted(one.sid for one in happened)
    assert bench.counted("stored") + bench.counted("duplicate") == len(happened)
    assert bench.counted("stored") > 0
    with bench.ledger.read() as connection:
        routes = {event.route.value for _, event in eventlog.after(connection, "acme", 0, 100_000)}
    assert routes == {"callback", "stream", "rest"}
