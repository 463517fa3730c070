"""The pytest options of the conformance suite, as a plug-in: options must be known before the suite is."""

from __future__ import annotations

import contextlib

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options; nothing else happens until the suite is collected."""
    group = parser.getgroup("flex-wfm", "conformance of a CXone WFM endpoint (pytest --pyargs contract_tests)")
    group.addoption("--wfm-url", metavar="URL", help="the endpoint's base URL; the suite sends to no other place")
    group.addoption("--wfm-profile", metavar="P", help="the contract profile: a built-in name or a .toml file")
    group.addoption("--wfm-access-key", metavar="ID", help="access key id; default: FLEX_WFM_ACCESS_KEY")
    group.addoption("--wfm-secret-file", metavar="FILE", help="file with the secret; default: FLEX_WFM_SECRET_KEY")
    group.addoption("--wfm-tenant", metavar="NAME", help="tenant name, where the endpoint wants one")
    group.addoption("--wfm-agent", metavar="ID", help="agent id to send; default: one that says it is a test")
    group.addoption("--wfm-queue", metavar="ID", help="queue id to send; default: one that says it is a test")
    group.addoption("--wfm-interval", metavar="ISO", help="interval to report; default: one of the year 2000")
    group.addoption("--wfm-timeout", metavar="S", type=float, default=10.0, help="seconds to wait for an answer (10)")
    with contextlib.suppress(ValueError):  # another plug-in may have that name already; the long one is there
        group.addoption("--profile", dest="wfm_profile", metavar="P", help="short for --wfm-profile")
