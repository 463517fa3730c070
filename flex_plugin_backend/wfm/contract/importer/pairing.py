"""Pairs what was found with the objects and fields of our profile, by name and by shape, and says how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flex_plugin_backend.wfm.contract.importer.confidence import Confidence
from flex_plugin_backend.wfm.contract.importer.shapes import Evidence, FoundField, Shape
from flex_plugin_backend.wfm.contract.importer.words import likeness, word_lists, words_of
from flex_plugin_backend.wfm.contract.model import Dto, Field, FieldType
from flex_plugin_backend.wfm.contract.profile import Profile

# Below this the words of two names say nothing.
_ALIKE = 0.5
# So much of an object's names must be those of a DTO, for the two to be the same although nothing else says so.
_SAME_OBJECT = 0.6
_INNER_DEPTH = 4

_NUMBERS = {FieldType.INTEGER, FieldType.NUMBER}
_LISTS_OF_OBJECTS = {FieldType.ARRAY, FieldType.OBJECT}


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldPair:
    """One found field and the field of ours that it is taken for."""

    ours: Field
    found: FoundField
    confidence: Confidence


@dataclass(slots=True, kw_only=True)
class ObjectPair:
    """One found object and the DTO of ours that it is taken for.

    Attributes:
        fields: the pairs, in our order.
        left: found fields without a partner.
        unseen: fields of ours without a partner.
    """

    dto: Dto
    shape: Shape
    confidence: Confidence
    fields: list[FieldPair] = field(default_factory=list)
    left: list[FoundField] = field(default_factory=list)
    unseen: list[Field] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Pairing:
    """All pairs, and the found objects that have none."""

    objects: list[ObjectPair] = field(default_factory=list)
    left: list[Shape] = field(default_factory=list)

    def of(self, dto: str) -> ObjectPair | None:
        """The pair of that DTO."""
        return next((one for one in self.objects if one.dto.name == dto), None)


def pair(profile: Profile, evidence: Evidence) -> Pairing:
    """Pair every object of the evidence that can be placed; each DTO and each object is used once."""
    return _Pairer(profile, evidence).pair()


class _Pairer:
    def __init__(self, profile: Profile, evidence: Evidence) -> None:
        self._profile = profile
        self._evidence = evidence
        self._shapes = {shape.key: shape for shape in evidence.shapes}
        self._paired: dict[str, ObjectPair] = {}
        self._used: set[str] = set()

    def pair(self) -> Pairing:
        for shape in self._evidence.shapes:
            dto = self._named(shape)
            if dto is not None:
                self._take(dto, shape, Confidence.CERTAIN)
        for likeness_, dto, shape in self._alike():
            if dto.name not in self._paired and shape.key not in self._used:
                self._take(dto, shape, Confidence.CERTAIN if likeness_ == 1.0 else Confidence.PROBABLE)
        order = {name: number for number, name in enumerate(self._profile.dtos)}
        objects = sorted(self._paired.values(), key=lambda one: order[one.dto.name])
        left = [shape for shape in self._evidence.shapes if shape.key not in self._used and shape.root]
        return Pairing(objects=objects, left=left)

    # -------------------------------------------------------------------------------------------- objects

    def _named(self, shape: Shape) -> Dto | None:
        """The DTO whose name, or whose endpoint's name, the object bears."""
        if shape.label in self._profile.dtos:
            return self._profile.dtos[shape.label]
        stem, _, side = shape.label.partition(".")
        endpoint = self._profile.endpoints.get(stem.replace("-", "_"))
        if endpoint is None:
            return None
        name = endpoint.response if side == "response" else endpoint.request if side in ("request", "") else None
        return self._profile.dtos.get(name) if name else None

    def _alike(self) -> list[tuple[float, Dto, Shape]]:
        """Objects and DTOs that share most of their names, the closest first."""
        found: list[tuple[float, Dto, Shape]] = []
        for dto in self._profile.dtos.values():
            ours = {wire for one in dto.fields.values() for wire in (one.wire, *one.also)}
            for shape in self._evidence.shapes:
                theirs = {one.wire for one in shape.fields}
                shared = len(ours & theirs) / len(theirs | (ours if shape.whole else set())) if theirs else 0.0
                if shared >= _SAME_OBJECT and len(ours & theirs) > 1:
                    found.append((shared, dto, shape))
        return sorted(found, key=lambda one: (-one[0], one[1].name, one[2].key))

    def _take(self, dto: Dto, shape: Shape, confidence: Confidence) -> None:
        """Pair an object, its fields, and the objects inside it."""
        if dto.name in self._paired or shape.key in self._used:
            return
        result = self._paired[dto.name] = ObjectPair(dto=dto, shape=shape, confidence=confidence)
        self._used.add(shape.key)
        self._pair_fields(result)
        for one in result.fields:
            inner = self._shapes.get(one.found.of or "")
            if inner is not None and one.ours.of is not None:
                self._take(self._profile.dto(one.ours.of), inner, one.confidence)

    # --------------------------------------------------------------------------------------------- fields

    def _pair_fields(self, result: ObjectPair) -> None:
        ours = dict(result.dto.fields)
        found = {one.wire: one for one in result.shape.fields}
        pairs: dict[str, FieldPair] = {}

        def take(name: str, wire: str, confidence: Confidence) -> None:
            pairs[name] = FieldPair(ours=ours.pop(name), found=found.pop(wire), confidence=confidence)

        for name, one in list(ours.items()):
            wire = next((wire for wire in (one.wire, *one.also) if wire in found), None)
            if wire is not None and self._fits(one, found[wire]):
                take(name, wire, Confidence.CERTAIN)
        for _, name, wire in self._by_words(ours, found):
            if name in ours and wire in found:
                take(name, wire, Confidence.PROBABLE)
        for name, wire in _by_type(ours, found):
            take(name, wire, Confidence.POSSIBLE)
        result.fields = [pairs[name] for name in result.dto.fields if name in pairs]
        result.left, result.unseen = list(found.values()), list(ours.values())

    def _by_words(self, ours: Mapping[str, Field], found: Mapping[str, FoundField]) -> list[tuple[float, str, str]]:
        """Fields whose words agree and whose types fit, the best pair first."""
        scores = [
            (score, name, wire)
            for name, one in ours.items()
            for wire, other in found.items()
            if self._fits(one, other) and (score := self._likeness(one, other, _INNER_DEPTH)) >= _ALIKE
        ]
        return sorted(scores, key=lambda one: (-one[0], one[1], one[2]))

    def _likeness(self, ours: Field, found: FoundField, depth: int) -> float:
        names = (ours.name, ours.wire, *word_lists()["fields"].get(ours.name, ()))
        name = max(likeness(one, found.wire) for one in names)
        inner = self._shapes.get(found.of or "")
        if inner is None or ours.of is None or depth == 0:
            return name
        # An object is what it holds rather than what it is called.
        return max(name, (name + 2 * self._inner_likeness(self._profile.dto(ours.of), inner, depth - 1)) / 3)

    def _inner_likeness(self, dto: Dto, shape: Shape, depth: int) -> float:
        """How well the found fields find partners in the DTO, on the average of the larger side."""
        best = [
            max((self._likeness(one, found, depth) for one in dto.fields.values() if self._fits(one, found)), default=0)
            for found in shape.fields
        ]
        size = max(len(shape.fields), len(dto.fields) if shape.whole else 1)
        return sum(best) / size if size else 0.0

    @staticmethod
    def _fits(ours: Field, found: FoundField) -> bool:
        """Can a value of the found kind stand for ours."""
        if FieldType.ANY in (ours.type, found.type):
            return ours.type not in _LISTS_OF_OBJECTS or found.type is FieldType.ANY
        if ours.type is found.type:
            return True
        if ours.type is FieldType.TIME:
            # A text may hold an instant in a form that its type does not show, a number one in epoch time.
            return found.type in (FieldType.STRING, FieldType.INTEGER) and _is_about_time(found.wire)
        if ours.type is FieldType.DURATION:
            return found.type in (FieldType.INTEGER, FieldType.NUMBER)
        if ours.type is FieldType.STRING:
            return found.type is FieldType.INTEGER  # an id that is a number there
        return {ours.type, found.type} <= _NUMBERS


def _is_about_time(name: str) -> bool:
    about = {"time", "date", "timestamp", "start", "end", "from", "to", "begin", "stop", "until", "at", "since", "utc"}
    return bool(about & set(words_of(name)))


def _by_type(ours: Mapping[str, Field], found: Mapping[str, FoundField]) -> list[tuple[str, str]]:
    """Where as many are left of a kind there as here, they are taken for each other in their order.

    Only for kinds that hold few: lists and objects, instants (a start comes before an end), and a single text.
    """
    pairs: list[tuple[str, str]] = []
    for kinds in (_LISTS_OF_OBJECTS, {FieldType.TIME}, {FieldType.STRING}):
        here = [name for name, one in ours.items() if one.type in kinds and one.required]
        there = [wire for wire, one in found.items() if one.type in kinds]
        if len(here) == len(there) and (len(here) == 1 or FieldType.STRING not in kinds):
            pairs.extend(zip(here, there, strict=True))
    return pairs
