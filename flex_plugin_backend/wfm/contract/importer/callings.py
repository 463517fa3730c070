"""Pairs found paths with our endpoints, and found constants with our event ids, by their names."""

from __future__ import annotations

from dataclasses import dataclass

from flex_plugin_backend.wfm.contract.importer.confidence import Confidence
from flex_plugin_backend.wfm.contract.importer.shapes import Evidence, FoundIds, FoundPath
from flex_plugin_backend.wfm.contract.importer.words import likeness, word_lists
from flex_plugin_backend.wfm.contract.model import Event
from flex_plugin_backend.wfm.contract.profile import Profile

_ALIKE = 0.5
_FEWEST_IDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class PathPair:
    """One endpoint of ours and the path it is taken for."""

    endpoint: str
    found: FoundPath
    confidence: Confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPair:
    """One line of our event table and the id that it is taken for; `label` is the enum it stands in."""

    event: Event
    id: str
    label: str
    confidence: Confidence


def pair_paths(profile: Profile, evidence: Evidence) -> tuple[list[PathPair], list[FoundPath]]:
    """The paths of our endpoints, and the found paths that are nobody's; each path serves one endpoint."""
    scores = [
        (score, endpoint, found)
        for endpoint in profile.endpoints
        for found in evidence.paths
        if (score := _score(endpoint, found)) >= _ALIKE
    ]
    pairs: dict[str, PathPair] = {}
    taken: set[str] = set()
    for score, endpoint, found in sorted(scores, key=lambda one: (-one[0], one[1], one[2].path)):
        if endpoint not in pairs and found.path not in taken:
            sure = Confidence.CERTAIN if score > 1 else Confidence.PROBABLE
            pairs[endpoint] = PathPair(endpoint=endpoint, found=found, confidence=sure)
            taken.add(found.path)
    ordered = [pairs[name] for name in profile.endpoints if name in pairs]
    return ordered, [one for one in evidence.paths if one.path not in taken]


def _score(endpoint: str, found: FoundPath) -> float:
    """Above 1 where the SDK's own documented method uses the path."""
    lists = word_lists()
    if any(word in lists["methods"].get(endpoint, ()) for word in found.words):
        return 2.0
    segments = found.path.strip("/").split("/")
    # The words nearest to the path weigh as they are, a class's name a little less: it has many methods.
    near = [found.path, *segments[-2:], *found.words[:1]]
    names = (endpoint, *lists["endpoints"].get(endpoint, ()))
    best = max(likeness(name, one) for name in names for one in near)
    far = max((likeness(name, one) for name in names for one in found.words[1:]), default=0.0)
    return max(best, 0.8 * far)


def pair_events(profile: Profile, evidence: Evidence) -> tuple[list[EventPair], list[FoundIds]]:
    """Our event ids, taken from the set of constants that names most of our states, and the sets left over."""
    best: tuple[FoundIds, list[EventPair]] | None = None
    for found in evidence.ids:
        pairs = _events_in(profile, found)
        if len(pairs) >= _FEWEST_IDS and (best is None or len(pairs) > len(best[1])):
            best = (found, pairs)
    if best is None:
        return [], list(evidence.ids)
    return best[1], [one for one in evidence.ids if one is not best[0]]


def _events_in(profile: Profile, found: FoundIds) -> list[EventPair]:
    pairs: list[EventPair] = []
    for key, event in profile.events.items():
        for known in (event.id, *word_lists()["events"].get(key, ())):
            number = next((at for at, name in enumerate(found.names) if name.upper() == known.upper()), None)
            if number is not None:
                sure = Confidence.CERTAIN if known == event.id else Confidence.PROBABLE
                pairs.append(EventPair(event=event, id=found.values[number], label=found.label, confidence=sure))
                break
    return pairs
