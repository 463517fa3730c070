"""The endpoint is walked with generated payloads, valid and broken, in any order."""

from __future__ import annotations

import pytest

from contract_tests.target import Target


def test_a_walk(target: Target) -> None:
    """Whatever was sent before, what is valid is taken and what is broken is refused."""
    pytest.importorskip("hypothesis", reason="install flex-wfm[contract-tests] for the generated walk")
    from hypothesis import HealthCheck, settings
    from hypothesis.stateful import run_state_machine_as_test

    from contract_tests.stateful import machine_for

    # A walk of modest length: the endpoint may be somebody's service.
    modest = settings(
        max_examples=15,
        stateful_step_count=12,
        deadline=None,
        database=None,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine_for(target), settings=modest)
