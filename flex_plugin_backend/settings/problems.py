"""One thing that is wrong with the settings."""

from __future__ import annotations

from dataclasses import dataclass

KeyPath = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one setting.

    Attributes:
        setting: the dotted path, e.g. `tenants.acme.twilio.auth_token`.
        source: where the value came from: a file, an environment variable, a secret file.
        problem: what is wrong; never the value of a secret.
        repair: what to do, without the full stop.
    """

    setting: str
    source: str
    problem: str
    repair: str


def dotted(path: KeyPath) -> str:
    """The path as it is written for people."""
    return ".".join(path)
