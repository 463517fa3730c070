"""The endpoint takes callbacks of any path, refuses forged ones, and writes what it heard."""

from __future__ import annotations

import io
import json
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient

from simulator.recording.listener import create_listener, snake
from simulator.recording.mask import Mask
from simulator.recording.writer import Recorder
from simulator.twilio.signing import SigningKey
from simulator.world.engine import World
from simulator.world.events import callback_parameters

URL = "https://recorder.example.com/twilio/events?tenant=a"


def _listener(auth_token: str = "") -> tuple[FlaskClient, Recorder, io.StringIO]:
    file = io.StringIO()
    recorder = Recorder(file, Mask(), account_sid="", workspace_sid="")
    app = create_listener(
        recorder, auth_token=auth_token, public_url="https://recorder.example.com" if auth_token else ""
    )
    return app.test_client(), recorder, file


def _post(client: FlaskClient, parameters: dict[str, str], key: SigningKey | None = None) -> int:
    headers = {} if key is None else key.headers(URL, parameters)
    answer = client.post(
        "/twilio/events?tenant=a", data=urlencode(parameters), headers=headers,
        content_type="application/x-www-form-urlencoded",
    )  # fmt: skip
    return answer.status_code


def test_what_is_posted_is_written_under_the_names_of_the_log(strange: World) -> None:
    """Every key of every event gets the name under which the world logs it."""
    client, recorder, file = _listener()
    events = list(strange.log)[:300]
    for event in events:
        names = {"account_sid": "AC1", "workspace_sid": "WS1", "workspace_name": "W"}
        parameters = callback_parameters(event, **names)
        assert {snake(name) for name in parameters} >= set(event.data())
        assert _post(client, parameters) == 204
    recorder.finish()
    lines = [json.loads(line) for line in file.getvalue().splitlines()]
    assert len(lines) == 1 + len(events)
    assert sorted(line["type"] for line in lines[1:]) == sorted(event.type for event in events)


def test_a_forged_callback_is_refused(strange: World) -> None:
    """With an auth token only what is signed with it counts; the public address is what was signed."""
    client, recorder, _ = _listener("secret")
    event = next(iter(strange.log))
    parameters = callback_parameters(event, account_sid="AC1", workspace_sid="WS1", workspace_name="W")
    assert _post(client, parameters) == 403
    assert _post(client, parameters, SigningKey("other")) == 403
    assert _post(client, parameters, SigningKey("secret")) == 204
    assert recorder.taken == 1


@pytest.mark.parametrize("parameters", [{}, {"EventType": "task.created"}, {"EventType": "x", "Sid": "EV1"}])
def test_what_is_no_event_is_refused(parameters: dict[str, str]) -> None:
    """With 400, such as an assignment callback."""
    client, recorder, _ = _listener()
    assert _post(client, parameters) == 400
    assert recorder.taken == 0
