"""Differences of two profiles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flex_plugin_backend.wfm.contract.diff.change import Change, Impact
from flex_plugin_backend.wfm.contract.diff.fields import diff_fields
from flex_plugin_backend.wfm.contract.formats import DURATION_FORMATS, TIME_FORMATS
from flex_plugin_backend.wfm.contract.model import Event, Origin
from flex_plugin_backend.wfm.contract.profile import Profile

_SAFE, _MEANING, _WIRE = Impact

# What a limit means when it goes down, and when it goes up: (writers, readers) each, and why.
_SIZES = ((_WIRE, _SAFE), (_SAFE, _WIRE), "what is larger than the reader takes is refused")
_LIVES = ((_MEANING, _MEANING), (_SAFE, _SAFE), "who counts on the longer time comes too late")
_LIMITS: dict[str, tuple[tuple[Impact, Impact], tuple[Impact, Impact], str]] = {
    "interval_s": (
        (_MEANING, _MEANING),
        (_MEANING, _MEANING),
        "every figure of a report is one of another span of time",
    ),
    "min_state_s": ((_SAFE, _MEANING), (_MEANING, _SAFE), "states that one side tells are too short for the other"),
    "token_life_s": _LIVES,
    "refresh_token_life_s": _LIVES,
    "heartbeat_period_s": (
        (_MEANING, _SAFE),
        (_SAFE, _MEANING),
        "a beat that is awaited earlier than it comes counts as lost",
    ),
    "refresh_margin_s": ((_SAFE, _SAFE), (_SAFE, _SAFE), "it is the writer's own"),
    "clock_skew_s": ((_MEANING, _SAFE), (_SAFE, _SAFE), "what was near enough to now is of the future"),
}
# Formats that look alike on the wire: the reader takes them and reads something else.
_ALIKE = ({"epoch-s", "epoch-ms"}, {"seconds", "milliseconds"})


def diff_profiles(old: Profile, new: Profile) -> list[Change]:
    """Everything that changes from one profile to the other, section by section."""
    return [
        *_formats(old, new),
        *_limits(old, new),
        *_header(old, new),
        *_endpoints(old, new),
        *_dtos(old, new),
        *_events(old, new),
    ]


def _formats(old: Profile, new: Profile) -> Iterator[Change]:
    for name, before, after in (
        ("time", old.time_format.name, new.time_format.name),
        ("duration", old.duration_format.name, new.duration_format.name),
    ):
        where = f"formats.{name}"
        if before != after:
            impact = _MEANING if {before, after} in _ALIKE else _WIRE
            known: Mapping[str, Any] = TIME_FORMATS if name == "time" else DURATION_FORMATS
            shown = f"{known[before].example} becomes {known[after].example}"
            why = "it is taken and read as another time" if impact is _MEANING else "the other form is refused"
            yield Change(
                rule="D11", where=where, what=shown, old=before, new=after, writers=impact, readers=impact, why=why
            )
        yield from _origin(where, old.format_origins[name], new.format_origins[name])


def _limits(old: Profile, new: Profile) -> Iterator[Change]:
    for name in new.limit_origins:
        before, after = getattr(old.limits, name), getattr(new.limits, name)
        where = f"limits.{name}"
        if before != after:
            down, up, why = _LIMITS.get(name, _SIZES)
            writers, readers = down if after < before else up
            rule = "D09" if name not in _LIMITS else "D13"
            what = f"{before} becomes {after}"
            yield Change(
                rule=rule, where=where, what=what, old=before, new=after, writers=writers, readers=readers, why=why
            )
        yield from _origin(where, old.limit_origins[name], new.limit_origins[name])


def _header(old: Profile, new: Profile) -> Iterator[Change]:
    where = "http.message_header"
    if old.message_header != new.message_header:
        yield Change(
            rule="D13",
            where=where,
            what=f"messages stand in {new.message_header}, not in {old.message_header}",
            old=old.message_header,
            new=new.message_header,
            writers=_SAFE,
            readers=_MEANING,
            why="the answer is taken, its message is not seen",
        )
    yield from _origin(where, old.message_header_origin, new.message_header_origin)


def _endpoints(old: Profile, new: Profile) -> Iterator[Change]:
    for name in new.endpoints:
        before, after = old.endpoints[name], new.endpoints[name]
        where = f"endpoints.{name}"
        for part in ("method", "path", "auth", "request", "response"):
            one, other = getattr(before, part), getattr(after, part)
            if one != other:
                yield Change(
                    rule="D01",
                    where=where,
                    what=f"{part}: {one} becomes {other}",
                    old=one,
                    new=other,
                    writers=_WIRE,
                    readers=_WIRE,
                    why="the call and its answer miss each other",
                )
        yield from _origin(where, before.origin, after.origin)


def _dtos(old: Profile, new: Profile) -> Iterator[Change]:
    for name in {**old.dtos, **new.dtos}:
        before, after = old.dtos.get(name), new.dtos.get(name)
        where = f"dto.{name}"
        if before is None or after is None:
            word, impact = ("is new", _SAFE) if before is None else ("is gone", _WIRE)
            why = "nobody knows it yet" if before is None else "who sends or awaits it finds nobody"
            yield Change(
                rule="D02",
                where=where,
                what=f"{name} {word}",
                old=before and name,
                new=after and name,
                writers=impact,
                readers=impact,
                why=why,
            )
            continue
        if before.closed != after.closed:
            words = ("refused", "accepted") if after.closed else ("accepted", "refused")
            yield Change(
                rule="D10",
                where=where,
                what=f"unknown fields are {words[0]}, they were {words[1]}",
                old=words[1],
                new=words[0],
                writers=_WIRE if after.closed else _SAFE,
                readers=_SAFE if after.closed else _WIRE,
                why="a field that one side adds is refused by the other",
            )
        yield from _origin(where, before.origin, after.origin)
        yield from diff_fields(before, after)
        for key in (name for name in before.fields if name in after.fields):
            yield from _origin(f"{where}.fields.{key}", before.fields[key].origin, after.fields[key].origin)


def _events(old: Profile, new: Profile) -> Iterator[Change]:
    for key in {**old.events, **new.events}:
        before, after = old.events.get(key), new.events.get(key)
        where = f"events.{key}"
        if before is None or after is None:
            yield _event(where, before, after)
            continue
        for part in ("id", "state", "channel", "direction", "reason"):
            one, other = getattr(before, part), getattr(after, part)
            if one != other:
                what = f"{part}: {one} becomes {other}"
                why = "WFM shows a pair that is not mapped as not calculated, or as another activity"
                yield Change(
                    rule="D12",
                    where=where,
                    what=what,
                    old=one,
                    new=other,
                    writers=_MEANING,
                    readers=_MEANING,
                    why=why,
                )
        yield from _origin(where, before.origin, after.origin)


def _event(where: str, before: Event | None, after: Event | None) -> Change:
    if after is not None:
        what, why = f"event {after.id} is new", "a reader that does not map it shows not calculated"
        return Change(
            rule="D12", where=where, what=what, old=None, new=after.id, writers=_SAFE, readers=_MEANING, why=why
        )
    gone = before.id if before is not None else ""
    what, why = f"event {gone} is gone", "who still sends it tells something that nobody knows"
    return Change(rule="D12", where=where, what=what, old=gone, new=None, writers=_MEANING, readers=_SAFE, why=why)


def _origin(where: str, before: Origin, after: Origin) -> Iterator[Change]:
    if before.provenance is not after.provenance:
        what = f"{before.provenance.value} becomes {after.provenance.value} ({after.text})"
        yield Change(
            rule="D15",
            where=where,
            what=what,
            old=before.provenance.value,
            new=after.provenance.value,
            writers=_SAFE,
            readers=_SAFE,
            why="nothing changes on the wire",
        )
