"""The objects that go to CXone WFM and come back, with the names on NICE's page; frozen, canonical field names."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

EpochMs = Annotated[int, Field(ge=0, le=253_402_300_799_999)]
Count = Annotated[int, Field(ge=0)]
Seconds = Annotated[int, Field(ge=0)]
Identifier = Annotated[str, Field(min_length=1)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def to_plain(self) -> dict[str, Any]:
        """The fields that hold something, as the contract profile's `encode` takes them."""
        return self.model_dump(exclude_none=True)


class AgentState(_Frozen):
    """One agent's state from `start_ms` (UTC epoch milliseconds) on, until the next one.

    `agent_value` is the agent's display value; the profile decides what goes out when it is None (the id itself).
    """

    agent_id: Identifier
    agent_value: str | None = None
    event_id: Identifier
    event_reason: str = ""
    start_ms: EpochMs


class AgentStateListDTO(_Frozen):
    """Real-time agent states; `acd_type` is filled in by the service when None."""

    acd_type: str | None = None
    agent_states: tuple[AgentState, ...] = ()


class AgentActivity(_Frozen):
    """One activity that ended in the report's interval; the duration defaults to end minus start in whole seconds."""

    agent_id: Identifier
    agent_value: str | None = None
    event_id: Identifier
    event_reason: str = ""
    start_ms: EpochMs
    end_ms: EpochMs
    duration_s: Seconds

    @model_validator(mode="before")
    @classmethod
    def _span(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("duration_s") is None:
            start_ms, end_ms = data.get("start_ms"), data.get("end_ms")
            if isinstance(start_ms, int) and isinstance(end_ms, int):
                return {**data, "duration_s": end_ms // 1000 - start_ms // 1000}
        return data


class _IntervalReport(_Frozen):
    """`acd_type` is filled in by the service, `report_version` by the profile, when None; the interval is half-open."""

    acd_type: str | None = None
    report_version: str | None = None
    start_ms: EpochMs
    end_ms: EpochMs


class AgentActivityReportDTO(_IntervalReport):
    """The agent activity log of one interval; `report_data` is empty when nothing ended in it."""

    report_data: tuple[AgentActivity, ...] = ()


class QueueRow(_Frozen):
    """One queue in one interval; counts of contacts and whole seconds, each contact where it ends."""

    queue_id: Identifier
    queue_name: str | None = None
    contacts_received: Count = 0
    contacts_handled: Count = 0
    contacts_abandoned: Count = 0
    contacts_answered_in_sl: Count = 0
    contacts_abandoned_in_sl: Count = 0
    handle_time_s: Seconds = 0
    work_time_s: Seconds = 0
    distributed: Count | None = None
    queue_delay_s: Seconds = 0
    service_level: Annotated[float, Field(ge=0, le=100)] | None = None
    backlog: Count | None = None
    backlog_not_expired: Count | None = None
    backlog_expired: Count | None = None


class AgentQueueRow(_Frozen):
    """What one agent handled of one queue in one interval."""

    queue_id: Identifier
    agent_id: Identifier
    contacts_handled: Count = 0
    handle_time_s: Seconds = 0
    work_time_s: Seconds = 0


class AgentPerformanceRow(_Frozen):
    """One agent's time in one interval, and the calls that belong to no queue."""

    agent_id: Identifier
    internal_calls: Count = 0
    internal_time_s: Seconds = 0
    ready_time_s: Seconds = 0
    idle_time_s: Seconds = 0
    out_calls: Count = 0
    out_time_s: Seconds = 0
    login_time_s: Seconds = 0


class ReportDTO(_IntervalReport):
    """The queue report with its two agent parts; a part without activity is empty, never left out."""

    queue_report: tuple[QueueRow, ...] = ()
    agent_queue_report: tuple[AgentQueueRow, ...] = ()
    agent_system_performance_report: tuple[AgentPerformanceRow, ...] = ()


class RejectedRow(_Frozen):
    """A row that the service names as not taken; `index` is its position in the request, from 0."""

    index: Annotated[int, Field(ge=0)]
    code: str | None = None
    message: str | None = None


class WFMReportResponseDTO(_Frozen):
    """What the service answered.

    Attributes:
        status: the HTTP status; 0 when no answer came.
        raw: the body's text, cut, with secrets hidden.
        body: the body as JSON, with secrets hidden; None when it is not JSON.
        code, message, details: where the answer has them, in whichever of the known shapes; `message` may come from
            a header.
        accepted: the number of rows taken, when said.
        rejected: the rows that the answer names as not taken.
        unplaced_rejections: how many rejected rows it names without a usable position.
    """

    status: int
    raw: str = ""
    body: Any = None
    code: str | None = None
    message: str | None = None
    details: str | None = None
    accepted: int | None = None
    rejected: tuple[RejectedRow, ...] = ()
    unplaced_rejections: int = 0
