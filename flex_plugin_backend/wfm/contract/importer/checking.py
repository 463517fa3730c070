"""Says what a profile still lacks, and sends samples through it and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flex_plugin_backend.errors import ContractError
from flex_plugin_backend.wfm.contract.findings import Finding
from flex_plugin_backend.wfm.contract.importer.pairing import pair
from flex_plugin_backend.wfm.contract.importer.samples import Sample, shapes_of
from flex_plugin_backend.wfm.contract.importer.shapes import Evidence
from flex_plugin_backend.wfm.contract.model import Origin, Provenance
from flex_plugin_backend.wfm.contract.profile import Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """One entry of the profile that nobody vouches for.

    Attributes:
        where: its place, `dto.AgentState.fields.event_id` for one.
        value: what it says now.
        why: the reason for the assumption.
        needed: the connector cannot work with a wrong one.
    """

    where: str
    value: str
    why: str
    needed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundTrip:
    """What became of one sample.

    Attributes:
        dto: what it was taken for; None where it fits none.
        problem: why it cannot be read or written back, or where it came back otherwise; "" when it did not.
        findings: what the rules say of it.
    """

    sample: Sample
    dto: str | None
    problem: str
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """It came back as it was."""
        return self.dto is not None and not self.problem


def open_entries(profile: Profile) -> Iterator[Open]:
    """Every assumed entry, those that the connector needs first."""
    found = list(_assumed(profile))
    yield from (one for one in found if one.needed)
    yield from (one for one in found if not one.needed)


def round_trips(profile: Profile, samples: Iterable[Sample]) -> Iterator[RoundTrip]:
    """Read each sample with the profile, write it again, and compare; several objects of a list count singly."""
    for sample in samples:
        rows = sample.value if isinstance(sample.value, list) else [sample.value]
        for number, row in enumerate(rows, 1):
            name = sample.name if len(rows) == 1 else f"{sample.name}[{number}]"
            yield _round_trip(profile, Sample(name, sample.file, row))


def _round_trip(profile: Profile, sample: Sample) -> RoundTrip:
    dto = _recognise(profile, sample)
    if dto is None:
        problem = "it fits no object of the profile; name the file after its object or endpoint (contract show)"
        return RoundTrip(sample=sample, dto=None, problem=problem, findings=())
    findings = tuple(profile.validate(dto, sample.value))
    try:
        back = profile.encode(dto, profile.decode(dto, sample.value))
    except ContractError as error:
        return RoundTrip(sample=sample, dto=dto, problem=str(error), findings=findings)
    differences = list(_differences(sample.value, back, ""))
    shown = "; ".join(differences[:5]) + (f"; and {len(differences) - 5} more" if len(differences) > 5 else "")
    return RoundTrip(sample=sample, dto=dto, problem=shown, findings=findings)


def _recognise(profile: Profile, sample: Sample) -> str | None:
    shapes = shapes_of(sample)
    pairing = pair(profile, Evidence(source="", address="", shapes=shapes))
    return next((one.dto.name for one in pairing.objects if one.shape.key == sample.name), None)


def _differences(there: Any, back: Any, at: str) -> Iterator[str]:
    """Where the two differ; a null that is left out, and a default that is put in, are no difference."""
    if isinstance(there, Mapping) and isinstance(back, Mapping):
        for name, value in there.items():
            if name in back:
                yield from _differences(value, back[name], f"{at}/{name}")
            elif value is not None:
                yield f"{at}/{name} is not in the profile"
    elif isinstance(there, list) and isinstance(back, list) and len(there) == len(back):
        for number, (one, other) in enumerate(zip(there, back, strict=True)):
            yield from _differences(one, other, f"{at}/{number}")
    elif there != back:
        yield f"{at or '/'} is written otherwise than it was read"


def _assumed(profile: Profile) -> Iterator[Open]:
    def entry(where: str, value: object, origin: Origin, *, needed: bool) -> Iterator[Open]:
        if origin.provenance is Provenance.ASSUMED:
            yield Open(where=where, value=str(value), why=origin.text, needed=needed)

    for one in profile.endpoints.values():
        yield from entry(f"endpoints.{one.name}", f"{one.method} {one.path}", one.origin, needed=True)
    yield from entry("formats.time", profile.time_format.name, profile.format_origins["time"], needed=True)
    yield from entry("formats.duration", profile.duration_format.name, profile.format_origins["duration"], needed=True)
    sent = sent_objects(profile)
    for dto in profile.dtos.values():
        for field in dto.fields.values():
            needed = dto.name in sent and field.required
            yield from entry(f"dto.{dto.name}.fields.{field.name}", field.wire, field.origin, needed=needed)
    for event in profile.events.values():
        yield from entry(f"events.{event.key}", event.id, event.origin, needed=event.state is not None)
    for name, origin in profile.limit_origins.items():
        yield from entry(f"limits.{name}", getattr(profile.limits, name), origin, needed=False)
    yield from entry("http.message_header", profile.message_header, profile.message_header_origin, needed=False)


def sent_objects(profile: Profile) -> tuple[str, ...]:
    """The DTOs that the connector sends, each followed by those inside it."""
    waiting = [one.request for one in profile.endpoints.values() if one.request]
    seen: dict[str, None] = {}
    while waiting:
        name = waiting.pop(0)
        if name not in seen:
            seen[name] = None
            waiting[:0] = [field.of for field in profile.dto(name).fields.values() if field.of]
    return tuple(seen)
