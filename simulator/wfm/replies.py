"""Replies in the shapes of CXone services, written with the names of the profile."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from flex_plugin_backend.wfm.contract import Finding, Profile

_MAX_ERRORS = 50  # findings that one answer repeats


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer before it becomes HTTP; `problem` says why it is a refusal."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


def spring_error(profile: Profile, status: int, message: str, path: str) -> Reply:
    """Spring Boot's default error, which CXone services answer outside validation."""
    body = profile.encode(
        "SpringError",
        {
            "timestamp": datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="milliseconds"),
            "status": status,
            "code": HTTPStatus(status).phrase,
            "message": message,
            "path": path,
        },
    )
    return Reply(status, body, problem=message)


def validation_error(profile: Profile, entity: str, findings: Sequence[Finding]) -> Reply:
    """The validation error of CXone services, with the findings in it."""
    body = profile.encode(
        "ValidationError",
        {
            "code": "VALIDATION_ERROR",
            "details": f"{len(findings)} violations, the first: {findings[0]}",
            "hostname": "flex-wfm-sim",
            "entity_type": entity,
            "errors": [finding.to_dict() for finding in findings[:_MAX_ERRORS]],
        },
    )
    return Reply(400, body, problem=" | ".join(str(finding) for finding in findings[:_MAX_ERRORS]))


def accepted(
    profile: Profile, rows: int | None = None, rejected: Mapping[int, Finding] = MappingProxyType({})
) -> Reply:
    """The answer to a payload that was taken, at least in part; `rows` is None where rows are not counted."""
    rows_out = [
        {"index": index, "code": finding.rule, "message": str(finding)} for index, finding in sorted(rejected.items())
    ]
    plain: dict[str, Any] = {
        "code": "PARTIAL" if rows_out else "OK",
        "message": "accepted in part" if rows_out else "accepted",
    }
    if rows is not None:
        plain["accepted"] = rows - len(rows_out)
    if rows_out:
        plain["rejected"] = rows_out
    return Reply(200, profile.encode("WFMReportResponseDTO", plain))
