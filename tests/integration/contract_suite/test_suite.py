"""The conformance suite, run as a user runs it: against the fake, and against a server of another make."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from other_wfm import ACCESS_KEY, SECRET_KEY, OtherWfm
from pytest_httpserver import HTTPServer

from flex_plugin_backend.wfm.contract import load_profile
from simulator.harness.config import clean_environment
from simulator.harness.process import SIMULATOR, Child
from simulator.wfm import WfmOptions

RENAMED = Path(__file__).parents[3] / "fixtures" / "profiles" / "renamed.toml"
FAKE = WfmOptions()


def run_suite(
    folder: Path, *words: str, access_key: str = FAKE.access_key, secret_key: str = FAKE.secret_key
) -> subprocess.CompletedProcess[str]:
    """`pytest --pyargs contract_tests ...` in an empty folder."""
    command = [sys.executable, "-m", "pytest", "--pyargs", "contract_tests", "-q", "-p", "no:cacheprovider", *words]
    keys = {"FLEX_WFM_ACCESS_KEY": access_key, "FLEX_WFM_SECRET_KEY": secret_key}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    return subprocess.run(
        command, cwd=folder, env={**environment, **keys}, capture_output=True, text=True, timeout=200, check=False
    )


def counts(text: str) -> dict[str, int]:
    """The numbers of pytest's last line."""
    return {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|skipped|error)", text)}


@pytest.fixture
def other(httpserver: HTTPServer) -> OtherWfm:
    return OtherWfm(httpserver)


@pytest.fixture
def fake_url(tmp_path: Path) -> Iterator[str]:
    command = [*SIMULATOR, "wfm", "--port", "0", "--json-ready"]
    child = Child("wfm", command, tmp_path / "wfm.log", env=clean_environment())
    try:
        yield f"http://127.0.0.1:{child.ready(60)['port']}"
    finally:
        child.stop()


def test_the_fake_conforms(fake_url: str, tmp_path: Path) -> None:
    """Everything passes against the fake WFM but the wait for an hour-long token's end."""
    done = run_suite(tmp_path, "--wfm-url", fake_url, "-rs")
    assert done.returncode == 0, done.stdout
    assert counts(done.stdout)["passed"] > 150
    assert counts(done.stdout)["skipped"] == 1
    assert "a token lives 3600 s" in done.stdout


@pytest.mark.parametrize("partial", [False, True])
def test_a_server_of_another_make_conforms(other: OtherWfm, tmp_path: Path, partial: bool) -> None:
    """A hand-written server with other names passes too, whether it refuses batches or rows; expiry is waited for."""
    other.partial = partial
    keys = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY}
    done = run_suite(tmp_path, "--wfm-url", other.url, "--profile", str(RENAMED), **keys)
    assert done.returncode == 0, done.stdout
    assert counts(done.stdout)["passed"] > 150
    assert "skipped" not in counts(done.stdout)
    # Nothing is called but what the profile names, and each agent id says that it is a test.
    assert {path for _, path in other.seen} == {one.path for one in load_profile(RENAMED).endpoints.values()}
    assert other.agents
    assert all(agent.startswith("flex-wfm-contract-test-agent-") for agent in other.agents)


@pytest.mark.parametrize("fault", ["takes_all", "names_nothing"])
def test_a_server_that_does_not_conform_fails(other: OtherWfm, tmp_path: Path, fault: str) -> None:
    """A server that takes everything, or whose errors name no field, fails every test about that."""
    setattr(other, fault, True)
    keys = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY}
    words = ("--wfm-url", other.url, "--profile", str(RENAMED), "-k", "test_refused and missing_field")
    done = run_suite(tmp_path, *words, **keys)
    assert done.returncode == 1
    assert "passed" not in counts(done.stdout)
    assert ("taken in silence" if fault == "takes_all" else "does not name") in done.stdout


def test_a_wrong_login_says_so_and_shows_no_secret(other: OtherWfm, tmp_path: Path) -> None:
    """With a wrong secret the suite fails at the login, and the secret stands nowhere in its output."""
    words = ("--wfm-url", other.url, "--profile", str(RENAMED), "-k", "one_state or gives_a_token", "--showlocals")
    done = run_suite(tmp_path, *words, access_key=ACCESS_KEY, secret_key="not-the-secret====")
    assert done.returncode == 1
    assert "the login was refused" in done.stdout
    assert "not-the-secret" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "Say which endpoint to test: --wfm-url URL"),
        (("--wfm-url", "http://127.0.0.1:9", "--profile", "nope"), "Contract profile nope"),
        (("--wfm-url", "http://127.0.0.1:9", "--wfm-secret-file", "none.txt"), "none.txt cannot be read"),
        (("--wfm-url", "http://127.0.0.1:9", "--wfm-interval", "2026-01-05T10:07:00Z"), "not the start of an interval"),
        (("--wfm-url", "http://127.0.0.1:9", "--wfm-interval", "soon"), "is no ISO-8601 instant"),
    ],
)
def test_what_is_missing_is_said(words: tuple[str, ...], message: str, tmp_path: Path) -> None:
    """A missing or wrong option is one clear message."""
    done = run_suite(tmp_path, *words, "-k", "one_state")
    assert done.returncode not in (0, 5)
    assert message in done.stdout + done.stderr


def test_a_missing_login_is_said(tmp_path: Path) -> None:
    """Without a login the suite says how to give one."""
    done = run_suite(tmp_path, "--wfm-url", "http://127.0.0.1:9", "-k", "one_state", access_key="", secret_key="")
    assert "FLEX_WFM_SECRET_KEY" in done.stdout
