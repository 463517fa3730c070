"""docs/load.md: its commands are understood, its settings are read, and it tells of every shape and exit code."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

from flex_plugin_backend import create_app
from simulator.cli import main
from simulator.cli.load import load
from simulator.load.plan import SHAPES
from simulator.load.result import Ending

PAGE = (Path(__file__).parents[3] / "docs" / "load.md").read_text("utf-8")


def commands() -> list[list[str]]:
    blocks = "\n".join(re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)).replace("\\\n", " ")
    filled = blocks.replace("$CLOCK", "--start-ms 1767600000000 --anchor-ms 5 --speed 1").replace("$ANCHOR", "5")
    lines = [line.removesuffix("&").strip() for line in filled.splitlines()]
    return [shlex.split(line) for line in lines if line.startswith("flex-wfm-sim ")]


def test_the_commands_on_the_page_are_understood() -> None:
    """Each names a command that exists, and options that it takes."""
    found = commands()
    assert [words[1] for words in found] == ["load", "wfm", "twilio", "load"]
    with main.make_context("flex-wfm-sim", [], resilient_parsing=True) as context:
        for words in found:
            command = main.get_command(context, words[1])
            assert command is not None
            command.make_context(words[1], words[2:])


def test_the_settings_on_the_page_are_those_of_a_connector(tmp_path: Path) -> None:
    """With sids and a token in place of the dots, and a ledger elsewhere."""
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    for prefix in ("AC", "WS", "WA"):
        text = text.replace(f'"{prefix}..."', f'"{prefix}{"0" * 32}"')
    settings = tomllib.loads(text.replace('"..."', '"token"').replace("load.sqlite3", f"{tmp_path}/load.sqlite3"))
    app = create_app(settings, start=False)
    app.extensions["flex_wfm_plugin"].close()
    assert settings["tenants"]["main"]["repair"] == {"enabled": False}


def test_every_shape_and_exit_code_is_told_of() -> None:
    """On the page and in the help."""
    assert load.help is not None
    for shape in SHAPES:
        assert f"| `{shape}` |" in PAGE
        assert shape in load.help
    for ending in Ending:
        assert f"| {int(ending)} |" in PAGE
        assert f"{int(ending)} " in load.help
