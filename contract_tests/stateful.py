"""A Hypothesis machine that walks an endpoint: good and bad payloads in any order, and nothing is taken for another."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from contract_tests.strategies import payloads
from contract_tests.target import Target

_OPERATIONS = ("agent_states", "agent_activity", "queue_report")


def machine_for(target: Target) -> type[RuleBasedStateMachine]:
    """The machine that walks this endpoint; give it to `run_state_machine_as_test`.

    It logs in, sends valid payloads, sends them again, breaks them, and drops its token. What is valid must be taken at
    any moment, what is broken must be refused at any moment, and no answer may be a fault of the service (5xx).
    """
    profile = target.profile
    acd_type = target.acd_type()
    agents = st.sampled_from([f"{target.marks.agent_id}-{number}" for number in range(4)])
    valid = {
        operation: payloads(profile, profile.endpoint(operation).request or "", acd_type=acd_type, agents=agents)
        for operation in _OPERATIONS
    }

    class EndpointMachine(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.token: str | None = None
            self.sent: list[tuple[str, dict[str, Any]]] = []

        @initialize()
        def log_in(self) -> None:
            self.token = str(target.log_in()["access_token"])

        @precondition(lambda self: self.token is None)
        @rule()
        def log_in_again(self) -> None:
            self.token = str(target.log_in()["access_token"])

        @precondition(lambda self: self.token is not None)
        @rule()
        def lose_the_token(self) -> None:
            self.token = None

        @precondition(lambda self: self.token is not None)
        @rule(data=st.data(), operation=st.sampled_from(_OPERATIONS))
        def send(self, data: st.DataObject, operation: str) -> None:
            payload = data.draw(valid[operation])
            reply = target.call(operation, payload, token=self.token)
            assert reply.ok, f"a valid payload was refused. {reply}"
            self.sent.append((operation, payload))

        @precondition(lambda self: self.token is not None and self.sent)
        @rule(data=st.data())
        def send_again(self, data: st.DataObject) -> None:
            operation, payload = data.draw(st.sampled_from(self.sent))
            reply = target.call(operation, payload, token=self.token)
            assert reply.ok, f"the same payload was refused the second time. {reply}"

        @precondition(lambda self: self.token is not None)
        @rule(data=st.data(), operation=st.sampled_from(_OPERATIONS))
        def send_broken(self, data: st.DataObject, operation: str) -> None:
            payload = copy.deepcopy(data.draw(valid[operation]))
            dto = profile.dto(profile.endpoint(operation).request or "")
            field = data.draw(st.sampled_from([one for one in dto.fields.values() if one.required]))
            del payload[field.wire]
            reply = target.call(operation, payload, token=self.token)
            assert 400 <= reply.status < 500, f"a payload without {field.wire} was not refused. {reply}"
            assert field.wire in reply.text, f"the error does not name {field.wire!r}. {reply}"

        @rule(operation=st.sampled_from(_OPERATIONS))
        def send_without_a_token(self, operation: str) -> None:
            reply = target.call(operation, {}, token=None)
            assert reply.status == 401, f"without a token: {reply}"

    return EndpointMachine
