"""docs/health.md says what the program says: every cause, every metric, and examples that work."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

from flow_bench import T0, TENANT

from flex_plugin_backend.clock import ManualClock
from flex_plugin_backend.flow.alerts import AlarmBook, AlertRules
from flex_plugin_backend.flow.condition import Condition, ConditionBoard, Trouble, Witness
from flex_plugin_backend.flow.metrics import FlowMetrics
from flex_plugin_backend.flow.webhook import Message
from flex_plugin_backend.ledger.store import Ledger
from flex_plugin_backend.settings import Settings, load_settings

PAGE = (Path(__file__).parents[3] / "docs" / "health.md").read_text(encoding="utf-8")


def test_every_cause_has_its_row() -> None:
    """With a condition that exists; and the page names no cause that does not."""
    rows = re.findall(r"^\| `([a-z ]+)` \| `([a-z ]+)` \|", PAGE, re.MULTILINE)
    assert {cause for _, cause in rows} == {one.value for one in Trouble}
    assert {condition for condition, _ in rows} <= {one.value for one in Condition}


def test_every_metric_on_the_page_exists() -> None:
    """By the name under which Prometheus reads it."""
    named = set(re.findall(r"^\| `(flex_wfm_\w+)", PAGE, re.MULTILINE))
    known = {sample for metric in FlowMetrics().registry.collect() for sample in (metric.name, f"{metric.name}_total")}
    assert len(named) > 5
    assert named <= known


def test_the_settings_of_the_example_are_taken(tmp_path: Path) -> None:
    """With a secret made by the command beside it."""
    tables = tomllib.loads(_block("toml"))
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "alert-url").write_text("https://alerts.example.com/hook\n")
    (tmp_path / "secrets" / "alert-signing").write_text("whsec_" + "A" * 43 + "=\n")
    tenant = '[tenants.acme.twilio]\naccount_sid = "AC1"\nworkspace_sid = "WS1"\nauth_token = "t"\n'
    wfm = '[tenants.acme.wfm]\nservice_url = "https://w.example.com"\naccess_key = "k"\nsecret_key = "s"\n'
    (tmp_path / "flex-wfm.toml").write_text(_block("toml") + tenant + wfm)
    settings = load_settings(tmp_path / "flex-wfm.toml", environ={})
    assert isinstance(settings, Settings)
    assert set(tables["alerts"]) == {"url_file", "signing_secret_file"}
    assert settings.alerts.signing_secret is not None


def test_the_message_of_the_example_has_the_shape_of_a_real_one(tmp_path: Path) -> None:
    """Key for key, type for type."""
    clock, sent = ManualClock(T0), list[Message]()
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.sqlite3")
    board = ConditionBoard(TENANT, T0)
    book = AlarmBook(TENANT, ledger, clock, board, AlertRules(after_s=0), post=lambda message, _: sent.append(message))
    board.show(Condition.BLIND, T0, "why", Trouble.FEED_SILENT, witness=Witness.FEED)
    book.step()
    ledger.close()
    assert _shape(json.loads(_block("json"))) == _shape(sent[0].body)


def _shape(value: object) -> object:
    return {name: _shape(one) for name, one in value.items()} if isinstance(value, dict) else type(value)


def _block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found.group(1)
