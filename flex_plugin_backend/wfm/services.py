"""AgentStatesService and ReportService: the three kinds of data that go to CXone WFM."""

from __future__ import annotations

import logging

from flex_plugin_backend.wfm.connection import WFMConnection
from flex_plugin_backend.wfm.dto import AgentActivityReportDTO, AgentStateListDTO, ReportDTO, WFMReportResponseDTO

_log = logging.getLogger(__name__)


class _Service:
    def __init__(self, connection: WFMConnection) -> None:
        self._connection = connection

    def _send(
        self, operation: str, dto: AgentStateListDTO | AgentActivityReportDTO | ReportDTO, rows: int | None
    ) -> WFMReportResponseDTO:
        plain = dto.to_plain()
        if dto.acd_type is None:
            plain["acd_type"] = self._connection.acd_type()
        response = self._connection.send(operation, plain, rows=rows)
        if response.unplaced_rejections:
            _log.warning(
                "the answer to %s rejects %d rows without saying which", operation, response.unplaced_rejections
            )
        return response


class AgentStatesService(_Service):
    """Real-time agent states."""

    def process_agent_states(self, dto: AgentStateListDTO) -> WFMReportResponseDTO:
        """Send the states; an empty list is sent too.

        Returns the answer of any 2xx; `rejected` names the rows that were not taken. Raises CXoneWfmException for
        everything else, ContractError when the profile has no form for the states.
        """
        return self._send("agent_states", dto, len(dto.agent_states))


class ReportService(_Service):
    """The interval reports; what they return and raise is as with the states."""

    def process_agent_activity_report(self, dto: AgentActivityReportDTO) -> WFMReportResponseDTO:
        """Send the agent activity log of one interval."""
        return self._send("agent_activity", dto, len(dto.report_data))

    def process_queue_report(self, dto: ReportDTO) -> WFMReportResponseDTO:
        """Send the queue report of one interval, with the agent queue and agent system performance reports."""
        return self._send("queue_report", dto, None)
