"""What several formats say in the same words."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_from_bytes

from flex_plugin_backend.wfm.contract.check.result import CheckResult, FileResult, Located, Standing

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def shown(name: str) -> str:
    """A name or text on one line: control characters and undecodable bytes are escaped."""
    return _CONTROL.sub(lambda match: match[0].encode("unicode_escape", "surrogatepass").decode("ascii"), name)


def xml_text(text: str) -> str:
    """A text without what XML 1.0 cannot hold."""
    return _XML.sub("\ufffd", text)


def uri(name: str) -> str:
    """A file's name as a relative or absolute URI reference, percent-encoded from its bytes, with `/`."""
    path = os.fsencode(name.replace(os.sep, "/"))
    if path.startswith(b"./"):
        path = path[2:]
    return quote_from_bytes(path, safe="/-._~!$&'()*+,;=@") if not path.startswith(b"//") else quote_from_bytes(path)


def sentence(found: Located) -> str:
    """What is wrong, what was expected and what to do, in one line."""
    finding = found.finding
    expired = " (its baseline entry has expired)" if found.standing is Standing.EXPIRED else ""
    return shown(f"{found.pointer or '/'}: {finding.message}; expected {finding.expected}. {finding.repair}{expired}")


def counted(number: int, word: str) -> str:
    """`1 error`, `2 errors`."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def verdict(result: CheckResult) -> str:
    """The figures of a run in one sentence."""
    if result.headline:
        return result.headline
    payloads = counted(result.payloads, "payload")
    files = counted(len(result.files), "file")
    if not result.errors and not result.warnings:
        text = f"Nothing found in {payloads} of {files}"
    else:
        counts = ", ".join(
            counted(number, word) for number, word in ((result.errors, "error"), (result.warnings, "warning")) if number
        )
        text = f"{counts} in {payloads} of {files}"
    profiles = ", ".join(sorted({one.profile for one in result.files if one.profile}))
    known = f"; {counted(result.baselined, 'finding')} of the baseline" if result.baselined else ""
    return f"{text} (profile {profiles}{known})." if profiles else f"{text}."


def remarks(result: CheckResult) -> list[str]:
    """What the reader must know beside the findings, a line each."""
    lines = [shown(f"{one.name}: {one.problem}. {one.repair}") for one in result.unread]
    if result.rest:
        by_rule = ", ".join(f"{number} of {rule}" for rule, number in sorted(result.rest.items()))
        lines.append(
            f"{counted(sum(result.rest.values()), 'further finding')} not listed: {by_rule}. --max-findings lists more."
        )
    for entry in result.unused:
        lines.append(
            shown(f"baseline: {entry['rule']} in {entry['file']} {entry['pointer'] or '/'} is no longer found.")
        )
    if not result.payloads and not result.errors and not result.warnings and not result.unread:
        lines.append("Nothing was checked.")
    return lines


def unique_fingerprints(result: CheckResult) -> list[tuple[Located, str]]:
    """Each finding with a fingerprint that no other has: the second one of the same place gets `-2`."""
    seen: dict[str, int] = {}
    named = []
    for found in result.findings:
        number = seen[found.fingerprint] = seen.get(found.fingerprint, 0) + 1
        named.append((found, found.fingerprint if number == 1 else f"{found.fingerprint}-{number}"))
    return named


def file_facts(file: FileResult) -> Mapping[str, Any]:
    """A file as plain JSON."""
    return {
        "name": file.name,
        "profile": file.profile,
        "payloads": dict(sorted(file.payloads.items())),
        "errors": file.errors,
        "warnings": file.warnings,
        "baselined": file.baselined,
    }


def level(found: Located) -> str:
    """`error`, `warning` or `note`."""
    return found.finding.severity.value
