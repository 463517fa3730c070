"""What the conformance suite is told on the command line, as a target to speak to."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from contract_tests.options import profile_of
from contract_tests.target import Credentials, Marks, Target
from flex_plugin_backend.wfm.contract import Profile

# A report replaces its interval, so the suite speaks of one that nobody has data for.
_UNUSED = "2000-01-03T00:00:00Z"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Say at once what is missing, rather than once per test."""
    if items and not config.getoption("wfm_url"):
        raise pytest.UsageError("Say which endpoint to test: --wfm-url URL (flex-wfm-sim wfm starts a fake one).")


@pytest.fixture(scope="session")
def profile(pytestconfig: pytest.Config) -> Profile:
    """The contract."""
    return profile_of(pytestconfig)


@pytest.fixture(scope="session")
def marks(pytestconfig: pytest.Config, profile: Profile) -> Marks:
    """Ids and interval of everything that is sent."""
    run = uuid.uuid4().hex[:8]
    text = pytestconfig.getoption("wfm_interval") or _UNUSED
    try:
        start = datetime.fromisoformat(text)
    except ValueError as error:
        raise pytest.UsageError(f"--wfm-interval {text!r} is no ISO-8601 instant: {error}") from error
    start_ms = round((start if start.tzinfo else start.replace(tzinfo=UTC)).timestamp() * 1000)
    length_ms = profile.limits.interval_s * 1000
    if start_ms % length_ms:
        raise pytest.UsageError(f"--wfm-interval {text!r} is not the start of an interval of {length_ms // 1000} s")
    return Marks(
        agent_id=pytestconfig.getoption("wfm_agent") or f"flex-wfm-contract-test-agent-{run}",
        queue_id=pytestconfig.getoption("wfm_queue") or f"flex-wfm-contract-test-queue-{run}",
        start_ms=start_ms,
        end_ms=start_ms + length_ms,
    )


@pytest.fixture(scope="session")
def credentials(pytestconfig: pytest.Config) -> Credentials:
    """The login; the secret comes from a file or the environment, never from the command line."""
    access_key = pytestconfig.getoption("wfm_access_key") or os.environ.get("FLEX_WFM_ACCESS_KEY", "")
    file = pytestconfig.getoption("wfm_secret_file")
    try:
        secret = Path(file).read_text(encoding="utf-8").strip() if file else os.environ.get("FLEX_WFM_SECRET_KEY", "")
    except OSError as error:
        raise pytest.UsageError(f"--wfm-secret-file {file} cannot be read: {error.strerror}") from error
    if not access_key or not secret:
        raise pytest.UsageError(
            "The endpoint's login is missing: --wfm-access-key ID or FLEX_WFM_ACCESS_KEY, and --wfm-secret-file FILE "
            "or FLEX_WFM_SECRET_KEY."
        )
    return Credentials(access_key, secret, pytestconfig.getoption("wfm_tenant"))


@pytest.fixture(scope="session")
def target(pytestconfig: pytest.Config, profile: Profile, credentials: Credentials, marks: Marks) -> Iterator[Target]:
    """The endpoint under test."""
    url = str(pytestconfig.getoption("wfm_url")).rstrip("/") + "/"
    # A redirect is not followed: the login would go to another host.
    with httpx.Client(base_url=url, timeout=pytestconfig.getoption("wfm_timeout"), follow_redirects=False) as client:
        yield Target(profile, client, credentials, marks)
