"""Settings: sources, secrets and the one error that names everything that is wrong."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from flex_plugin_backend.clock import ScaledClock, SystemClock
from flex_plugin_backend.errors import SettingsError
from flex_plugin_backend.settings import Problem, Settings, load_settings
from flex_plugin_backend.settings.checks import cautions

SECRET = "top-secret-auth-token"
GOOD: dict[str, Any] = {
    "server": {"public_url": "https://flex.example.com/"},
    "ledger": {"url": "sqlite://"},
    "tenants": {
        "acme-eu": {
            "twilio": {"account_sid": "AC1", "workspace_sid": "WS1", "auth_token": SECRET},
            "wfm": {
                "service_url": "https://wfm.example.com",
                "access_key": "access-key-1",
                "secret_key": "secret-key-1",
            },
        }
    },
}


def with_change(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    data = copy.deepcopy(GOOD)
    change(data)
    return data


def twilio(data: dict[str, Any]) -> dict[str, Any]:
    table: dict[str, Any] = data["tenants"]["acme-eu"]["twilio"]
    return table


def wfm(data: dict[str, Any]) -> dict[str, Any]:
    table: dict[str, Any] = data["tenants"]["acme-eu"]["wfm"]
    return table


def problems(source: Any, environ: dict[str, str] | None = None) -> dict[str, Problem]:
    with pytest.raises(SettingsError) as caught:
        load_settings(source, environ=environ or {})
    found = caught.value.facts["problems"]
    assert isinstance(found, tuple)
    for problem in found:
        assert problem.setting in str(caught.value)
        assert problem.source in str(caught.value)
        assert problem.repair in str(caught.value)
    return {problem.setting: problem for problem in found}


# -- what is right --------------------------------------------------------------------------------------------------


def test_the_least_that_is_needed_loads_with_defaults() -> None:
    """Two sids, one address and three secrets are enough."""
    settings = load_settings(GOOD, environ={})
    assert settings.server.port == 8080
    assert settings.tenants["acme-eu"].states.min_state_s == 3
    assert settings.tenants["acme-eu"].wfm.profile == "default"
    assert settings.public_url_of("acme-eu") == "https://flex.example.com"


def test_settings_cannot_be_changed() -> None:
    """What was checked at the start stays what it was."""
    settings = load_settings(GOOD, environ={})
    with pytest.raises(ValidationError):
        settings.server.port = 1


def test_environment_overrides_the_file() -> None:
    """FLEX_WFM__TABLE__NAME wins; tenants are found by name with - as _, and JSON or commas fill lists and tables."""
    settings = load_settings(
        GOOD,
        environ={
            "FLEX_WFM__SERVER__PORT": "9001",
            "FLEX_WFM__TENANTS__ACME_EU__TWILIO__AUTH_TOKEN": "from-the-environment",
            "FLEX_WFM__TENANTS__ACME_EU__TWILIO__SNAPSHOT_AT_START": "false",
            "FLEX_WFM__TENANTS__ACME_EU__MAPPING__PSEUDO_ACTIVITIES": "On a Task, Wrap Up",
            "FLEX_WFM__TENANTS__ACME_EU__MAPPING__CHANNELS": '{"whatsapp": "Chat"}',
            "FLEX_WFM__TENANTS__ACME_EU__STATES__CATCH_UP_S": "",
        },
    )
    tenant = settings.tenants["acme-eu"]
    assert settings.server.port == 9001
    assert tenant.twilio.auth_token.get_secret_value() == "from-the-environment"
    assert tenant.twilio.snapshot_at_start is False
    assert tenant.mapping.pseudo_activities == ("On a Task", "Wrap Up")
    assert tenant.mapping.channels == {"whatsapp": "chat"}
    assert tenant.states.catch_up_s == 900


def test_environment_alone_is_enough() -> None:
    """A container needs no file."""
    settings = load_settings(
        None,
        environ={
            "FLEX_WFM__TENANTS__ACME__TWILIO__ACCOUNT_SID": "AC1",
            "FLEX_WFM__TENANTS__ACME__TWILIO__WORKSPACE_SID": "WS1",
            "FLEX_WFM__TENANTS__ACME__TWILIO__AUTH_TOKEN": SECRET,
            "FLEX_WFM__TENANTS__ACME__TWILIO__SHARED_KEYS__KEY1": "shared-secret",
            "FLEX_WFM__TENANTS__ACME__WFM__SERVICE_URL": "https://wfm.example.com",
            "FLEX_WFM__TENANTS__ACME__WFM__ACCESS_KEY": "a",
            "FLEX_WFM__TENANTS__ACME__WFM__SECRET_KEY_ENV": "WFM_SECRET",
            "WFM_SECRET": "s",
        },
    )
    assert settings.tenants["acme"].twilio.signing_secrets() == {"key1": "shared-secret"}
    assert settings.tenants["acme"].wfm.secret_key.get_secret_value() == "s"


def test_file_and_secret_files(tmp_path: Path) -> None:
    """A TOML file is read; its secret files are looked for beside it, and a final line break is no part of a secret."""
    (tmp_path / "token").write_text(f"{SECRET}\n")
    config = tmp_path / "flex-wfm.toml"
    config.write_text(
        """
        [tenants.acme.twilio]
        account_sid = "AC1"
        workspace_sid = "WS1"
        auth_token_file = "token"
        shared_keys = { k1 = { secret_file = "token" }, k2 = "bare" }
        [tenants.acme.wfm]
        service_url = "https://wfm.example.com"
        access_key = "a"
        secret_key = "s"
        [tenants.acme.mapping]
        agent_id = "attribute:wfm.agent.id"
        activities = { "Break" = { reason = "BRK" }, "WA1" = { state = "OFFLINE" } }
        """
    )
    settings = load_settings(None, environ={"FLEX_WFM_CONFIG": str(config)})
    tenant = settings.tenants["acme"]
    assert tenant.twilio.auth_token.get_secret_value() == SECRET
    assert tenant.twilio.signing_secrets() == {"k1": SECRET, "k2": "bare"}
    assert tenant.mapping.agent_attribute == ("wfm", "agent", "id")
    assert tenant.mapping.activities["Break"].reason == "BRK"


def test_environment_secret_overrules_a_secret_file_of_the_toml() -> None:
    """A secret in the environment replaces the file's way of giving it, whatever that was; nothing is read there."""
    data = with_change(lambda d: twilio(d).update(auth_token_file="/nowhere"))
    del twilio(data)["auth_token"]
    settings = load_settings(data, environ={"FLEX_WFM__TENANTS__ACME_EU__TWILIO__AUTH_TOKEN": "x1"})
    assert settings.tenants["acme-eu"].twilio.auth_token.get_secret_value() == "x1"


