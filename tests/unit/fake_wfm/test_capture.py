"""Requests that the fake WFM keeps whole, and the validator that reads them."""

from __future__ import annotations

import io
import json
from datetime import date

from check_files import report, said, state, states

from flex_plugin_backend.wfm.contract.check import Options, check, find
from simulator.wfm import WfmOptions, create_wfm_app


def test_a_capture_of_the_fake_wfm_is_what_the_validator_reads() -> None:
    """Accepted and refused requests with endpoint, virtual time and status; nothing of the login."""
    client = create_wfm_app(
        WfmOptions(access_key="K====", secret_key="S3CRET===="), now_ms=lambda: 1_772_442_900_250
    ).test_client()
    login = {"accessKeyTokenRequest": {"accessKeyId": "K====", "accessKeySecret": "S3CRET===="}}
    token = client.post("/v1/authentication/token", json=login).get_json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}

    client.post("/v1/agent-states", json=states(state("WK0")), headers=headers)
    assert client.post("/sim/capture", json={"on": True}).get_json() == {"on": True}
    client.post("/v1/authentication/token", json=login)
    client.post("/v1/agent-states", json=states(state(event="ELSEWHERE")), headers=headers)
    client.post("/v1/reports/agent-activity", json=report(0), headers=headers)
    client.post("/sim/capture", json={"on": False})
    client.post("/v1/agent-states", json=states(state("WK2")), headers=headers)

    text = client.get("/sim/capture").get_data()
    assert b"S3CRET" not in text
    records = [json.loads(line) for line in text.splitlines()]
    assert [(one["seq"], one["endpoint"], one["status"], one["received"]) for one in records] == [
        (1, "agent_states", 400, "2026-03-02T09:15:00.250Z"),
        (2, "agent_activity", 200, "2026-03-02T09:15:00.250Z"),
    ]
    result = check(find(["-"], io.BytesIO(text))[0], Options(today=date(2026, 3, 2)))
    assert said(result) == [("M06", "/payload/agentStates/0/eventId")]
    assert result.files[0].payloads == {"AgentStateListDTO": 1, "AgentActivityReportDTO": 1}

    client.post("/sim/reset")
    assert client.get("/sim/capture").get_data() == b""
