"""The contract package: light to import, and the only place where CXone's names stand."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import resources
from pathlib import Path

import flex_plugin_backend.wfm as sdk
from flex_plugin_backend.wfm.contract import load_profile


def test_importing_the_contract_is_light() -> None:
    """The simulator and CI jobs get the contract without the HTTP client, the DTOs and the web framework."""
    heavy = ("httpx", "pydantic", "flask", "sqlalchemy", "twilio", "granian")
    code = f"import sys, flex_plugin_backend.wfm.contract; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_the_public_face_is_complete() -> None:
    """Each public name of the SDK can be had, and nothing else is invented."""
    assert all(getattr(sdk, name).__name__ == name for name in sdk.__all__)
    assert not hasattr(sdk, "AgentStatesServiceImpl")


def test_no_wire_name_of_cxone_stands_in_code() -> None:
    """Names, paths and headers of the wire stand in the profiles only."""
    profile = load_profile()
    names = {
        wire for dto in profile.dtos.values() for field in dto.fields.values() for wire in (field.wire, *field.also)
    }
    # Plain words and words that are ours too (code, status, access_token) prove nothing.
    telling = {name for name in names if any(letter.isupper() for letter in name)}
    telling |= {endpoint.path for endpoint in profile.endpoints.values()} | {profile.message_header}
    assert {"agentStates", "accessKeySecret", "reportVersion", "/v1/agent-states"} <= telling
    folders = [Path(str(resources.files(name))) for name in ("flex_plugin_backend", "simulator", "contract_tests")]
    guilty = [
        f"{path}:{line} {text}"
        for folder in folders
        for path in folder.rglob("*.py")
        if (folder.name != "simulator" or path.parent.name == "wfm") and "twilio" not in path.as_posix()
        for line, text in _strings(path)
        if text in telling
    ]
    assert guilty == []


def _strings(path: Path) -> list[tuple[int, str]]:
    nodes = ast.walk(ast.parse(path.read_text()))
    return [
        (node.lineno, node.value) for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
