"""Reads a Java class file without Java: fields, annotations, enum constants, and the texts that its methods load."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flex_plugin_backend.wfm.contract.importer import opcodes

_MAGIC = 0xCAFEBABE
ACC_STATIC, ACC_TRANSIENT, ACC_SYNTHETIC, ACC_ENUM = 0x0008, 0x0080, 0x1000, 0x4000

_UTF8, _INTEGER, _LONG, _DOUBLE, _CLASS, _STRING, _INVOKE_DYNAMIC = 1, 3, 5, 6, 7, 8, 18
# JVM specification 4.4: bytes of each kind of constant behind its tag.
_SIZES = {3: 4, 4: 4, 5: 8, 6: 8, 7: 2, 8: 2, 9: 4, 10: 4, 11: 4, 12: 4, 15: 3, 16: 2, 17: 4, 18: 4, 19: 2, 20: 2}

Annotations = Mapping[str, Mapping[str, Any]]


class ClassFileError(ValueError):
    """The bytes are no class file that can be read."""


@dataclass(frozen=True, slots=True)
class JavaField:
    """One field: `signature` is the generic type where the compiler kept one, else the plain descriptor.

    Attributes:
        constant: the text of a `static final String`.
        annotations: by simple name, their values by name.
    """

    name: str
    signature: str
    flags: int
    constant: str | None
    annotations: Annotations


@dataclass(frozen=True, slots=True)
class JavaMethod:
    """One method: the texts it loads in order, and the methods that it calls.

    Attributes:
        parameter_annotations: one entry per annotated parameter list position.
        enum_texts: in a static initialiser, the texts loaded before each static field was set, by that field's name.
    """

    name: str
    descriptor: str
    flags: int
    texts: tuple[str, ...]
    calls: tuple[str, ...]
    annotations: Annotations
    parameter_annotations: tuple[Annotations, ...]
    enum_texts: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class JavaClass:
    """One class; names with slashes as in the file (`com/nice/AgentState`).

    Attributes:
        texts: every text constant of the class, those of string concatenations included.
    """

    name: str
    parent: str
    flags: int
    fields: tuple[JavaField, ...]
    methods: tuple[JavaMethod, ...]
    annotations: Annotations
    texts: tuple[str, ...]

    @property
    def simple_name(self) -> str:
        """The name without package and outer class."""
        return self.name.rpartition("/")[2].rpartition("$")[2]

    @property
    def is_enum(self) -> bool:
        """Is it an enum."""
        return bool(self.flags & ACC_ENUM)


def read_class(content: bytes) -> JavaClass:
    """The class in these bytes.

    Raises:
        ClassFileError: they are no class file, or a damaged one.
    """
    try:
        return _Reader(content).read()
    except (struct.error, IndexError, KeyError, TypeError, ValueError) as error:
        raise ClassFileError(f"it is no readable class file ({error})") from error


@dataclass(slots=True)
class _Parts:
    """What the attributes of a class, field or method say."""

    signature: str = ""
    constant: int = 0
    annotations: dict[str, dict[str, Any]] = field(default_factory=dict)
    parameters: list[dict[str, dict[str, Any]]] = field(default_factory=list)
    code: bytes = b""
    bootstraps: list[tuple[int, ...]] = field(default_factory=list)


class _Reader:
    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0
        self._pool: list[Any] = [None]
        self._tags: list[int] = [0]
        self._bootstraps: list[tuple[int, ...]] = []

    def read(self) -> JavaClass:
        magic, _minor, _major = self._take(">IHH")
        if magic != _MAGIC:
            raise ValueError("the first four bytes are not those of a class file")
        self._read_pool()
        flags, this, parent = self._take(">HHH")
        (interfaces,) = self._take(">H")
        self._at += 2 * interfaces
        members = self._at
        self._skip_members()
        self._skip_members()
        parts = self._attributes()
        # The members come first in the file, but their code leans on the class's bootstrap methods.
        self._bootstraps = parts.bootstraps
        self._at = members
        fields = tuple(self._field() for _ in range(self._take(">H")[0]))
        methods = tuple(self._method() for _ in range(self._take(">H")[0]))
        texts = [self._utf8(value) for tag, value in zip(self._tags, self._pool, strict=True) if tag == _STRING]
        return JavaClass(
            name=self._class_name(this),
            parent=self._class_name(parent) if parent else "",
            flags=flags,
            fields=fields,
            methods=methods,
            annotations=parts.annotations,
            texts=tuple(texts),
        )

    # ------------------------------------------------------------------------------------------ constants

    def _read_pool(self) -> None:
        (count,) = self._take(">H")
        while len(self._pool) < count:
            (tag,) = self._take(">B")
            if tag == _UTF8:
                (length,) = self._take(">H")
                # Java's own UTF-8: zero as two bytes, characters beyond the basic plane as two surrogates.
                raw = self._bytes(length).replace(b"\xc0\x80", b"\0").decode("utf-8", "surrogatepass")
                value: Any = raw.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            elif tag == _INTEGER:
                (value,) = self._take(">i")
            elif tag in (_CLASS, _STRING):
                (value,) = self._take(">H")
            else:
                value = self._bytes(_SIZES[tag])
            self._pool.append(value)
            self._tags.append(tag)
            if tag in (_LONG, _DOUBLE):  # they take two places
                self._pool.append(None)
                self._tags.append(0)

    def _utf8(self, index: int) -> str:
        value = self._pool[index]
        if not isinstance(value, str):
            raise TypeError(f"constant {index} is no text")
        return value

    def _class_name(self, index: int) -> str:
        return self._utf8(self._pool[index])

    def _member_name(self, index: int) -> str:
        """The name of the field or method that a reference, or a call made at run time, names."""
        _, name_and_type = struct.unpack(">HH", self._pool[index])
        return self._utf8(struct.unpack(">HH", self._pool[name_and_type])[0])

    # -------------------------------------------------------------------------------------------- members

    def _field(self) -> JavaField:
        flags, name, descriptor = self._take(">HHH")
        parts = self._attributes()
        is_text = parts.constant and self._tags[parts.constant] == _STRING
        return JavaField(
            name=self._utf8(name),
            signature=parts.signature or self._utf8(descriptor),
            flags=flags,
            constant=self._utf8(self._pool[parts.constant]) if is_text else None,
            annotations=parts.annotations,
        )

    def _method(self) -> JavaMethod:
        flags, name, descriptor = self._take(">HHH")
        parts = self._attributes()
        texts: list[str] = []
        calls: list[str] = []
        enum_texts: dict[str, tuple[str, ...]] = {}
        since = 0
        for opcode, index in opcodes.walk(parts.code):
            if opcode in (opcodes.LDC, opcodes.LDC_W) and self._tags[index] == _STRING:
                texts.append(self._utf8(self._pool[index]))
            elif opcode == opcodes.PUTSTATIC:
                enum_texts[self._member_name(index)] = tuple(texts[since:])
                since = len(texts)
            elif opcode in opcodes.INVOKE:
                calls.append(self._member_name(index))
                texts.extend(self._recipe(index))
        return JavaMethod(
            name=self._utf8(name),
            descriptor=parts.signature or self._utf8(descriptor),
            flags=flags,
            texts=tuple(texts),
            calls=tuple(calls),
            annotations=parts.annotations,
            parameter_annotations=tuple(parts.parameters),
            enum_texts=enum_texts,
        )

    def _recipe(self, index: int) -> list[str]:
        """The texts that a call made at run time is given, such as the fixed parts of a string concatenation."""
        if self._tags[index] != _INVOKE_DYNAMIC:
            return []
        (bootstrap,) = struct.unpack_from(">H", self._pool[index])
        return [self._utf8(self._pool[one]) for one in self._bootstraps[bootstrap] if self._tags[one] == _STRING]

    def _skip_members(self) -> None:
        for _ in range(self._take(">H")[0]):
            self._at += 6
            for _ in range(self._take(">H")[0]):
                _, length = self._take(">HI")
                self._at += length

    def _attributes(self) -> _Parts:
        parts = _Parts()
        for _ in range(self._take(">H")[0]):
            name, length = self._take(">HI")
            end = self._at + length
            if end > len(self._content):
                raise ValueError("an attribute is cut off")
            match self._utf8(name):
                case "Signature":
                    parts.signature = self._utf8(self._take(">H")[0])
                case "ConstantValue":
                    (parts.constant,) = self._take(">H")
                case "Code":
                    self._at += 4
                    parts.code = self._bytes(self._take(">I")[0])
                case "BootstrapMethods":
                    parts.bootstraps = [self._bootstrap() for _ in range(self._take(">H")[0])]
                case "RuntimeVisibleAnnotations" | "RuntimeInvisibleAnnotations":
                    parts.annotations |= self._annotations()
                case "RuntimeVisibleParameterAnnotations" | "RuntimeInvisibleParameterAnnotations":
                    parts.parameters = [self._annotations() for _ in range(self._take(">B")[0])]
            self._at = end
        return parts

    def _bootstrap(self) -> tuple[int, ...]:
        _, count = self._take(">HH")
        return self._take(f">{count}H")

    # ---------------------------------------------------------------------------------------- annotations

    def _annotations(self) -> dict[str, dict[str, Any]]:
        return dict(self._annotation() for _ in range(self._take(">H")[0]))

    def _annotation(self) -> tuple[str, dict[str, Any]]:
        kind, pairs = self._take(">HH")
        values: dict[str, Any] = {}
        for _ in range(pairs):
            (name,) = self._take(">H")
            values[self._utf8(name)] = self._element()
        return _class_of(self._utf8(kind)).rpartition("/")[2].rpartition("$")[2], values

    def _element(self) -> Any:
        tag = chr(self._take(">B")[0])
        if tag == "e":
            return self._utf8(self._take(">HH")[1])
        if tag == "@":
            return self._annotation()
        if tag == "[":
            return [self._element() for _ in range(self._take(">H")[0])]
        value = self._pool[self._take(">H")[0]]
        if tag == "c":
            return _class_of(str(value))
        return bool(value) if tag == "Z" else value

    # ---------------------------------------------------------------------------------------------- bytes

    def _take(self, form: str) -> tuple[Any, ...]:
        values = struct.unpack_from(form, self._content, self._at)
        self._at += struct.calcsize(form)
        return values

    def _bytes(self, length: int) -> bytes:
        if self._at + length > len(self._content):
            raise ValueError("it is cut off")
        found = self._content[self._at : self._at + length]
        self._at += length
        return found


def _class_of(descriptor: str) -> str:
    """`Lcom/nice/Agent;` -> `com/nice/Agent`."""
    return descriptor.removeprefix("L").removesuffix(";")
