"""The docs page of the metrics: complete, and its pictures drawn by the script beside them."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

from flex_plugin_backend.domain.metrics import definitions

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "metrics.md").read_text("utf-8")


def test_the_page_has_a_worked_example_for_every_metric() -> None:
    """Each is an entry of its own, and its paragraph shows a figure in bold."""
    entries = re.findall(r"^\* ((?:`\w+`(?:, )?)+): (.*?)(?=^\*|^#|^!|\n\n)", PAGE, re.MULTILINE | re.DOTALL)
    explained = {name for names, text in entries for name in re.findall(r"`(\w+)`", names) if "**" in text}
    assert set(definitions()) == explained


def test_every_rule_that_a_definition_names_is_listed_on_the_page() -> None:
    """By its number."""
    named = {
        number
        for text in definitions().values()
        for found in re.findall(r"rule ([\d, ]+)", text)
        for number in re.findall(r"\d+", found)
    }
    listed = set(re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE))
    assert named <= listed


def test_the_pictures_are_what_the_script_draws_and_all_of_them_are_shown() -> None:
    """So that nobody edits a picture by hand."""
    script = runpy.run_path(str(DOCS / "metrics" / "draw.py"))
    drawn = {f"{one.name}.svg": script["svg"](one) for one in script["PICTURES"]}
    assert {path.name: path.read_text("utf-8") for path in (DOCS / "metrics").glob("*.svg")} == drawn
    assert {name.removeprefix("metrics/") for name in re.findall(r"\((metrics/[\w-]+\.svg)\)", PAGE)} == set(drawn)