def test_clock_is_the_machine_s_unless_all_three_numbers_are_given() -> None:
    """A rehearsal gives three numbers, a real day none."""
    assert isinstance(load_settings(GOOD, environ={}).clock.build(), SystemClock)
    scaled = with_change(lambda d: d.update(clock={"start_ms": 0, "anchor_ms": 0, "speed": 60}))
    assert isinstance(load_settings(scaled, environ={}).clock.build(), ScaledClock)


# -- what is wrong --------------------------------------------------------------------------------------------------


def test_unknown_setting_gets_a_suggestion() -> None:
    """A misspelled name is an error with the name that was probably meant."""
    found = problems(with_change(lambda d: twilio(d).update(auth_tokn_file="x")))
    problem = found["tenants.acme-eu.twilio.auth_tokn_file"]
    assert problem.repair == "Did you mean auth_token_file?"


def test_unknown_environment_variable_is_named() -> None:
    """A misspelled variable is named in full."""
    found = problems(GOOD, {"FLEX_WFM__SERVER__PROT": "1"})
    assert found["server.prot"].source == "environment variable FLEX_WFM__SERVER__PROT"
    assert "port" in found["server.prot"].repair


@pytest.mark.parametrize(
    ("setting", "variable"),
    [
        ("servr", "FLEX_WFM__SERVR__PORT"),
        ("tenants.acme-eu.twilo", "FLEX_WFM__TENANTS__ACME_EU__TWILO__AUTH_TOKEN"),
        ("server.port", "FLEX_WFM__SERVER__PORT__NUMBER"),
    ],
)
def test_misspelled_environment_table_is_not_blamed_on_the_file(setting: str, variable: str) -> None:
    """A table that exists only because of a variable is reported with that variable as its source."""
    assert problems(GOOD, {variable: "9"})[setting].source == f"environment variable {variable}"


def test_misspelled_table_of_the_file_stays_the_file_s() -> None:
    """A variable that adds to a misspelled table of the file does not take the blame for it."""
    found = problems(with_change(lambda d: d.update(servr={"host": "x"})), {"FLEX_WFM__SERVR__PORT": "9"})
    assert found["servr"].source == "the settings given in code"


def test_missing_secret_says_every_way_to_give_it() -> None:
    """The repair names the three spellings and the environment variable."""
    found = problems(with_change(lambda d: twilio(d).pop("auth_token")))
    repair = found["tenants.acme-eu.twilio.auth_token"].repair
    for way in ("auth_token_file", "auth_token_env", "FLEX_WFM__TENANTS__ACME_EU__TWILIO__AUTH_TOKEN"):
        assert way in repair


