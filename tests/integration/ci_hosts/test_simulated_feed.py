"""What the connector sent on a simulated floor, captured by the fake WFM, holds no finding, nor does it as a feed."""

from __future__ import annotations

import json
from pathlib import Path

from check_files import TODAY

from flex_plugin_backend.wfm.contract.check import Options, check, find
from simulator.harness.virtual import VirtualFloor
from simulator.world.scenario import Scenario


def test_a_simulated_feed_is_clean(tmp_path: Path) -> None:
    """States and both reports of an hour and more of virtual time; without one report, the hole is seen."""
    with VirtualFloor(Scenario(agents=5, seed=3), tmp_path) as floor:
        floor.wfm.inbox.capture(on=True)
        floor.service.end_ms = floor.start_ms + 75 * 60_000
        floor.run_to(floor.service.end_ms + 600_000)
        records = floor.wfm.inbox.captured(0, 1_000_000)
    path = tmp_path / "capture.ndjson"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    sources, unread = find([str(path)])
    result = check(sources, Options(today=TODAY), unread=unread)
    assert list(result.findings) == []
    assert set(result.files[0].payloads) == {"AgentStateListDTO", "AgentActivityReportDTO", "ReportDTO"}
    assert result.exit == 0

    reports = [number for number, record in enumerate(records) if record["endpoint"] == "agent_activity"]
    del records[reports[2]]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    found = list(check(find([str(path)])[0], Options(today=TODAY)).findings)
    assert {item.finding.rule for item in found} == {"M65", "M67"}
