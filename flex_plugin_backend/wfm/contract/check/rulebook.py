"""The rulebook: title, reason and page of every rule by its number, whatever part of the checks it belongs to."""

from __future__ import annotations

from dataclasses import dataclass

from flex_plugin_backend.wfm.contract.check.texts import TEXT_RULES
from flex_plugin_backend.wfm.contract.diff.change import CHANGES
from flex_plugin_backend.wfm.contract.rules import RULES
from flex_plugin_backend.wfm.contract.validator import SHAPE_RULES


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of a rule; `why` may be empty, `page` is relative to the documentation."""

    id: str
    title: str
    why: str
    page: str


def entry(rule: str) -> Entry:
    """The entry of a rule; one that is not known is its own title."""
    known = RULES.get(rule)
    if known is not None:
        return Entry(rule, known.title, known.why, known.page)
    if rule in CHANGES:
        return Entry(rule, CHANGES[rule], "", "validate.md#what-a-new-contract-breaks")
    if rule in TEXT_RULES:
        return Entry(rule, TEXT_RULES[rule], "", "validate.md#the-text-itself")
    return Entry(rule, SHAPE_RULES.get(rule, rule), "", f"rules.md#{rule.lower()}")
