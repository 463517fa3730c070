"""The command line of the fake Twilio says what is wrong before it starts anything."""

from __future__ import annotations

import socket

import pytest
from click.testing import CliRunner

from simulator.cli import main
from simulator.harness.config import EVENTS_FILTER
from simulator.twilio.event_types import EVENT_TYPES


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--callback-url", "ftp://x"], "callback URL"),
        (["--callback-url", "http://h/#rc=9"], "rc"),
        (["--speed", "0"], "--speed"),
        (["--start", "tomorrow"], "ISO"),
        (["--speed", "nan"], "--speed"),
        (["--speed", "inf"], "--speed"),
        (["--minutes", "nan"], "--minutes"),
        (["--minutes", "inf"], "--minutes"),
        (["--warmup-minutes", "inf"], "--warmup-minutes"),
        (["--port", "65536"], "--port"),
        (["--port", "-1"], "--port"),
        (["--events-filter", "worker.created,task.cancelled"], "task.canceled"),
        (["--shared-key-id", "k1"], "--shared-key-secret"),
        (["--shared-key-secret", "s1"], "--shared-key-id"),
        (["--agents", "0"], "--agents"),
        (["--delivery", "never"], "until-acked"),
        (["--also", "agents=3"], "name=b"),
        (["--also", "name=main"], "name=b"),
        (["--also", "name=b,agents=3", "--also", "name=b"], "name=b"),
        (["--also", "name=b,colour=red"], "colour"),
        (["--also", "name=b,agents=many"], "agents"),
        (["--also", "name=b,scenario=no-such-day"], "no-such-day"),
    ],
)
def test_wrong_options_are_refused(arguments: list[str], word: str) -> None:
    """Exit status 2 and a text that names the option or the remedy."""
    result = CliRunner().invoke(main, ["twilio", *arguments])
    assert result.exit_code == 2
    assert word in result.output


@pytest.mark.parametrize("command", ["twilio", "wfm"])
def test_an_address_that_cannot_be_used_is_one_message(command: str) -> None:
    """A busy port and a host of another machine: exit status 1 and a line that names the address."""
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen(1)
        port = str(busy.getsockname()[1])
        for arguments, address in (
            (["--port", port], f"127.0.0.1:{port}"),
            (["--host", "no.such.host.invalid"], "no.such"),
        ):
            result = CliRunner().invoke(main, [command, *arguments])
            assert result.exit_code == 1
            assert result.output.startswith(f"Error: {address}")
            assert len(result.output.splitlines()) == 1


def test_the_demo_s_filter_is_one_a_workspace_takes() -> None:
    """Every type that the demo subscribes to is a known one."""
    assert set(EVENTS_FILTER.split(",")) <= EVENT_TYPES
