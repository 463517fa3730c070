"""One scenario and one seed give one event log, byte for byte, on every machine and supported version of Python."""

from __future__ import annotations

import json

import pytest
from golden import GOLDEN, short_run

from simulator.world.scenario.files import ready_scenarios

KNOWN = json.loads(GOLDEN.read_text("utf-8"))


def test_every_ready_scenario_has_a_hash() -> None:
    """None is forgotten."""
    assert set(KNOWN) == set(ready_scenarios())


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_a_short_run_has_the_known_hash(name: str) -> None:
    """If the model was changed on purpose, `python tests/support/golden.py` writes the new hashes."""
    assert short_run(name) == KNOWN[name]
