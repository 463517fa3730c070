"""Finds the paths of the service in classes: texts that look like one, with the names of what is around them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from flex_plugin_backend.wfm.contract.importer.classfile import Annotations, JavaClass, JavaMethod
from flex_plugin_backend.wfm.contract.importer.shapes import FoundPath

_PATH = re.compile(r"(?:/[A-Za-z0-9_.~-]+)+", re.ASCII)
_NOT_A_PATH = re.compile(r"\.(properties|xml|json|ya?ml|class|jks|pem|txt|html?)$|^/(META-INF|etc|tmp|var)\b")
_METHODS = ("GET", "POST", "PUT", "PATCH")
_CALLED = {"httpget": "GET", "httppost": "POST", "httpput": "PUT", "httppatch": "PATCH"}
_MAPPINGS = {"GetMapping": "GET", "PostMapping": "POST", "PutMapping": "PUT", "PatchMapping": "PATCH"}
_MAPPINGS |= {name: name for name in _METHODS}


def paths_of(classes: Iterable[JavaClass]) -> Iterator[FoundPath]:
    """Every path, once, with the words of all the places that it stands in."""
    found: dict[str, FoundPath] = {}
    for java in sorted(classes, key=lambda one: one.name):
        for one in _in_class(java):
            before = found.get(one.path)
            found[one.path] = one if before is None else _together(before, one)
    yield from found.values()


def _together(before: FoundPath, after: FoundPath) -> FoundPath:
    words = tuple(dict.fromkeys((*before.words, *after.words)))
    return replace(before, method=before.method or after.method, words=words)


def _in_class(java: JavaClass) -> Iterator[FoundPath]:
    for field in java.fields:
        path = _as_path(field.constant or "")
        if path:
            yield FoundPath(
                path=path,
                method="",
                words=(field.name, java.simple_name),
                where=f"constant {java.simple_name}.{field.name}",
            )
    base = _first_path(_mapped(java.annotations)[1])
    for method in java.methods:
        yield from _in_method(java, method, base)


def _in_method(java: JavaClass, method: JavaMethod, base: str) -> Iterator[FoundPath]:
    words = (method.name, java.simple_name)
    where = f"{java.simple_name}.{method.name}"
    verb, texts = _mapped(method.annotations)
    path = _first_path(texts)
    if path or (verb and base):
        yield FoundPath(path=base + path, method=verb, words=words, where=where)
    verb = _verb_in(method)
    for text in method.texts:
        path = _as_path(text)
        if path:
            yield FoundPath(path=path, method=verb, words=words, where=where)


def _mapped(annotations: Annotations) -> tuple[str, list[str]]:
    """HTTP method and texts of the annotations that declare a call (JAX-RS, Spring, Feign)."""
    verb, texts = "", []
    for name, values in annotations.items():
        verb = verb or _MAPPINGS.get(name, "")
        for value in values.values():
            for text in value if isinstance(value, list) else [value]:
                if isinstance(text, str):
                    first, _, rest = text.partition(" ")
                    verb = verb or (first if first in _METHODS else "")
                    texts.append(rest if first in _METHODS else text)
    return verb, texts


def _first_path(texts: Iterable[str]) -> str:
    return next((path for text in texts if (path := _as_path(text))), "")


def _verb_in(method: JavaMethod) -> str:
    """The one HTTP method that a method names, by text or by what it calls."""
    found = {text for text in method.texts if text in _METHODS}
    for call in method.calls:
        # `get` and `put` are every map's; the others are an HTTP client's only.
        name = call.upper() if call in ("post", "patch") else call
        found |= {name} & set(_METHODS)
        found |= {verb for known, verb in _CALLED.items() if known in call.lower()}
    return found.pop() if len(found) == 1 else ""


def _as_path(text: str) -> str:
    """The path in a text; "" where there is none. \\x01 marks a part that is put in at run time."""
    for part in re.split(r"\x01|%s|\{[^/]*\}|\$\{[^}]*\}", text):
        candidate = part.split("?")[0].rstrip("/")
        if _PATH.fullmatch(candidate) and not _NOT_A_PATH.search(candidate) and any(map(str.isalpha, candidate)):
            return candidate
    return ""
