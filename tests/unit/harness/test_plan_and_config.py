"""The plan, and the configuration file that a demo writes for the connector."""

from __future__ import annotations

import stat
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from simulator.harness import DemoPlan, Outage
from simulator.harness.config import ConnectorFacts, clean_environment, write_config
from simulator.harness.stage import Clock

FACTS = ConnectorFacts(
    port=8089,
    ledger=Path("/data/ledger.sqlite3"),
    twilio_url="http://127.0.0.1:1",
    account_sid="AC1",
    workspace_sid="WS1",
    auth_token='quote " and backslash \\',
    offline_activity_sid="WA1",
    wfm_url="http://127.0.0.1:2",
    access_key="key",
    secret_key="secret",
)
CLOCK = Clock(start_ms=1_000, anchor_ms=2_000, speed=75, end_ms=3_000)


@pytest.mark.parametrize("change", [{"agents": 0}, {"speed": 0}, {"minutes": -1}, {"warm_up_minutes": -1}])
def test_a_plan_that_cannot_run_is_refused(change: dict[str, float]) -> None:
    """A plan without agents, time or speed is an error at once."""
    with pytest.raises(ValueError, match=next(iter(change))):
        replace(DemoPlan(), **change)  # type: ignore[arg-type]


def test_the_command_repeats_the_plan() -> None:
    """The printed command names everything that makes the run what it is."""
    plan = DemoPlan(agents=12, minutes=2.5, speed=120, seed=9)
    assert plan.command == "flex-wfm-sim demo --agents 12 --minutes 2.5 --speed 120 --seed 9"


def test_the_configuration_is_toml_that_the_connector_takes(tmp_path: Path) -> None:
    """What was put in comes out of the file, with quotes and backslashes intact."""
    path = tmp_path / "connector.toml"
    write_config(FACTS, CLOCK, path)
    tables = tomllib.loads(path.read_text())
    assert tables["clock"] == {"start_ms": 1_000, "anchor_ms": 2_000, "speed": 75.0}
    assert tables["ledger"]["url"] == "sqlite:////data/ledger.sqlite3"
    assert tables["tenants"]["demo"]["twilio"]["auth_token"] == FACTS.auth_token
    assert tables["tenants"]["demo"]["mapping"]["offline_activity_sid"] == "WA1"


def test_the_configuration_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Keys stand in the file, so nobody else may read it."""
    path = tmp_path / "connector.toml"
    write_config(FACTS, CLOCK, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_keys_are_not_in_the_representation() -> None:
    """A printed record of the facts shows no key."""
    assert "secret" not in repr(FACTS).replace("secret_key", "")
    assert "backslash" not in repr(FACTS)


def test_settings_of_a_real_connector_do_not_leak_in() -> None:
    """Environment variables that configure a connector are kept from the demo's own."""
    environment = {"PATH": "/bin", "FLEX_WFM__SERVER__PORT": "1", "FLEX_WFM_CONFIG": "/etc/flex-wfm.toml"}
    assert clean_environment(environment) == {"PATH": "/bin"}


@pytest.mark.parametrize(
    ("planned_s", "acked_s", "delayed"),
    [(9.0, 9.5, False), (9.9, 12.5, True), (11.0, 12.5, True), (11.0, None, True), (12.5, 12.6, False)],
)
def test_an_outage_delays_what_was_under_way_in_it(planned_s: float, acked_s: float | None, delayed: bool) -> None:
    """A callback is delayed by an outage if it was due before its end and not answered before its beginning."""
    assert Outage(down_s=10.0, up_s=12.0).delayed(planned_s, acked_s) is delayed
