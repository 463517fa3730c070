"""The public strategies give payloads that keep every rule, for each DTO of each profile."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract_tests.strategies import event_pairs, interval_starts, payloads
from flex_plugin_backend.wfm.contract import ContractError, load_profile

PROFILES = Path(__file__).parents[3] / "fixtures" / "profiles"
CASES = [
    (profile, dto)
    for profile in ("default", str(PROFILES / "renamed.toml"), str(PROFILES / "small-limits.toml"))
    for dto in load_profile(profile).dtos
]


@pytest.mark.parametrize(("name", "dto"), CASES, ids=[f"{Path(name).stem}-{dto}" for name, dto in CASES])
def test_generated_payloads_keep_the_rules(name: str, dto: str) -> None:
    """No rule finds anything in a generated payload, and it comes back unchanged from decode and encode."""
    profile = load_profile(name)

    @settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(payload=payloads(profile, dto))
    def check(payload: dict[str, object]) -> None:
        assert profile.validate(dto, payload) == []
        assert profile.encode(dto, profile.decode(dto, payload)) == payload

    check()


def test_what_was_asked_for_is_kept() -> None:
    """The ACD type and the agent ids that the caller gives are the ones in the payloads."""

    @settings(max_examples=25, deadline=None, database=None)
    @given(
        payload=payloads(load_profile(), "AgentStateListDTO", acd_type="MINE", agents=st.sampled_from(["ana", "ben"]))
    )
    def check(payload: dict[str, object]) -> None:
        assert payload["acdType"] == "MINE"
        states = payload["agentStates"]
        assert isinstance(states, list)
        assert {row["agentId"] for row in states} <= {"ana", "ben"}

    check()


@settings(max_examples=50, deadline=None)
@given(start_ms=interval_starts(load_profile()), pair=event_pairs(load_profile()))
def test_parts(start_ms: int, pair: tuple[str, str]) -> None:
    """Interval starts lie on the grid, and an event has a reason just where one may be."""
    assert start_ms % 900_000 == 0
    assert bool(pair[1]) <= (pair[0] == "UNAVAILABLE")


def test_an_unknown_object_is_refused() -> None:
    """A name that the profile does not have is an error that lists the names."""
    with pytest.raises(ContractError, match="AgentStateListDTO"):
        payloads(load_profile(), "NoSuchDTO").example()
