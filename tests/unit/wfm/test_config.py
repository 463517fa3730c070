"""The builder of connection settings: what it refuses, and that no text shows a secret."""

from __future__ import annotations

import copy
import logging
import pickle
from dataclasses import asdict

import pytest
from pydantic import SecretStr

from flex_plugin_backend.errors import SettingsError
from flex_plugin_backend.wfm import WFMConnection, WFMConnectionConfigBuilder
from flex_plugin_backend.wfm.contract import ContractError

SECRET = "3MMUKO7PCQ===="


def _builder(url: str = "https://wfm.example/base/") -> WFMConnectionConfigBuilder:
    return WFMConnectionConfigBuilder().set_service_url(url).set_access_key("KEY====").set_secret_key(SECRET)


def test_setters_chain_and_build() -> None:
    """Every setting can be chained and arrives."""
    config = _builder().set_tenant_name("t").set_acd_type("TWILIO").set_profile("default").set_timeout_s(3, 1).build()
    assert (
        config.service_url, config.access_key, config.tenant_name, config.acd_type, config.timeout_s,
        config.connect_timeout_s,
    ) == ("https://wfm.example/base", "KEY====", "t", "TWILIO", 3, 1)  # fmt: skip
    assert config.secret_key.get_secret_value() == SECRET
    assert config.profile.name == "default"


def test_no_text_shows_the_secret() -> None:
    """Neither repr, str nor a dump of builder, settings or connection shows the secret."""
    config = _builder().build()
    connection = WFMConnection.get_connection(config)
    for thing in (config, _builder(), connection, asdict(config), copy.copy(config)):
        assert SECRET not in f"{thing!r} {thing!s}"
    connection.close()
    assert SECRET not in repr(vars(_builder()))
    assert pickle.loads(pickle.dumps(config.secret_key)).get_secret_value() == SECRET


def test_a_secret_may_come_wrapped() -> None:
    """A SecretStr is taken as it is; spaces around, as from a secret file, are cut."""
    assert _builder().set_secret_key(SecretStr(f"{SECRET}\n")).build().secret_key.get_secret_value() == SECRET


URLS = [
    ("", "not a http or https URL"),
    ("wfm.example", "not a http or https URL"),
    ("ftp://wfm.example", "not a http or https URL"),
    ("https://", "not a http or https URL"),
    ("https://wfm.example:port", "not a URL"),
    ("https://[::1", "not a URL"),
    ("https://user:hunter2@wfm.example", "user or password"),
    ("https://hunter2@wfm.example", "user or password"),
    ("https://wfm.example/?token=hunter2", "query or fragment"),
    ("https://wfm.example/#hunter2", "query or fragment"),
]


@pytest.mark.parametrize(("url", "problem"), URLS)
def test_bad_service_urls(url: str, problem: str) -> None:
    """A service URL that cannot work or would leak is refused, and the message does not repeat it."""
    with pytest.raises(SettingsError, match=problem) as caught:
        _builder(url).build()
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["https://wfm.example", "http://127.0.0.1:8081/", "http://localhost:1", "http://[::1]:1/x"]
)
def test_good_service_urls(url: str, caplog: pytest.LogCaptureFixture) -> None:
    """https anywhere and http on this machine are fine."""
    with caplog.at_level(logging.WARNING):
        assert url.rstrip("/") == _builder(url).build().service_url
    assert caplog.records == []


def test_plain_http_to_another_machine_is_warned_about(caplog: pytest.LogCaptureFixture) -> None:
    """The access key would travel unprotected."""
    with caplog.at_level(logging.WARNING):
        _builder("http://wfm.example").build()
    assert ["unprotected" in record.message for record in caplog.records] == [True]


def test_missing_keys_and_bad_numbers_are_refused() -> None:
    """Both halves of the key are needed, and a time above 0."""
    with pytest.raises(SettingsError, match="access_key"):
        _builder().set_access_key(" ").build()
    with pytest.raises(SettingsError, match="secret_key"):
        _builder().set_secret_key("").build()
    with pytest.raises(SettingsError, match="timeout_s"):
        _builder().set_timeout_s(0).build()
    with pytest.raises(SettingsError, match="timeout_s"):
        _builder().set_timeout_s(float("inf")).build()
    with pytest.raises(ContractError):
        _builder().set_profile("nope").build()
