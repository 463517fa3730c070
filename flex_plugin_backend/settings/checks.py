"""Checks of the settings that need the machine, names of tables, or more than one table."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flex_plugin_backend.settings.problems import Problem
from flex_plugin_backend.settings.tree import BAD_TENANT_NAME, LedgerSettings, Settings

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
# Repair reads Twilio's history so far back (Twilio reference 3.1).
REPAIR_DAYS = 30
# What is corrected or repaired may have begun before: an assigned task lives for a day, and the pruning needs its time.
LEAD_DAYS = 2


def early_check(data: Mapping[str, Any]) -> list[Problem]:
    """What can be said whatever else is wrong; `data` has the shape of the file, its types are not checked yet.

    The sources are filled in by the caller.
    """
    return [*_tenant_names(data.get("tenants")), *_sqlite_folder(data.get("ledger", {}))]


def cross_check(settings: Settings) -> list[Problem]:
    """Everything that is wrong between the tables; the sources are filled in by the caller."""
    return [*_shared_workspaces(settings), *_short_retention(settings)]


def cautions(settings: Settings) -> list[str]:
    """What is allowed but worth a line at the start."""
    notes: list[str] = []
    for name, tenant in settings.tenants.items():
        parts = urlsplit(tenant.wfm.service_url)
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            notes.append(f"tenants.{name}.wfm.service_url is plain http: the access keys travel unencrypted")
        if settings.public_url_of(name) is None:
            notes.append(
                f"tenants.{name} has no public_url: signatures are checked against the address the server sees, "
                "which is not the one Twilio signed when a proxy stands between"
            )
    return notes


def _shared_workspaces(settings: Settings) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for name, tenant in settings.tenants.items():
        first = seen.setdefault(tenant.twilio.workspace_sid, name)
        if first != name:
            yield Problem(
                f"tenants.{name}.twilio.workspace_sid",
                "",
                f"is the workspace of tenant {first} too",
                "Give each tenant its own workspace, or remove one of the two",
            )


def _short_retention(settings: Settings) -> Iterator[Problem]:
    """Nothing may be let go of that a report or a repair can still need."""
    for name, tenant in settings.tenants.items():
        corrected = tenant.reports.correct_for_days if tenant.reports.enabled else 0
        repaired = REPAIR_DAYS if tenant.repair.enabled else 0
        least = max(corrected, repaired) + LEAD_DAYS
        if settings.ledger.retention_days < least:
            reason = "reports are corrected" if corrected > repaired else "repair reaches back"
            yield Problem(
                "ledger.retention_days",
                "",
                f"is too short for tenant {name}, whose {reason} for {max(corrected, repaired):g} days",
                f"Keep at least {least:g} days, or lower tenants.{name}.reports.correct_for_days"
                if corrected > repaired
                else f"Keep at least {least:g} days",
            )


def _tenant_names(tenants: object) -> Iterator[Problem]:
    for name in tenants if isinstance(tenants, Mapping) else ():
        if not Settings.is_tenant_name(name):
            yield Problem(f"tenants.{name}", "", *BAD_TENANT_NAME)


def _sqlite_folder(ledger: object) -> Iterator[Problem]:
    url = ledger.get("url", LedgerSettings().url) if isinstance(ledger, Mapping) else None
    if not isinstance(url, str) or not url.strip().startswith("sqlite"):
        return
    _, _, name = url.strip().partition(":///")
    name = name.partition("?")[0]
    if name in ("", ":memory:") or name.startswith("file:"):
        return
    folder = Path(name).expanduser().absolute().parent
    if not folder.is_dir():
        yield Problem("ledger.url", "", f"points into {folder}, which is not a folder", f"Create it: mkdir -p {folder}")
    elif not os.access(folder, os.W_OK | os.X_OK):
        yield Problem(
            "ledger.url", "", f"points into {folder}, where this user may not write", "Change its owner, or the path"
        )
