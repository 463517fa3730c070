"""What the attributes that a caller sends say to the model: skills of a worker, channel and direction of a task."""

from __future__ import annotations

import json
import re
from typing import Any

from simulator.world.hands.parts import Refused

LONGEST = 4096  # characters (Twilio reference 3.1)
_DEEPEST = 100  # assumed
_WORD = re.compile(r"[A-Za-z0-9_. -]{1,32}")
# Twilio's names of media -> what the reports call the channel; that other messaging media are chat is assumed.
_MEDIA = {
    "voice": "voice",
    "call": "voice",
    "chat": "chat",
    "sms": "sms",
    "web": "web",
    "whatsapp": "chat",
    "messenger": "chat",
    "email": "email",
    "fax": "fax",
}


def checked_json(text: str) -> str:
    """Attributes that can be kept: JSON (assumed) of at most 4,096 characters; Refused says what is wrong."""
    if len(text) > LONGEST:
        raise Refused(f"Attributes have {len(text)} characters; at most {LONGEST} are taken")
    try:
        known = json.loads(text, parse_constant=_no_number)
        # What cannot be written as it was read, such as half a character or a number without end, cannot be kept.
        json.dumps(known, allow_nan=False, ensure_ascii=False).encode()
        _check_depth(known)
    except (ValueError, RecursionError) as error:
        raise Refused(f"Attributes are not valid JSON: {error}") from error
    return text.strip() if known else json.dumps(known)


def _check_depth(known: Any) -> None:
    """Whoever reads the attributes later does so with a stack of its own."""
    level = [known]
    for _ in range(_DEEPEST):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
    if level:
        raise ValueError(f"they are nested more than {_DEEPEST} deep")


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


def skills_of(attributes_json: str) -> list[str]:
    """The skills at `routing.skills`; none where the attributes have another shape."""
    skills = _member(_member(_read(attributes_json), "routing"), "skills")
    return [skill for skill in skills if isinstance(skill, str)] if isinstance(skills, list) else []


def full_name_of(attributes_json: str) -> str:
    """The worker's `full_name`, if there is one."""
    name = _member(_read(attributes_json), "full_name")
    return name if isinstance(name, str) else ""


def queue_name_of(attributes_json: str) -> str:
    """What the workflow's filters look at: the task's `queue`."""
    name = _member(_read(attributes_json), "queue")
    return name if isinstance(name, str) else ""


def medium_of(attributes_json: str, task_channel: str) -> str:
    """The task's channel in the reports' words (Twilio reference 4.3); `other` where no name is known."""
    attributes = _read(attributes_json)
    told = (
        _member(attributes, "channelType"),
        _member(_member(attributes, "conversations"), "communication_channel"),
        task_channel,
    )
    return next((medium for one in told if (medium := _MEDIA.get(_word(one)))), "other")


def direction_of(attributes_json: str) -> str:
    """`inbound`, `outbound` or `internal`; a task that says nothing came in."""
    attributes = _read(attributes_json)
    for told in (_member(attributes, "direction"), _member(_member(attributes, "conversations"), "direction")):
        if word := _word(told):
            return "outbound" if word.startswith("outbound") else "internal" if word == "internal" else "inbound"
    return "inbound"


def _word(value: Any) -> str:
    """A short word in lower case; a sentence is none."""
    found = value.strip() if isinstance(value, str) else ""
    return found.lower() if _WORD.fullmatch(found) else ""


def _read(attributes_json: str) -> Any:
    return json.loads(attributes_json)


def _member(of: Any, name: str) -> Any:
    return of.get(name) if isinstance(of, dict) else None
