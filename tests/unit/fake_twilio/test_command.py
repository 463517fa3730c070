"""The command line of the fake Twilio says what is wrong before it starts anything."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from simulator.cli import main


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--callback-url", "ftp://x"], "callback URL"),
        (["--callback-url", "http://h/#rc=9"], "rc"),
        (["--speed", "0"], "--speed"),
        (["--start", "tomorrow"], "ISO"),
        (["--agents", "0"], "--agents"),
        (["--delivery", "never"], "until-acked"),
    ],
)
def test_wrong_options_are_refused(arguments: list[str], word: str) -> None:
    """Exit status 2 and a text that names the option or the remedy."""
    result = CliRunner().invoke(main, ["twilio", *arguments])
    assert result.exit_code == 2
    assert word in result.output
