"""Logs: one form for all lines, with context and without secrets."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from flex_plugin_backend import logs

SECRET = "very-secret-value"


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    """Leave logging as it was for the other tests."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def lines(style: str = "json", level: str = "info") -> io.StringIO:
    out = io.StringIO()
    logs.configure(level, style, secrets=[SECRET, "ab"], stream=out)
    return out


def test_our_lines_and_the_libraries_lines_are_json() -> None:
    """One line per happening, with time, level, logger and bound context."""
    out = lines()
    structlog.contextvars.bind_contextvars(tenant="acme")
    structlog.get_logger("ours").info("event stored", count=2)
    logging.getLogger("some.library").warning("careful: %s", "x")
    first, second = (json.loads(line) for line in out.getvalue().splitlines())
    assert (first["event"], first["count"], first["tenant"], first["level"]) == ("event stored", 2, "acme", "info")
    assert first["timestamp"].endswith("Z")
    assert (second["event"], second["logger"]) == ("careful: x", "some.library")


@pytest.mark.parametrize("style", ["json", "text"])
def test_secrets_never_appear(style: str) -> None:
    """Known secrets are blanked wherever they stand, and whatever is under a secret-looking key."""
    out = lines(style)
    log = structlog.get_logger("ours")
    log.warning(f"calling with {SECRET}", auth_token="unknown-1", nested={"password": "unknown-2"}, parts=[SECRET])
    logging.getLogger("library").error("sent %s", SECRET)
    try:
        int(f"bad {SECRET}")
    except ValueError:
        log.exception("failed")
    text = out.getvalue()
    for private in (SECRET, "unknown-1", "unknown-2"):
        assert private not in text
    assert "ValueError" in text


def test_talkative_libraries_are_hushed() -> None:
    """Clients that print addresses and parameters at INFO stay quiet even at debug level."""
    out = lines(level="debug")
    logging.getLogger("twilio.http_client").info("GET /Workers?FriendlyName=Zoe")
    logging.getLogger("httpx").info("HTTP Request")
    assert out.getvalue() == ""


def test_short_secrets_do_not_blank_words() -> None:
    """A two-letter secret would blank half of every line; it is left to the secret-looking keys."""
    out = lines()
    structlog.get_logger("ours").info("about cabs")
    assert "about cabs" in out.getvalue()


def test_embedded_lines_go_to_the_host_s_logging(caplog: pytest.LogCaptureFixture) -> None:
    """In a host without structlog our lines are ordinary log records, complete in their message."""
    structlog.reset_defaults()
    logs.adopt_host_logging(secrets=[SECRET])
    with caplog.at_level(logging.INFO):
        structlog.get_logger("ours").warning("event refused", status=403, detail=SECRET)
    assert caplog.messages == ["event refused status=403 detail='[redacted]'"]


def test_host_s_own_structlog_is_left_alone() -> None:
    """A host that has configured structlog keeps its configuration."""
    structlog.configure(processors=[structlog.processors.JSONRenderer()])
    before = structlog.get_config()["processors"]
    logs.adopt_host_logging()
    assert structlog.get_config()["processors"] == before
