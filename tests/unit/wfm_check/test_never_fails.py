"""Whatever bytes come, a check ends with a result that every format can write, and no exception."""

from __future__ import annotations

import copy
import io
import json
from typing import Any

from check_files import TODAY, activity, report, state, states
from hypothesis import given
from hypothesis import strategies as st

from flex_plugin_backend.wfm.contract.check import CheckResult, Exit, Options, check, find
from flex_plugin_backend.wfm.contract.check.reporters import FORMATS, reporter

_SEEDS = [states(state()), report(1, activity()), activity(), {"endpoint": "agent_states", "payload": states(state())}]
_TEXTS = st.text(st.characters(categories=["Cs", "L", "Cc", "Zs"]), max_size=9)  # half characters too
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | _TEXTS
_VALUES = st.recursive(_SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3))
_MARKS = st.text('{}[]:,"\\ntrue09eE+-. \n\r\t\ufeff\x00ä', max_size=60).map(str.encode)


def _check(data: bytes) -> CheckResult:
    result = check(find(["-"], io.BytesIO(data))[0], Options(today=TODAY))
    for name in FORMATS:
        out = io.StringIO()
        reporter(name)(result, out)
        out.getvalue().encode()
    lines = data.count(b"\n") + 1
    assert all(1 <= found.line <= lines and found.column >= 1 for found in result.findings)
    assert result.exit in (Exit.CLEAN, Exit.FINDINGS, Exit.UNCHECKED)
    return result


@given(st.binary(max_size=80) | _MARKS)
def test_any_bytes(data: bytes) -> None:
    """Nearly all of them are findings, and none passes unchecked."""
    result = _check(data)
    assert result.payloads or result.exit != Exit.CLEAN


def _places(value: Any) -> list[tuple[Any, Any]]:
    items = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    return [(value, key) for key, _ in items] + [place for _, inner in items for place in _places(inner)]


@given(st.sampled_from(_SEEDS), _VALUES, st.data(), st.sampled_from([None, 1]))
def test_any_value_in_the_place_of_a_right_one(seed: Any, value: Any, data: st.DataObject, indent: int | None) -> None:
    """Payloads, rows and captures with one member that is anything at all, NaN and half characters included."""
    payload = copy.deepcopy(seed)
    holder, key = data.draw(st.sampled_from(_places(payload)))
    holder[key] = value
    _check(json.dumps(payload, indent=indent).encode())


@given(
    st.lists(st.sampled_from(_SEEDS), min_size=1, max_size=4), st.integers(0, 400), st.binary(min_size=1, max_size=3)
)
def test_any_bytes_within_right_lines(seeds: list[Any], at: int, noise: bytes) -> None:
    """A line that is torn does not hide the others."""
    text = b"".join(json.dumps(seed).encode() + b"\n" for seed in seeds)
    _check(text[:at] + noise + text[at:])
