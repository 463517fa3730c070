"""The errors: each kind says its message with the facts filled in, however Python was started."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
from flex_plugin_backend.errors import SettingsError, WfmError
from flex_plugin_backend.settings import SeveralSettingsErrors
from flex_plugin_backend.wfm import CXoneWfmException, FailureKind
print(SettingsError(setting="a.b", source="file x", problem="is missing", repair="Add it."))
print(SeveralSettingsErrors(count=2, listing="  - one"))
print(WfmError())
print(CXoneWfmException(kind=FailureKind.PASSING, operation="token", problem="no answer"))
"""


@pytest.mark.parametrize("flag", ["-O", "-OO"])
def test_messages_survive_stripped_docstrings(flag: str) -> None:
    """Optimised Python throws docstrings away; what an operator reads stays the same, an unknown fact is a mark."""
    shown = subprocess.run([sys.executable, flag, "-c", CODE], capture_output=True, text=True, check=True, timeout=60)
    assert shown.stdout.splitlines() == [
        "Setting a.b (from file x): is missing. Add it.",
        "2 settings are wrong:",
        "  - one",
        "CXone WFM: ?.",
        "CXone WFM, token: no answer (passing).",
    ]
