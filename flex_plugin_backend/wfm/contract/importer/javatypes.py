"""What a Java class looks like in JSON: its properties under the names that Jackson, Gson or JSON-B give them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from flex_plugin_backend.wfm.contract.importer.classfile import (
    ACC_ENUM,
    ACC_STATIC,
    ACC_SYNTHETIC,
    ACC_TRANSIENT,
    Annotations,
    JavaClass,
    JavaMethod,
)
from flex_plugin_backend.wfm.contract.importer.shapes import FoundField
from flex_plugin_backend.wfm.contract.model import FieldType

_NAMING = ("JsonProperty", "SerializedName", "JsonbProperty")
_IGNORING = ("JsonIgnore", "JsonbTransient", "Transient")
_NEEDING = ("NotNull", "NotBlank", "NotEmpty", "Nonnull", "NonNull")

_PLAIN = {
    "Z": FieldType.BOOLEAN,
    **dict.fromkeys("BSIJ", FieldType.INTEGER),
    **dict.fromkeys("FD", FieldType.NUMBER),
    "C": FieldType.STRING,
    "java/lang/String": FieldType.STRING,
    "java/lang/CharSequence": FieldType.STRING,
    "java/util/UUID": FieldType.STRING,
    "java/lang/Boolean": FieldType.BOOLEAN,
    "java/time/Duration": FieldType.DURATION,
    "java/lang/Object": FieldType.ANY,
}
_PLAIN |= {f"java/lang/{name}": FieldType.INTEGER for name in ("Byte", "Short", "Integer", "Long")}
_PLAIN |= {"java/math/BigInteger": FieldType.INTEGER, "java/math/BigDecimal": FieldType.NUMBER}
_PLAIN |= {f"java/lang/{name}": FieldType.NUMBER for name in ("Float", "Double", "Number")}
_INSTANTS = {f"java/time/{name}" for name in ("Instant", "OffsetDateTime", "ZonedDateTime", "LocalDateTime")}
_INSTANTS |= {"java/util/Date", "java/util/Calendar", "java/sql/Timestamp"}
_LISTS = {f"java/util/{name}" for name in ("List", "Collection", "Set", "ArrayList", "LinkedList", "SortedSet")}
_LISTS |= {"java/lang/Iterable", "java/util/HashSet", "java/util/LinkedHashSet"}

# The letters of a date pattern that tell one of our formats.
_PATTERNS = (
    (re.compile(r"yyyy-MM-dd'?T'?HH:mm:ss'Z'"), "iso8601-z"),
    (re.compile(r"yyyy-MM-dd'?T'?HH:mm:ss\.SSS'Z'"), "iso8601-ms-z"),
    (re.compile(r"yyyy-MM-dd'?T'?HH:mm:ss(XXX|xxx)"), "iso8601-offset"),
)
_GENERIC = re.compile(r"L([\w/$]+)<(.*)>;", re.ASCII)
_MAX_DEPTH = 16


@dataclass(frozen=True, slots=True)
class _Type:
    kind: FieldType
    of: str | None = None
    ids: tuple[str, ...] = ()


def properties(java: JavaClass, classes: Mapping[str, JavaClass]) -> tuple[FoundField, ...]:
    """The JSON properties of a class, those of its parents first; empty where it has none."""
    found: dict[str, FoundField] = {}
    for one in reversed(_lineage(java, classes)):
        found |= {field.wire: field for field in _own(one, classes)}
    return tuple(found.values())


def enum_members(java: JavaClass) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """An enum's constants, and what stands for each on the wire where that can be told (else its name)."""
    starter = next((one for one in java.methods if one.name == "<clinit>"), None)
    names: list[str] = []
    values: list[str] = []
    for field in java.fields:
        if not field.flags & ACC_ENUM:
            continue
        named = _named(field.annotations)
        # The compiler loads the constant's own name first, then what the source hands to the constructor.
        loaded = starter.enum_texts.get(field.name, ()) if starter else ()
        given = [text for text in loaded if text != field.name]
        names.append(field.name)
        values.append(named or (given[0] if given else field.name))
    return tuple(names), tuple(values)


def _lineage(java: JavaClass, classes: Mapping[str, JavaClass]) -> list[JavaClass]:
    line = [java]
    while len(line) < _MAX_DEPTH and (parent := classes.get(line[-1].parent)) is not None:
        line.append(parent)
    return line


