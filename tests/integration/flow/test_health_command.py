"""flex-wfm health: what it says of a running connector, and of one that does not answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pytest_httpserver import HTTPServer

from flex_plugin_backend.cli import main
from flex_plugin_backend.ledger import alarms
from flex_plugin_backend.ledger.alarms import Alarm
from flex_plugin_backend.ledger.store import Ledger

T0 = 1_750_000_000_000
FINE = {"status": "ok", "since": "2026-01-05T08:00:00+00:00", "cause": None, "detail": "", "to_do": "", "alarms": []}
BLIND = {
    "condition": "blind",
    "since": "2026-01-05T09:00:00+00:00",
    "cause": "feed silent",
    "detail": "nothing has come",
    "to_do": "Check the proxy.",
}
DOWN = {**BLIND, "condition": "wfm down", "cause": "wfm unreachable", "to_do": "Nothing."}
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, httpserver: HTTPServer) -> Run:
    """Runs the command with the settings of a connector that listens where the test's server does."""
    config = tmp_path / "flex-wfm.toml"
    config.write_text(
        f'[server]\nhost = "{httpserver.host}"\nport = {httpserver.port}\nurl_prefix = "/wfm"\n'
        f'[ledger]\nurl = "sqlite:///{tmp_path}/ledger.sqlite3"\n'
        + "".join(
            f'[tenants.{name}.twilio]\naccount_sid = "AC1"\nworkspace_sid = "WS{name}"\nauth_token = "t"\n'
            f'[tenants.{name}.wfm]\nservice_url = "http://127.0.0.1:9"\naccess_key = "k"\nsecret_key = "s"\n'
            for name in ("acme", "beta")
        )
    )
    return lambda *words: CliRunner().invoke(main, ["health", "-c", str(config), *words])


def says(httpserver: HTTPServer, **tenants: Any) -> None:
    httpserver.expect_request("/wfm/healthz").respond_with_json({"status": "ok", "tenants": tenants})


def test_a_connector_that_is_well_ends_with_nought(run: Run, httpserver: HTTPServer) -> None:
    """One line a tenant."""
    says(httpserver, acme=FINE, beta=FINE)
    found = run()
    assert (found.exit_code, found.output.count("2026-01-05T08:00:00")) == (0, 2)


def test_an_alarm_ends_with_one_and_says_why_and_what_to_do(run: Run, httpserver: HTTPServer) -> None:
    """Also the alarm that stands behind a graver one."""
    says(httpserver, acme={"status": "wfm down", **DOWN, "alarms": [DOWN, BLIND]}, beta=FINE)
    found = run()
    assert found.exit_code == 1
    for words in ("wfm down", "wfm unreachable", "blind", "feed silent", "Check the proxy."):
        assert words in found.output
    assert run("--tenant", "beta").exit_code == 0


def test_as_json_it_is_what_the_connector_said(run: Run, httpserver: HTTPServer) -> None:
    """For scripts, one object."""
    says(httpserver, acme=FINE, beta={"status": "blind", **BLIND, "alarms": [BLIND]})
    found = run("--json", "--tenant", "beta")
    assert found.exit_code == 1
    said = json.loads(found.output)
    assert (said["answers"], list(said["tenants"]), said["tenants"]["beta"]["cause"]) == (True, ["beta"], "feed silent")


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "nonsense://x", "http://[bad"])
def test_a_connector_that_does_not_answer_ends_with_three_and_the_alarms_that_stood(
    run: Run, tmp_path: Path, url: str
) -> None:
    """No answer is never taken for well."""
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.sqlite3")
    with ledger.write() as connection:
        stood = Alarm(condition="wfm down", cause="wfm unreachable", witness="delivery", since_ms=T0)
        over = Alarm(condition="blind", cause="feed silent", witness="feed", since_ms=T0 - 9, ended_ms=T0 - 5)
        alarms.save(connection, "acme", [stood, over])
    ledger.close()
    found = run("--url", url)
    assert found.exit_code == 3
    assert f"No connector answers at {url}/healthz" in found.output
    assert "acme: wfm down (wfm unreachable) since 2025-06-15T15:06:40" in found.output
    assert "blind" not in found.output
    assert json.loads(run("--url", url, "--json").output)["answers"] is False


@pytest.mark.parametrize("body", ['{"tenants": {"other": {}}}', "[]", "<html>"])
def test_something_else_at_the_address_is_no_connector(run: Run, httpserver: HTTPServer, body: str) -> None:
    """Another service answers 200."""
    httpserver.expect_request("/wfm/healthz").respond_with_data(body)
    found = run()
    assert (found.exit_code, "no connector of these tenants" in found.output) == (3, True)


def test_the_alarms_of_the_past_are_listed_newest_first(run: Run, tmp_path: Path) -> None:
    """With their end, and whether somebody was told."""
    assert run("--alarms", "5").output == "There was no alarm.\n"
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.sqlite3")
    with ledger.write() as connection:
        one = Alarm(condition="blind", cause="feed silent", witness="feed", since_ms=T0, ended_ms=T0 + 60_000)
        two = Alarm(
            condition="held", cause="states refused", witness="delivery", since_ms=T0 + 90_000, begin_told_ms=T0
        )
        alarms.save(connection, "acme", [one, two])
    ledger.close()
    listed = [json.loads(line) for line in run("--alarms", "5", "--json").output.splitlines()]
    assert [row["cause"] for row in listed] == ["states refused", "feed silent"]
    assert [row["ended"] is None for row in listed] == [True, False]
    shown = run("--alarms", "1").output
    assert "stands" in shown
    assert "feed silent" not in shown


def test_an_unknown_tenant_is_named(run: Run) -> None:
    """Before anything is asked."""
    found = run("--tenant", "gamma")
    assert (found.exit_code, "there is no tenant gamma" in found.output) == (2, True)
