"""The connector under test: no threads, no sleeps, no network, and a clock that moves only when told to.

Run it:  python step_by_hand.py
"""

from __future__ import annotations

import tempfile
from urllib.parse import urlencode

import httpx
from twilio.request_validator import RequestValidator

from flex_plugin_backend import ManualDrive, create_app
from simulator.twilio.app import create_twilio_app
from simulator.twilio.process import build_show
from simulator.twilio.show import ShowSettings
from simulator.wfm import WfmOptions, create_wfm_app
from simulator.world.scenario import Scenario


def main() -> None:
    """An agent goes on a break, and the WFM hears of it."""
    floor = Scenario(agents=5, seed=1)
    show = build_show(floor, ShowSettings(start_ms=floor.start_ms))
    account = show.account
    drive = ManualDrive(floor.start_ms)
    wfm = create_wfm_app(WfmOptions(access_key="key", secret_key="secret"), now_ms=lambda: drive.now_ms)
    drive.twilio = httpx.WSGITransport(create_twilio_app(show))
    drive.wfm = httpx.WSGITransport(wfm)
    settings = {
        "server": {"public_url": "https://flex.example.com"},
        "ledger": {"url": f"sqlite:///{tempfile.mkdtemp()}/ledger.sqlite3"},
        "tenants": {
            "acme": {
                "twilio": {
                    "account_sid": account.account_sid,
                    "workspace_sid": account.workspace_sid,
                    "auth_token": account.auth_token,
                },
                "wfm": {"service_url": "https://wfm.example.com", "access_key": "key", "secret_key": "secret"},
            }
        },
    }
    app = create_app(settings, drive=drive)

    drive.step_to(drive.now_ms + 1_000)  # the start: it reads the floor by REST and tells the WFM
    with show.service.present() as (world, _):
        agent = world.floor.workers[0]
        rest = next(one for one in world.floor.activities.values() if one.name == "Break")
    fields = {
        "AccountSid": account.account_sid,
        "WorkspaceSid": account.workspace_sid,
        "EventType": "worker.activity.update",
        "Sid": "EV1",
        "TimestampMs": str(drive.now_ms),
        "WorkerSid": agent.sid,
        "WorkerActivitySid": rest.sid,
        "WorkerActivityName": rest.name,
    }
    url = "https://flex.example.com/twilio/acme/events"
    answer = app.test_client().post(
        "/twilio/acme/events",
        data=urlencode(fields),
        content_type="application/x-www-form-urlencoded",
        headers={"X-Twilio-Signature": RequestValidator(account.auth_token).compute_signature(url, fields)},
    )
    print("callback answered with", answer.status_code)
    drive.step_to(drive.now_ms)  # what follows from it happens now, at the same instant

    told = wfm.extensions["fake_wfm"].inbox.states(after=0, limit=100)["rows"]
    print("the WFM holds", told[-1]["event_id"], told[-1]["event_reason"], "since", told[-1]["start_time"])


if __name__ == "__main__":
    main()
