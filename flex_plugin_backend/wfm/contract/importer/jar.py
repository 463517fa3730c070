"""Reads NICE's SDK jar: which objects its classes put into JSON, which paths they call, which ids they know."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from flex_plugin_backend.errors import ContractError
from flex_plugin_backend.wfm.contract.importer import javatypes
from flex_plugin_backend.wfm.contract.importer.classfile import ClassFileError, JavaClass, read_class
from flex_plugin_backend.wfm.contract.importer.javapaths import paths_of
from flex_plugin_backend.wfm.contract.importer.shapes import Evidence, FoundIds, Shape

SOURCE = "JAR"
MOST_CLASSES = 50_000
LARGEST_CLASS_BYTES = 4 << 20
LARGEST_INNER_JAR_BYTES = 256 << 20
_SHOWN_PROBLEMS = 20


def read_jar(path: Path) -> Evidence:
    """What the jar at `path` tells; a jar inside a jar is read too, one level deep.

    Raises:
        ContractError: it cannot be opened, or holds no class.
    """
    problems: list[str] = []
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        with zipfile.ZipFile(path) as jar:
            classes = {one.name: one for one in _classes(jar, problems, depth=0)}
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise ContractError(
            profile=str(path),
            problem=f"it cannot be read as a jar ({error})",
            repair="Give the .jar file as downloaded from CXone.",
        ) from error
    if not classes:
        why = f" ({problems[0]})" if problems else ""
        raise ContractError(profile=str(path), problem=f"it holds no class{why}", repair="Give the SDK's own jar.")
    return Evidence(
        source=SOURCE,
        address=f"{path.name}, sha256 {digest}",
        shapes=tuple(_shapes(classes)),
        paths=tuple(paths_of(classes.values())),
        ids=tuple(_ids(classes.values())),
        problems=tuple(problems[:_SHOWN_PROBLEMS]),
    )


def _classes(jar: zipfile.ZipFile, problems: list[str], depth: int) -> Iterator[JavaClass]:
    read = 0
    for entry in jar.infolist():
        name = entry.filename
        if name.endswith(".class"):
            if name.startswith("META-INF/") or name.rpartition("/")[2] in ("module-info.class", "package-info.class"):
                continue  # other versions of the same class, and what holds no members
            read += 1
            if read > MOST_CLASSES or entry.file_size > LARGEST_CLASS_BYTES:
                problems.append(f"{name}: left out, the jar is larger than is read")
                continue
            try:
                yield read_class(jar.read(entry))
            except (ClassFileError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
                problems.append(f"{name}: {error}")
        elif name.endswith(".jar") and depth == 0:
            if entry.file_size > LARGEST_INNER_JAR_BYTES:
                problems.append(f"{name}: left out, it is larger than is read")
                continue
            try:
                with zipfile.ZipFile(io.BytesIO(jar.read(entry))) as inner:
                    yield from _classes(inner, problems, depth + 1)
            except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
                problems.append(f"{name}: {error}")


def _shapes(classes: dict[str, JavaClass]) -> Iterator[Shape]:
    shapes = [
        Shape(key=one.name, label=one.simple_name, fields=fields, whole=True)
        for one in classes.values()
        if not one.is_enum and (fields := javatypes.properties(one, classes))
    ]
    inner = {field.of for shape in shapes for field in shape.fields if field.of}
    inner |= {one.parent for one in classes.values()}
    for shape in sorted(shapes, key=lambda shape: shape.key):
        yield Shape(
            key=shape.key,
            label=shape.label,
            fields=shape.fields,
            whole=True,
            root=shape.key not in inner,
        )


def _ids(classes: Iterable[JavaClass]) -> Iterator[FoundIds]:
    for one in sorted(classes, key=lambda found: found.name):
        if one.is_enum:
            names, values = javatypes.enum_members(one)
            if names:
                yield FoundIds(label=one.simple_name, names=names, values=values)
