"""The fake WFM is walked with generated payloads in one process, and keeps what it took."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from contract_tests.stateful import machine_for
from contract_tests.target import Credentials, Marks, Target
from flex_plugin_backend.wfm.contract import load_profile
from simulator.wfm import FakeWfm, WfmOptions, create_wfm_app

RENAMED = str(Path(__file__).parents[3] / "fixtures" / "profiles" / "renamed.toml")


@pytest.fixture(params=[("default", False), (RENAMED, False), ("default", True)], ids=["default", "renamed", "partial"])
def walked(request: pytest.FixtureRequest) -> Iterator[tuple[Target, FakeWfm]]:
    name, partial = request.param
    options = WfmOptions(profile=name, partial=partial)
    app = create_wfm_app(options)
    with httpx.Client(base_url="http://localhost/", transport=httpx.WSGITransport(app=app)) as client:
        marks = Marks("agent", "queue", 946_857_600_000, 946_858_500_000)
        target = Target(load_profile(name), client, Credentials(options.access_key, options.secret_key), marks)
        yield target, app.extensions["fake_wfm"]


def test_walk(walked: tuple[Target, FakeWfm]) -> None:
    """Valid payloads are taken and broken ones refused at any moment of any walk."""
    target, wfm = walked
    budget = settings(
        max_examples=30,
        stateful_step_count=20,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    run_state_machine_as_test(machine_for(target), settings=budget)
    counters = wfm.inbox.counters()
    assert counters["states"] > 0
    assert counters["requests"] > counters["tokens"] > 1
