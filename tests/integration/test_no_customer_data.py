"""No customer data is kept: a floor's events pass the real door, and the ledger's bytes are searched."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient

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
        yield emitter.form.render(event)


def deliver(client: FlaskClient, body: bytes, headers: dict[str, str]) -> None:
    """Post until it is taken; a disk that is busy with other tests may answer 503, which asks for just that."""
    for _ in range(5):
        answer = client.post(DOOR, data=body, headers=headers)
        if answer.status_code != 503:
            break
    assert answer.status_code == 204, answer.get_data(as_text=True)


HOSTILE = (
    "+15550177123",
    "Anna Maria von Hohenstein-Example-Long",
    "anna@customer.test",
    "555 0177 123",
    "card 4111-1111",
)


def hostile_callbacks(account: TwilioAccount) -> Iterator[tuple[bytes, dict[str, str]]]:
    """A transfer and a cancellation per text, with the text wherever plugins and customers can put one."""
    key = SigningKey(account.auth_token)
    for number, text in enumerate(HOSTILE):
        attributes = {
            "channelType": text,
            "direction": text,
            "customerName": text,
            "conversations": {"communication_channel": text, "direction": text, "abandoned": text},
        }
        for kind in ("task.transfer-initiated", "task.canceled", "task.completed"):
            fields = {
                "AccountSid": account.account_sid,
                "WorkspaceSid": account.workspace_sid,
                "EventType": kind,
                "Sid": f"EVhostile{number}{kind}",
                "TimestampMs": "1767607245123",
                "ResourceSid": f"WT{number}",
                "TaskSid": f"WT{number}",
                "TaskAttributes": json.dumps(attributes),
                "TransferTo": text,
                "TransferType": "WORKER",
                # A name alone cannot be told from a reason; it is only behind the cut that it goes.
                "TaskCanceledReason": f"{'caller said: ' if number != 1 else 'x' * 64}{text}",
                "Reason": f"{'caller said: ' if number != 1 else 'x' * 64}{text}",
                "TaskCompletedReason": f"{'caller said: ' if number != 1 else 'x' * 64}{text}",
            }
            signed = key.headers(PUBLIC + DOOR, fields)
            yield urlencode(fields).encode(), {"Content-Type": "application/x-www-form-urlencoded", **signed}


def test_hostile_words_do_not_reach_the_ledger(account: TwilioAccount, tmp_path: Path) -> None:
    """Numbers, addresses and sentences in the fields that are kept are not kept; the event itself is."""
    app = create_app(settings(account, tmp_path / "ledger.sqlite3"))
    try:
        client = app.test_client()
        for body, headers in hostile_callbacks(account):
            deliver(client, body, headers)
        health = app.extensions["flex_wfm"].runtime.health()
    finally:
        app.extensions["flex_wfm_plugin"].close()
    assert health["tenants"]["main"]["events"] == 3 * len(HOSTILE)
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir()).lower()
    assert b"evhostile0task.canceled" in kept
    assert [text for text in HOSTILE if text.lower().encode() in kept] == []


def test_the_ledger_holds_no_customer_data_and_no_secret(world: World, account: TwilioAccount, tmp_path: Path) -> None:
    """Names, numbers, addresses of customers and the signing secret are nowhere in the database files."""
    ledger = tmp_path / "ledger.sqlite3"
    app = create_app(settings(account, ledger))
    sent: list[bytes] = []
    try:
        client = app.test_client()
        for body, headers in callbacks(world, account):
            deliver(client, body, headers)
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
