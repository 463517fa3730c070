"""Send the reports of one 15-minute interval to CXone WFM."""

import os

from flex_plugin_backend.wfm import (
    AgentActivity,
    AgentActivityReportDTO,
    AgentPerformanceRow,
    AgentQueueRow,
    QueueRow,
    ReportDTO,
    ReportService,
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
START_MS = 1_772_442_900_000  # 2026-03-02 09:15:00 UTC
END_MS = START_MS + 900_000

activity = AgentActivityReportDTO(
    start_ms=START_MS,
    end_ms=END_MS,
    report_data=(
        # Began before the interval and ended in it: booked here with its whole length.
        AgentActivity(
            agent_id="ana.souza", event_id="CONTACT_VOICE", start_ms=START_MS - 120_000, end_ms=START_MS + 60_000
        ),
        AgentActivity(agent_id="ana.souza", event_id="WRAPUP", start_ms=START_MS + 60_000, end_ms=START_MS + 90_000),
    ),
)
queues = ReportDTO(
    start_ms=START_MS,
    end_ms=END_MS,
    queue_report=(
        QueueRow(
            queue_id="sales",
            contacts_received=2,
            contacts_handled=1,
            contacts_abandoned=1,
            contacts_answered_in_sl=1,
            handle_time_s=210,
            work_time_s=30,
            queue_delay_s=12,
        ),
    ),
    agent_queue_report=(
        AgentQueueRow(queue_id="sales", agent_id="ana.souza", contacts_handled=1, handle_time_s=210, work_time_s=30),
    ),
    agent_system_performance_report=(AgentPerformanceRow(agent_id="ana.souza", ready_time_s=810, login_time_s=900),),
)

with WFMConnection.get_connection(config) as connection:
    service = ReportService(connection.connect())
    print(f"agent activity: status {service.process_agent_activity_report(activity).status}")
    print(f"queues: status {service.process_queue_report(queues).status}")
    # Nothing happened: the report is sent all the same, with three empty lists.
    quiet = ReportDTO(start_ms=END_MS, end_ms=END_MS + 900_000)
    print(f"a quiet quarter of an hour: status {service.process_queue_report(quiet).status}")
