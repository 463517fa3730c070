"""docs/configuration.md and the settings tree say the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic.fields import FieldInfo

from flex_plugin_backend.settings import (
    ActivityRule,
    AlertsSettings,
    ClockSettings,
    HealthSettings,
    IntakeSettings,
    KinesisSettings,
    LedgerSettings,
    LogSettings,
    MappingSettings,
    RepairSettings,
    ReportsSettings,
    ServerSettings,
    StatesSettings,
    TwilioSettings,
    WfmSettings,
)
from flex_plugin_backend.settings.parts import Part
from flex_plugin_backend.settings.tree import secret_fields

PAGE = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text(encoding="utf-8")
TABLES: dict[str, type[Part]] = {
    "[server]": ServerSettings,
    "[intake]": IntakeSettings,
    "[ledger]": LedgerSettings,
    "[log]": LogSettings,
    "[clock]": ClockSettings,
    "[alerts]": AlertsSettings,
    "[tenants.NAME.twilio]": TwilioSettings,
    "[tenants.NAME.wfm]": WfmSettings,
    "[tenants.NAME.mapping]": MappingSettings,
    "[tenants.NAME.states]": StatesSettings,
    "[tenants.NAME.reports]": ReportsSettings,
    "[tenants.NAME.repair]": RepairSettings,
    "[tenants.NAME.health]": HealthSettings,
    "[tenants.NAME.kinesis]": KinesisSettings,
}


def rows(title: str) -> dict[str, tuple[str, str]]:
    """Setting -> (default, meaning) as the page has it."""
    section = PAGE.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]
    found = re.findall(r"^\| `(\w+)` \| (.*?) \| (?:.*?) ?\| (.*) \|$", section, re.MULTILINE)
    return {name: (default, meaning) for name, default, meaning in found}


def written(field: FieldInfo) -> str:
    """A default as the page writes it."""
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True, validated_data={})
    if default is None:
        return "none"
    if default in ("", (), {}):
        return "empty"
    if isinstance(default, tuple):
        return f"`{', '.join(default)}`"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def cases() -> Iterator[tuple[str, str, FieldInfo, bool]]:
    for title, model in TABLES.items():
        for name, field in model.model_fields.items():
            yield title, name, field, name in secret_fields(model)
    for name, field in ActivityRule.model_fields.items():
        yield "[tenants.NAME.mapping]", name, field, False


@pytest.mark.parametrize(("title", "name", "field", "secret"), list(cases()))
def test_setting_is_on_the_page(title: str, name: str, field: FieldInfo, secret: bool) -> None:
    """Every setting is described with its true default, and as a secret if it is one."""
    default, meaning = rows(title)[name]
    if name != "shared_keys":
        assert default == written(field)
        assert ("*secret*" in meaning) == secret
    assert len(meaning) > 3


@pytest.mark.parametrize("title", TABLES)
def test_page_names_no_setting_that_does_not_exist(title: str) -> None:
    """A setting that was removed or renamed is gone from the page too."""
    known = set(TABLES[title].model_fields)
    if "mapping" in title:
        known |= set(ActivityRule.model_fields)
    assert set(rows(title)) <= known
