"""The SDK examples of the documentation run against the fake WFM and print what they promise."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import flex_plugin_backend.wfm as sdk

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "docs" / "examples").glob("sdk_*.py"))
SIMULATOR = (sys.executable, "-c", "from simulator.cli import main; main(prog_name='flex-wfm-sim')")
EXPECTED = {
    "sdk_send_states": "status 200: 2 states accepted\ncontent: status 400, VALIDATION_ERROR\n",
    "sdk_send_reports": "agent activity: status 200\nqueues: status 200\na quiet quarter of an hour: status 200\n",
    "sdk_heartbeat": "the service hears us\n",
}


@pytest.fixture(scope="module")
def fake_url() -> Iterator[str]:
    words = ("wfm", "--port", "0", "--access-key", "KEY====", "--secret-key", "SECRET====", "--json-ready")
    with subprocess.Popen((*SIMULATOR, *words), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{json.loads(process.stdout.readline())['port']}"
        finally:
            process.terminate()
            assert process.wait(20) == 0


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example(path: Path, fake_url: str) -> None:
    """Each example runs as a program of its own and prints exactly what is expected."""
    keys = {"WFM_URL": fake_url, "WFM_ACCESS_KEY": "KEY====", "WFM_SECRET_KEY": "SECRET===="}
    done = subprocess.run(
        [sys.executable, str(path)], env={**os.environ, **keys}, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr, done.stdout) == (0, "", EXPECTED[path.stem])


def test_the_fake_is_one_process(fake_url: str) -> None:
    """What one connection sends, every other connection sees: there is one state, whoever answers."""
    login = {"accessKeyTokenRequest": {"accessKeyId": "KEY====", "accessKeySecret": "SECRET===="}}
    before: dict[str, Any] = httpx.get(f"{fake_url}/sim/counters").json()
    for _ in range(30):
        assert httpx.post(f"{fake_url}/v1/authentication/token", json=login).status_code == 200
    counts = {httpx.get(f"{fake_url}/sim/counters").json()["tokens"] for _ in range(10)}
    assert counts == {before["tokens"] + 30}


def test_a_taken_port_is_said_in_one_line(fake_url: str) -> None:
    """Starting a second fake on the same port fails with a message, not a traceback."""
    words = ("wfm", "--port", fake_url.rsplit(":", 1)[1], "--json-ready")
    done = subprocess.run((*SIMULATOR, *words), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert re.search("cannot be used: .*choose another --port", done.stderr)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "problem"), [(("--start-ms", "1"), "go together"), (("--profile", "nope"), "cannot be read")]
)
def test_bad_options(words: tuple[str, ...], problem: str) -> None:
    """Half a clock and an unknown profile are refused with a message."""
    done = subprocess.run((*SIMULATOR, "wfm", *words), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert problem in done.stderr
    assert "Traceback" not in done.stderr


def test_every_java_call_is_mapped() -> None:
    """The table of docs/sdk.md names every documented Java call, and every name of ours in it exists."""
    text = (ROOT / "docs" / "sdk.md").read_text()
    for call in (
        "WFMConnectionConfigBuilder", "setServiceUrl", "setAccessKey", "setSecretKey", "build()", "getConnection",
        "connect()", "AgentStatesServiceImpl", "processAgentStates", "ReportServiceImpl", "processAgentActivityReport",
        "processQueueReport", "getResponse()", "AgentStateListDTO", "AgentActivityReportDTO", "ReportDTO",
        "WFMReportResponseDTO", "CXoneWfmException",
    ):  # fmt: skip
        assert call in text, call
    ours = re.findall(r"^\| .+? \| `(\w+)(?:\(connection\))?\.(\w+)\(", text, re.MULTILINE)
    assert len(ours) == 4
    for owner, name in ours:
        assert hasattr(getattr(sdk, owner), name), f"{owner}.{name}"
    for path in EXAMPLES:
        assert path.name in text