def _own(java: JavaClass, classes: Mapping[str, JavaClass]) -> list[FoundField]:
    accessors = _accessors(java)
    ignored = java.annotations.get("JsonIgnoreProperties", {}).get("value", [])
    found: list[FoundField] = []
    for field in java.fields:
        if field.flags & (ACC_STATIC | ACC_TRANSIENT | ACC_SYNTHETIC):
            continue
        around: dict[str, Mapping[str, object]] = {}
        for one in (*accessors.get(field.name, ()), field.annotations):
            around |= one
        if any(name in around for name in _IGNORING) or field.name in ignored:
            continue
        named = _named(around) or _styled(field.name, java)
        found.append(_property(named, field.signature, around, classes))
    found.extend(_without_field(java, classes))
    return found


def _without_field(java: JavaClass, classes: Mapping[str, JavaClass]) -> list[FoundField]:
    """Properties that only an annotated getter shows."""
    fields = {field.name for field in java.fields}
    return [
        _property(named, method.descriptor.rpartition(")")[2], method.annotations, classes)
        for method in java.methods
        if (named := _named(method.annotations)) and _bean_name(method) not in fields and "()" in method.descriptor
    ]


def _property(wire: str, signature: str, annotations: Annotations, classes: Mapping[str, JavaClass]) -> FoundField:
    kind = _type_of(signature, classes)
    field = FoundField(wire=wire, type=kind.kind, of=kind.of, ids=kind.ids)
    if any(name in annotations for name in _NEEDING) or annotations.get("JsonProperty", {}).get("required"):
        field = replace(field, required=True)
    pattern = str(annotations.get("JsonFormat", {}).get("pattern", ""))
    formats = tuple(name for known, name in _PATTERNS if known.fullmatch(pattern))
    if formats:
        return replace(field, type=FieldType.TIME, time_formats=formats)
    if field.type is FieldType.DURATION:
        return replace(field, duration_formats=("iso8601",))
    return field


def _type_of(signature: str, classes: Mapping[str, JavaClass]) -> _Type:
    if signature.startswith("["):
        return _list_of(_type_of(signature[1:], classes))
    generic = _GENERIC.fullmatch(signature)
    name = generic[1] if generic else signature.removeprefix("L").removesuffix(";")
    if name in _LISTS:
        return _list_of(_type_of(generic[2].lstrip("+-"), classes) if generic else _Type(FieldType.ANY))
    if name == "java/util/Optional" and generic:
        return _type_of(generic[2], classes)
    if name in _INSTANTS:
        return _Type(FieldType.TIME)
    if name in _PLAIN:
        return _Type(_PLAIN[name])
    java = classes.get(name)
    if java is None:
        return _Type(FieldType.ANY)
    if java.is_enum:
        return _Type(FieldType.STRING, ids=enum_members(java)[1])
    return _Type(FieldType.OBJECT, of=name)


def _list_of(item: _Type) -> _Type:
    return _Type(FieldType.ARRAY, of=item.of) if item.kind is FieldType.OBJECT else _Type(FieldType.ANY)


def _accessors(java: JavaClass) -> dict[str, list[Annotations]]:
    """The annotations of getters and setters, by the property that they belong to."""
    found: dict[str, list[Annotations]] = {}
    for method in java.methods:
        name = _bean_name(method)
        if name and method.annotations:
            found.setdefault(name, []).append(method.annotations)
    return found


def _bean_name(method: JavaMethod) -> str:
    for prefix in ("get", "set", "is"):
        rest = method.name.removeprefix(prefix)
        if rest != method.name and rest[:1].isupper():
            return rest[0].lower() + rest[1:]
    return method.name


def _named(annotations: Annotations) -> str:
    """The name that an annotation gives, or ""."""
    for annotation in _NAMING:
        value = annotations.get(annotation, {}).get("value")
        if isinstance(value, str) and value:
            return value
    return ""


def _styled(name: str, java: JavaClass) -> str:
    """The name under the class's naming strategy."""
    strategy = str(java.annotations.get("JsonNaming", {}).get("value", ""))
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).split()
    if "SnakeCase" in strategy and "UpperSnake" not in strategy:
        return "_".join(words).lower()
    if "KebabCase" in strategy:
        return "-".join(words).lower()
    if "UpperCamel" in strategy or "PascalCase" in strategy:
        return name[:1].upper() + name[1:]
    if "LowerCase" in strategy:
        return name.lower()
    return name