def test_several_problems_come_together() -> None:
    """One start shows everything that is wrong, not the first thing."""

    def spoil(data: dict[str, Any]) -> None:
        data["server"]["port"] = 70000
        data["tenants"]["acme-eu"]["states"] = {"min_state_s": -1}
        wfm(data).pop("service_url")
        twilio(data)["rest_key_sid"] = "SK1"
        data["ledger"]["url"] = "sqlite:////no/such/folder/x.sqlite3"
        data["tenants"]["Not Good"] = data["tenants"]["acme-eu"]

    assert set(problems(with_change(spoil))) == {
        "server.port",
        "tenants.acme-eu.states.min_state_s",
        "tenants.acme-eu.wfm.service_url",
        "tenants.acme-eu.twilio.rest_key_secret",
        "ledger.url",
        "tenants.Not Good",
        "tenants.Not Good.states.min_state_s",
        "tenants.Not Good.wfm.service_url",
        "tenants.Not Good.twilio.rest_key_secret",
    }


def test_ledger_folder_given_by_a_variable_is_blamed_on_it() -> None:
    """What is checked on the machine names its source like everything else."""
    found = problems(GOOD, {"FLEX_WFM__LEDGER__URL": "sqlite:////no/such/folder/x.sqlite3"})
    assert found["ledger.url"].source == "environment variable FLEX_WFM__LEDGER__URL"


@pytest.mark.parametrize(
    ("setting", "change"),
    [
        ("tenants.acme-eu.twilio.account_sid", lambda d: twilio(d).update(account_sid="WS1")),
        ("tenants.acme-eu.twilio.workspace_sid", lambda d: twilio(d).update(workspace_sid="AC1")),
        ("tenants.acme-eu.twilio.public_url", lambda d: twilio(d).update(public_url="flex.example.com")),
        ("tenants.acme-eu.twilio.public_url", lambda d: twilio(d).update(public_url="https://x/?a=1")),
        ("server.public_url", lambda d: d["server"].update(public_url="ftp://x")),
        ("server.url_prefix", lambda d: d["server"].update(url_prefix="/a b")),
        ("intake.ack_timeout_s", lambda d: d.update(intake={"ack_timeout_s": 15})),
        ("clock.speed", lambda d: d.update(clock={"start_ms": 0, "anchor_ms": 0})),
        ("tenants.acme-eu.wfm.retry_cap_s", lambda d: wfm(d).update(retry_first_s=10, retry_cap_s=5)),
        ("tenants.acme-eu.mapping.agent_id", lambda d: d["tenants"]["acme-eu"].update(mapping={"agent_id": "email"})),
        (
            "tenants.acme-eu.mapping.channels.video",
            lambda d: d["tenants"]["acme-eu"].update(mapping={"channels": {"video": "voise"}}),
        ),
        ("tenants.Acme", lambda d: d["tenants"].update({"Acme": d["tenants"].pop("acme-eu")})),
        ("tenants", lambda d: d.update(tenants={})),
        ("tenants", lambda d: d.pop("tenants")),
        ("tenants.acme-eu.twilio", lambda d: d["tenants"]["acme-eu"].pop("twilio")),
        ("ledger.url", lambda d: d.update(ledger={"url": "sqlite:////no/such/folder/x.sqlite3"})),
        ("tenants.twin.twilio.workspace_sid", lambda d: d["tenants"].update(twin=d["tenants"]["acme-eu"])),
    ],
)
def test_wrong_value_is_named_by_its_path(setting: str, change: Callable[[dict[str, Any]], object]) -> None:
    """Each rule, within a table or between tables, names the setting it is about."""
    assert list(problems(with_change(change))) == [setting]


def test_sids_of_unusual_length_are_allowed() -> None:
    """The prefix is checked, the length is not (Twilio reference 13, row 10)."""
    data = with_change(lambda d: twilio(d).update(workspace_sid="WS" + "0" * 24))
    assert load_settings(data, environ={}).tenants["acme-eu"].twilio.workspace_sid == "WS" + "0" * 24


def test_secret_given_twice_is_an_error() -> None:
    """Two spellings of one secret in one source: nobody can know which was meant."""
    found = problems(with_change(lambda d: twilio(d).update(auth_token_env="X")), {"X": "y"})
    assert "more than once" in found["tenants.acme-eu.twilio.auth_token"].problem


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe\x00"])
def test_unreadable_secret_file_is_named(tmp_path: Path, content: bytes | None) -> None:
    """A secret file that is missing, empty or no text is named with its path, once."""
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    data = with_change(lambda d: twilio(d).update(auth_token_file=str(file)))
    del twilio(data)["auth_token"]
    found = problems(data)
    assert list(found) == ["tenants.acme-eu.twilio.auth_token"]
    assert found["tenants.acme-eu.twilio.auth_token"].source == f"secret file {file}"


