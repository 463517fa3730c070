"""A jar whose classes bear the names of NICE's page, with field names unlike ours, becomes a profile."""

from __future__ import annotations

import contextlib
import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from java_jar import SOURCES, compile_jar

from flex_plugin_backend.errors import ContractError
from flex_plugin_backend.wfm.contract import FieldType, Profile, Provenance
from flex_plugin_backend.wfm.contract.importer import Confidence, Draft, Evidence, read_jar
from flex_plugin_backend.wfm.contract.importer.classfile import ClassFileError, read_class

# What a person who knows both sides pairs, by DTO: our canonical name and the name on the wire.
PAIRS = {
    "AccessTokenRequest": {"tenant_name": "tenantName", "access_key_token_request": "accessKeyTokenRequest"},
    "AccessKeyTokenRequest": {"access_key": "accessKeyId", "secret_key": "accessKeySecret"},
    "AgentStateListDTO": {"acd_type": "switchType", "agent_states": "changes"},
    "AgentState": {
        "agent_id": "operatorId",
        "agent_value": "operatorLabel",
        "event_id": "stateCode",
        "event_reason": "auxCause",
        "start_ms": "since",
    },
    "AgentActivityReportDTO": {
        "acd_type": "switchType",
        "report_version": "formatVersion",
        "start_ms": "intervalBegin",
        "end_ms": "intervalFinish",
        "report_data": "lines",
    },
    "AgentActivity": {
        "agent_id": "operatorId",
        "agent_value": "operatorLabel",
        "event_id": "stateCode",
        "event_reason": "auxCause",
        "start_ms": "began",
        "end_ms": "finished",
        "duration_s": "elapsedSeconds",
    },
    "ReportDTO": {
        "acd_type": "switchType",
        "report_version": "formatVersion",
        "start_ms": "intervalBegin",
        "end_ms": "intervalFinish",
        "queue_report": "skills",
        "agent_queue_report": "operatorSkills",
        "agent_system_performance_report": "operatorPerformance",
    },
    "QueueRow": {
        "queue_id": "skillKey",
        "queue_name": "skillTitle",
        "contacts_received": "offered",
        "contacts_handled": "answered",
        "contacts_abandoned": "lost",
        "contacts_answered_in_sl": "answeredWithinThreshold",
        "contacts_abandoned_in_sl": "lostWithinThreshold",
        "handle_time_s": "handlingSeconds",
        "work_time_s": "wrapUpSeconds",
        "queue_delay_s": "waitSeconds",
        "service_level": "serviceLevel",
    },
    "AgentQueueRow": {
        "queue_id": "skillKey",
        "agent_id": "operatorId",
        "contacts_handled": "answered",
        "handle_time_s": "handlingSeconds",
        "work_time_s": "wrapUpSeconds",
    },
    "AgentPerformanceRow": {
        "agent_id": "operatorId",
        "internal_calls": "internCalls",
        "internal_time_s": "internSeconds",
        "ready_time_s": "availableSeconds",
        "idle_time_s": "notReadySeconds",
        "out_calls": "outboundCalls",
        "out_time_s": "outboundSeconds",
        "login_time_s": "staffedSeconds",
    },
    "WFMReportResponseDTO": {"code": "code", "message": "message", "rejected": "failedRows"},
    "RejectedRow": {"index": "index", "message": "message"},
}
PATHS = {
    "token": "/asc/v3/session",
    "refresh": "/asc/v3/session/refresh",
    "acd_details": "/asc/v3/acd",
    "heartbeat": "/asc/v3/alive",
    "agent_states": "/asc/v3/rta",
    "agent_activity": "/asc/v3/history/adherence",
    "queue_report": "/asc/v3/history/skills",
}
EVENTS = {
    "available": "20",
    "unavailable": "50",
    "reserved": "80",
    "dialling": "85",
    "contact_voice": "30",
    "contact_chat": "31",
    "wrapup": "40",
    "logoff": "110",
}


def test_every_pair_that_a_person_would_make(draft: Draft) -> None:
    """Objects and fields are paired as someone who knows both sides pairs them, and no other pair is made."""
    assert {one.dto.name: {pair.ours.name: pair.found.wire for pair in one.fields} for one in draft.objects} == PAIRS


def test_paths_and_event_ids(draft: Draft) -> None:
    """Paths are found by the names around them, event ids by the names of an enum's constants."""
    assert {one.endpoint: one.found.path for one in draft.paths} == PATHS
    assert {one.event.key: one.id for one in draft.events} == EVENTS


def test_confidence_says_what_a_pair_rests_on(draft: Draft) -> None:
    """The same name is certain, names whose words mean the same are probable."""
    by_dto = {one.dto.name: one for one in draft.objects}
    assert by_dto["AgentActivityReportDTO"].confidence is Confidence.CERTAIN
    activity = {pair.ours.name: pair.confidence for pair in by_dto["AgentActivityReportDTO"].fields}
    assert activity["start_ms"] is Confidence.PROBABLE
    key = {pair.ours.name: pair.confidence for pair in by_dto["AccessKeyTokenRequest"].fields}
    assert set(key.values()) == {Confidence.CERTAIN}
    paths = {one.endpoint: one.confidence for one in draft.paths}
    assert paths["agent_states"] is Confidence.CERTAIN  # used by the SDK's documented method
    assert paths["heartbeat"] is Confidence.PROBABLE


