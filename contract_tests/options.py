"""The profile that the suite was told to test against."""

from __future__ import annotations

import pytest

from flex_plugin_backend.errors import ContractError
from flex_plugin_backend.wfm.contract import Profile, load_profile


def profile_of(config: pytest.Config) -> Profile:
    """The profile named on the command line; a usage error where it cannot be loaded."""
    try:
        return load_profile(config.getoption("wfm_profile") or "default")
    except ContractError as error:
        raise pytest.UsageError(str(error)) from error