def test_unset_secret_variable_is_named() -> None:
    """A secret that should come from an unset variable is reported once, with the variable."""
    data = with_change(lambda d: wfm(d).update(secret_key_env="WFM_SECRET"))
    del wfm(data)["secret_key"]
    found = problems(data)
    assert list(found) == ["tenants.acme-eu.wfm.secret_key"]
    assert "WFM_SECRET" in found["tenants.acme-eu.wfm.secret_key"].problem


@pytest.mark.parametrize("content", [b"a = ", b"\xff\xfe", None])
def test_unreadable_file_is_one_clear_error(tmp_path: Path, content: bytes | None) -> None:
    """A file that is missing, no UTF-8 or no TOML is named with its path."""
    file = tmp_path / "flex-wfm.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError, match=r"flex-wfm\.toml"):
        load_settings(file, environ={})


# -- secrets stay secret --------------------------------------------------------------------------------------------


def test_no_secret_in_representation_or_dump() -> None:
    """Neither repr nor a dump shows a secret, nor the passwords that addresses may hold."""
    data = with_change(lambda d: d["ledger"].update(url="postgresql+psycopg://u:pg-password@db/flex"))
    data["server"]["public_url"] = "https://u:basic-password@flex.example.com"
    twilio(data)["public_url"] = "https://u:basic-password@flex.example.com/in"
    settings = load_settings(data, environ={})
    assert settings.public_url_of("acme-eu") == "https://u:basic-password@flex.example.com/in"
    dumped = settings.model_dump()
    assert dumped["tenants"]["acme-eu"]["twilio"]["public_url"] == "https://flex.example.com/in"
    for shown in (repr(settings), str(settings), repr(settings.tenants), str(dumped), settings.model_dump_json()):
        for secret in (SECRET, "access-key-1", "secret-key-1", "pg-password", "basic-password"):
            assert secret not in shown
    assert {SECRET, "access-key-1", "secret-key-1", "pg-password", "basic-password"} <= settings.secrets()


@pytest.mark.parametrize(
    "change",
    [
        lambda d: twilio(d).update(rest_key_sid=SECRET),
        lambda d: twilio(d).update(account_sid=SECRET),
        lambda d: twilio(d).update({"auth_token": [SECRET]}),
        lambda d: twilio(d).update({"auth_tken": SECRET}),
        lambda d: twilio(d).update({"shared_keys": {"k": {"secrt": SECRET}}}),
        lambda d: d["server"].update(port=SECRET),
        lambda d: d["ledger"].update(url={"password": SECRET}),
        lambda d: wfm(d).update(service_url=f"//u:{SECRET}@x"),
    ],
)
def test_no_error_shows_a_value(change: Callable[[dict[str, Any]], object]) -> None:
    """A secret pasted into the wrong place does not come back in the message."""
    with pytest.raises(SettingsError) as caught:
        load_settings(with_change(change), environ={})
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.value)


@pytest.mark.parametrize(
    ("days", "reports", "repair", "says"),
    [
        (31, {}, {}, "repair reaches back for 30 days"),
        (35, {"correct_for_days": 34}, {}, "reports are corrected for 34 days"),
        (8, {"correct_for_days": 7}, {"enabled": False}, "Keep at least 9 days"),
        (32, {"correct_for_days": 7}, {}, None),
        (2, {"enabled": False}, {"enabled": False}, None),
    ],
)
def test_the_ledger_forgets_nothing_that_is_still_corrected_or_repaired(
    days: float, reports: dict[str, Any], repair: dict[str, Any], says: str | None
) -> None:
    """Two days more than the longer of both, where they are switched on."""

    def change(data: dict[str, Any]) -> None:
        data["ledger"] = {"retention_days": days}
        data["tenants"]["acme-eu"] |= {"reports": reports, "repair": repair}

    data = with_change(change)
    if says is None:
        assert load_settings(data, environ={}).ledger.retention_days == days
    else:
        found = problems(data)["ledger.retention_days"]
        assert says in f"{found.problem}. {found.repair}"


def test_cautions_name_what_is_allowed_but_unwise() -> None:
    """Plain http to another machine and a missing public address are worth a line; the good settings are not."""
    assert cautions(load_settings(GOOD, environ={})) == []
    data = with_change(lambda d: (d.pop("server"), wfm(d).update(service_url="http://wfm.example.com")))
    notes = cautions(load_settings(data, environ={}))
    assert [("http" in note, "public_url" in note) for note in notes] == [(True, False), (False, True)]


def test_direct_construction_is_as_strict() -> None:
    """Whoever builds the tree in code gets the same rules."""
    with pytest.raises(ValidationError):
        Settings.model_validate({**GOOD, "sever": {}})
