"""No customer data is kept: a floor's events pass the real door, and the ledger's bytes are searched."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from flex_plugin_backend import create_app
from simulator.clock import VirtualClock
from simulator.twilio.account import TwilioAccount
from simulator.twilio.emitter import CallbackEmitter, EmitterSettings
from simulator.twilio.signing import SigningKey
from simulator.world.engine import World
from simulator.world.scenario import Scenario

PUBLIC = "https://connector.example.com"
DOOR = "/twilio/main/events"
NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def world() -> World:
    """Half an hour of a small floor."""
    return World(Scenario(agents=12, seed=3))


@pytest.fixture
def account(world: World) -> TwilioAccount:
    """The floor's account."""
    return TwilioAccount.of(world.scenario)


def settings(account: TwilioAccount, ledger: Path) -> dict[str, object]:
    """A connector that reaches neither Twilio nor CXone: only what comes in counts here."""
    return {
        "server": {"public_url": PUBLIC},
        "ledger": {"url": f"sqlite:///{ledger}"},
        "tenants": {
            "main": {
                "twilio": {
                    "account_sid": account.account_sid,
                    "workspace_sid": account.workspace_sid,
                    "auth_token": account.auth_token,
                    "api_base_url": NOBODY,
                    "timeout_s": 0.2,
                },
                "wfm": {"service_url": NOBODY, "access_key": "key", "secret_key": "secret", "timeout_s": 0.2},
            }
        },
    }


def callbacks(world: World, account: TwilioAccount) -> Iterator[tuple[bytes, dict[str, str]]]:
    """Every callback of the next half hour, signed."""
    emitter = CallbackEmitter(
        EmitterSettings(
            callback_url=PUBLIC + DOOR,
            account_sid=account.account_sid,
            workspace_sid=account.workspace_sid,
            workspace_name=account.workspace_name,
            key=SigningKey(account.auth_token),
        ),
        VirtualClock(start_ms=world.now_ms, anchor_ms=0, speed=1.0),
    )
    for event in world.advance_to(world.now_ms + 30 * 60_000):
        yield emitter.render(event)


def test_the_ledger_holds_no_customer_data_and_no_secret(world: World, account: TwilioAccount, tmp_path: Path) -> None:
    """Names, numbers, addresses of customers and the signing secret are nowhere in the database files."""
    ledger = tmp_path / "ledger.sqlite3"
    app = create_app(settings(account, ledger))
    sent: list[bytes] = []
    try:
        client = app.test_client()
        for body, headers in callbacks(world, account):
            answer = client.post(DOOR, data=body, headers=headers)
            assert answer.status_code == 204, answer.get_data(as_text=True)
            sent.append(body)
    finally:
        app.extensions["flex_wfm_plugin"].close()

    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert len(sent) > 100
    assert len(kept) > 100_000
    secrets = {account.auth_token, "customerName", "customerAddress", "task_attributes"}
    personal = {
        text
        for customer in world.customers
        for text in (customer.name, customer.phone, customer.email, customer.account_number)
    }
    whole = b"".join(sent).decode()
    assert sum(1 for customer in world.customers if json.dumps(customer.phone)[2:-1] in whole) > 5
    leaked = [
        text
        for text in personal | secrets
        if text and (text.encode() in kept or json.dumps(text)[1:-1].encode() in kept)
    ]
    assert leaked == []
