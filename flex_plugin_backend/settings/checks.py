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


def early_check(data: Mapping[str, Any]) -> list[Problem]:
    """What can be said whatever else is wrong; `data` has the shape of the file, its types are not checked yet.

    The sources are filled in by the caller.
    """
    return [*_tenant_names(data.get("tenants")), *_sqlite_folder(data.get("ledger", {}))]


def cross_check(settings: Settings) -> list[Problem]:
    """Everything that is wrong between the tables; the sources are filled in by the caller."""
    return [*_shared_workspaces(settings)]


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
