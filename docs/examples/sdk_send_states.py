"""Send real-time agent states to CXone WFM, and say what became of them."""

import os
import time

from flex_plugin_backend.wfm import (
    AgentState,
    AgentStateListDTO,
    AgentStatesService,
    CXoneWfmException,
    WFMConnection,
    WFMConnectionConfigBuilder,
)

config = (
    WFMConnectionConfigBuilder()
    .set_service_url(os.environ["WFM_URL"])
    .set_access_key(os.environ["WFM_ACCESS_KEY"])
    .set_secret_key(os.environ["WFM_SECRET_KEY"])
    .build()
)
now_ms = time.time_ns() // 1_000_000

with WFMConnection.get_connection(config) as connection:
    connection.connect()
    service = AgentStatesService(connection)
    states = AgentStateListDTO(
        agent_states=(
            AgentState(agent_id="ana.souza", event_id="AVAILABLE", start_ms=now_ms),
            AgentState(agent_id="ben.okoro", event_id="UNAVAILABLE", event_reason="Lunch", start_ms=now_ms),
        )
    )
    response = service.process_agent_states(states)
    print(f"status {response.status}: {response.accepted} states accepted")
    for row in response.rejected:
        print(f"not taken: {states.agent_states[row.index].agent_id}: {row.message}")

    # An event id that the tenant has not mapped: the service refuses it, and the exception holds its answer.
    unknown = AgentState(agent_id="ana.souza", event_id="COFFEE", start_ms=now_ms)
    try:
        service.process_agent_states(AgentStateListDTO(agent_states=(unknown,)))
    except CXoneWfmException as error:
        print(f"{error.kind.value}: status {error.response.status}, {error.response.code}")
