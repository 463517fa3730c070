"""Writes docs/rules.md from the rules themselves and their samples: `python docs/rules/write.py`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from flex_plugin_backend.wfm.contract.rules import RULES, Rule
from flex_plugin_backend.wfm.contract.validator import SHAPE_RULES

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "rules.md"
SAMPLES = ROOT / "fixtures" / "payloads"
_SHOWN_LINES = 24

_INTRODUCTION = """\
# The rules of a payload

<!-- Written by docs/rules/write.py from the rules and their samples. Change those, then run it. -->

`flex-wfm validate`, the fake WFM and the connector check a payload for shape by the JSON Schema of the profile (`S..`),
then for meaning by these rules (`M..`).
An error makes the payload invalid, a warning does not. Numbers are never used again for something else.
A source in brackets (S1, S12) is a page of NICE; `flex-wfm contract show` lists them.
"""


def page() -> str:
    """The whole page."""
    samples = [(path, json.loads(path.read_text())) for path in sorted(SAMPLES.glob("*/*.json"))]
    lines = [_INTRODUCTION, "| rule | what holds | severity |", "|---|---|---|"]
    lines += [f"| [{number}](#{number.lower()}) | {title} | error |" for number, title in SHAPE_RULES.items()]
    lines += [f"| [{one.id}](#{one.id.lower()}) | {one.title} | {one.severity.value} |" for one in RULES.values()]
    for number, title in SHAPE_RULES.items():
        lines += ["", f"## {number}", "", f"**{title[0].upper()}{title[1:]}.**"]
        lines += _shown(number, samples)
    for one in RULES.values():
        lines += ["", f"## {one.id}", "", f"**{one.title[0].upper()}{one.title[1:]}.** {one.why}", "", _about(one)]
        lines += _shown(one.id, samples)
    return "\n".join(lines) + "\n"


def _about(one: Rule) -> str:
    where = " and ".join(f"`{name}`" for name in sorted(one.dtos)) or "every payload"
    kind = "compares several payloads of" if one.check is None else "looks at"
    return f"{one.severity.value.capitalize()}; {kind} {where}."


def _shown(number: str, samples: list[tuple[Path, Mapping[str, Any]]]) -> Iterator[str]:
    bad = next(((path, one) for path, one in samples if one.get("rule") == number), None)
    good = next(((path, one) for path, one in samples if number in one.get("rules", ())), None)
    if bad is not None:
        path, sample = bad
        yield from _sample("Bad", path, sample, f" Found at `{sample['pointer']}`.")
    if good is not None:
        yield from _sample("Good", *good, "")


def _sample(word: str, path: Path, sample: Mapping[str, Any], found: str) -> Iterator[str]:
    payload = [one["payload"] for one in sample["series"]] if "series" in sample else sample["payload"]
    text = json.dumps(payload, indent=1, ensure_ascii=False).splitlines()
    yield ""
    yield f"{word}: {sample['about']}{found}"
    yield ""
    if len(text) <= _SHOWN_LINES:
        yield from ["```json", *text, "```"]
    else:
        yield f"[{path.name}](../{path.relative_to(ROOT).as_posix()})"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
