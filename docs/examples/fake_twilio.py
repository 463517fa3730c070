"""The official Twilio client against a fake Twilio: an agent, a call, and what TaskRouter tells of them."""

from __future__ import annotations

import json
import sys
import time
from typing import Any
from urllib.request import urlopen

from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client


class FakeTwilio(TwilioHttpClient):
    """The client's own transport, with another host."""

    def __init__(self, base_url: str) -> None:
        super().__init__(timeout=10)
        self.base_url = base_url

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        """Send the request to the fake instead of twilio.com."""
        path = url.split("://", 1)[1].split("/", 1)[1]
        return super().request(method, f"{self.base_url}/{path}", *args, **kwargs)


def connect(base_url: str) -> Any:
    """The first workspace of the fake; its made-up keys stand at /sim/worlds."""
    with urlopen(f"{base_url}/sim/worlds", timeout=10) as answer:
        keys = json.load(answer)["worlds"][0]
    client = Client(keys["account_sid"], keys["auth_token"], http_client=FakeTwilio(base_url))
    return client.taskrouter.v1.workspaces(keys["workspace_sid"])


def main(base_url: str) -> None:
    """One call from beginning to end."""
    workspace = connect(base_url)
    available = workspace.activities.list(friendly_name="Available")[0].sid
    skills = json.dumps({"routing": {"skills": ["support"]}})
    ana = workspace.workers.create("ana@example.com", activity_sid=available, attributes=skills)

    call = workspace.tasks.create(task_channel="voice", attributes=json.dumps({"queue": "Support"}))
    while not (offers := workspace.tasks(call.sid).reservations.list()):
        time.sleep(0.05)  # TaskRouter takes a few milliseconds to find somebody
    print(f"the call rings at {offers[0].worker_name}")

    reservation = workspace.workers(ana.sid).reservations(offers[0].sid)
    reservation.update(reservation_status="accepted")
    workspace.tasks(call.sid).update(assignment_status="wrapping")
    workspace.tasks(call.sid).update(assignment_status="completed", reason="solved")

    time.sleep(0.1)
    told = workspace.events.list(task_sid=call.sid)
    print(", ".join(event.event_type for event in told if event.event_type.startswith("reservation.")))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8081")