def test_the_draft_is_a_profile(drafted: Profile) -> None:
    """What is drafted loads, and writes the jar's names."""
    wire = drafted.encode(
        "AgentStateListDTO",
        {"acd_type": "T", "agent_states": [{"agent_id": "7", "event_id": "20", "start_ms": 1_772_442_900_250}]},
    )
    assert wire == {
        "switchType": "T",
        "changes": [
            {
                "operatorId": "7",
                "operatorLabel": "7",
                "stateCode": "20",
                "auxCause": "",
                "since": "2026-03-02T09:15:00.250Z",
            }
        ],
    }
    assert drafted.validate("AgentStateListDTO", wire) == []
    assert drafted.endpoint("agent_states").method == "PUT"
    assert drafted.event_id("CONTACT", "chat") == "31"


def test_what_a_draft_says_of_itself(drafted: Profile) -> None:
    """A name that the jar holds is documented by it, with a note where only its words speak for the pair."""
    origin = drafted.dto("AgentActivityReportDTO").fields["start_ms"].origin
    assert (origin.provenance, origin.source) == (Provenance.DOCUMENTED, "JAR")
    assert "check it" in origin.note


def test_what_has_no_place_is_kept_and_listed(draft: Draft, drafted: Profile) -> None:
    """A field that we cannot fill is read and written, not sent, and named in the list of what is left."""
    assert any("userUuid" in line for line in draft.left)
    assert any("/asc/v3/swagger" in line for line in draft.left)
    field = drafted.dto("AgentActivity").fields["user_uuid"]
    assert (field.wire, field.required, field.type) == ("userUuid", False, FieldType.STRING)
    assert any(line.startswith("Heartbeat") for line in draft.unseen)


def test_what_a_class_does_not_hold_is_not_sent(drafted: Profile) -> None:
    """A class is known whole, so a field of ours that it lacks leaves the wire."""
    assert "backlog" in drafted.dto("QueueRow").dropped


def test_properties_as_the_libraries_name_them(evidence: Evidence) -> None:
    """Inherited fields, annotations on getters, ignored and transient fields count as for a JSON library."""
    report = next(shape for shape in evidence.shapes if shape.label == "AgentActivityReportDTO")
    assert [field.wire for field in report.fields] == [
        "switchType",
        "formatVersion",
        "intervalBegin",
        "intervalFinish",
        "lines",
    ]
    assert report.fields[0].required
    assert report.fields[2].time_formats == ("iso8601-ms-z",)


@pytest.mark.parametrize("release", ["8", "11", "17"])
def test_class_files_of_several_java_versions(release: str, tmp_path: Path, draft: Draft) -> None:
    """The draft does not depend on which release the jar was compiled for."""
    options = ("--release", release, "-g:none", "-Xlint:-options")
    found = read_jar(compile_jar(SOURCES / "sdk", tmp_path, *options))
    assert {one.path for one in found.paths} >= set(PATHS.values())
    assert {shape.label for shape in found.shapes} >= {"AgentStateListDTO", "ReportDTO", "StateLine"}


def test_a_jar_inside_a_jar(jar: Path, tmp_path: Path, evidence: Evidence) -> None:
    """A jar that carries its libraries inside is read one level deep."""
    outer = tmp_path / "outer.jar"
    with zipfile.ZipFile(outer, "w") as archive:
        archive.write(jar, "BOOT-INF/lib/sdk.jar")
    assert read_jar(outer).shapes == evidence.shapes


def test_a_damaged_class_hides_no_other(jar: Path, tmp_path: Path, evidence: Evidence) -> None:
    """What cannot be read is named, and the rest is read."""
    damaged = tmp_path / "damaged.jar"
    with zipfile.ZipFile(jar) as good, zipfile.ZipFile(damaged, "w") as bad:
        for entry in good.infolist():
            content = good.read(entry)
            bad.writestr(entry.filename, content[:40] if entry.filename.endswith("SkillLine.class") else content)
    found = read_jar(damaged)
    assert [line.partition(":")[0] for line in found.problems] == ["com/example/wfm/dto/SkillLine.class"]
    assert {shape.label for shape in evidence.shapes} - {shape.label for shape in found.shapes} == {"SkillLine"}


@pytest.mark.parametrize("content", [b"", b"PK", b"no jar at all"])
def test_no_jar(content: bytes, tmp_path: Path) -> None:
    """What is no jar is refused with what to do."""
    file = tmp_path / "no.jar"
    file.write_bytes(content)
    with pytest.raises(ContractError, match="as downloaded from CXone"):
        read_jar(file)


def test_a_jar_without_classes(tmp_path: Path) -> None:
    """A jar of something else is refused with what to do."""
    file = tmp_path / "empty.jar"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("readme.txt", "nothing here")
    with pytest.raises(ContractError, match="it holds no class"):
        read_jar(file)


@given(data=st.data())
def test_no_bytes_make_the_reader_stumble(data: st.DataObject, jar: Path) -> None:
    """Whatever is changed in or cut from a class file, it is read or refused, never anything else."""
    with zipfile.ZipFile(jar) as archive:
        names = [name for name in archive.namelist() if name.endswith(".class")]
        content = bytearray(archive.read(data.draw(st.sampled_from(names))))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)))]
    with contextlib.suppress(ClassFileError):
        read_class(bytes(content))


def test_other_archives_inside_are_no_matter(jar: Path, tmp_path: Path) -> None:
    """A broken jar inside is named, and the classes beside it are read."""
    outer = tmp_path / "outer.jar"
    inner = io.BytesIO(b"broken")
    with zipfile.ZipFile(jar) as good, zipfile.ZipFile(outer, "w") as archive:
        for entry in good.infolist():
            archive.writestr(entry.filename, good.read(entry))
        archive.writestr("lib/broken.jar", inner.getvalue())
    assert [line.partition(":")[0] for line in read_jar(outer).problems] == ["lib/broken.jar"]
