"""Reads the settings from their sources and turns everything that is wrong with them into one explained error."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from flex_plugin_backend.errors import SettingsError
from flex_plugin_backend.settings.checks import cross_check, early_check
from flex_plugin_backend.settings.parts import Part
from flex_plugin_backend.settings.problems import KeyPath, Problem, dotted
from flex_plugin_backend.settings.tree import SECRET_SUFFIXES, Settings, nested_model, secret_fields

ENV_PREFIX = "FLEX_WFM__"
ENV_CONFIG = "FLEX_WFM_CONFIG"
_GIVEN = "the settings given in code"
_NOWHERE = "no source"


class SeveralSettingsErrors(SettingsError):
    """More than one setting is wrong; all of them are listed."""

    template = "{count} settings are wrong:\n{listing}"


def load_settings(
    source: str | Path | Mapping[str, Any] | None = None, *, environ: Mapping[str, str] | None = None
) -> Settings:
    """Build the settings from a TOML file (or a mapping of the same shape), the environment and the secret files.

    Args:
        source: path of the TOML file, or its content as a mapping. None: the path in `FLEX_WFM_CONFIG`, or the
            environment alone.
        environ: the environment; `FLEX_WFM__SERVER__PORT=9000` overrides `[server] port`. None: the process's own.

    Raises:
        SettingsError: names every wrong setting, where its value came from and the repair, never a secret.
    """
    environ = os.environ if environ is None else environ
    if source is None:
        source = environ.get(ENV_CONFIG) or None
    loader = _Loader(environ)
    loader.read(source)
    loader.overlay_environment()
    data = loader.resolve(Settings, loader.data, ())
    loader.add(early_check(data))
    settings: Settings | None = None
    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        loader.explain(error)
    if settings is not None and not loader.problems:
        loader.add(cross_check(settings))
    if settings is None or loader.problems:
        raise _error(loader.problems)
    return settings


def _error(problems: list[Problem]) -> SettingsError:
    facts = [
        {"setting": p.setting, "source": p.source, "problem": p.problem, "repair": _sentence(p.repair)}
        for p in problems
    ]
    if len(problems) == 1:
        return SettingsError(problems=tuple(problems), **facts[0])
    listing = "\n".join(f"  - {SettingsError(**fact)}" for fact in facts)
    return SeveralSettingsErrors(
        problems=tuple(problems),
        count=len(problems),
        listing=listing,
        setting=", ".join(p.setting for p in problems),
    )


def _sentence(text: str) -> str:
    return text if text.endswith("?") else f"{text}."


@dataclass(frozen=True, slots=True)
class _Origin:
    label: str
    rank: int  # a higher one overrules: 0 the file or mapping, 1 the environment


class _Loader:
    """Gathers the values with their origin and every problem on the way."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.data: dict[str, Any] = {}
        self.problems: list[Problem] = []
        self.folder = Path()
        self._base = _Origin(_NOWHERE, 0)
        self._origins: dict[KeyPath, _Origin] = {}

    # -- sources ------------------------------------------------------------------------------------------------

    def read(self, source: str | Path | Mapping[str, Any] | None) -> None:
        if source is None:
            return
        if isinstance(source, Mapping):
            self.data, self._base = _copy(source), _Origin(_GIVEN, 0)
            return
        path = Path(source)
        self.folder = path.parent
        self._base = _Origin(f"file {path}", 0)
        try:
            self.data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        except OSError as error:
            reason = error.strerror or type(error).__name__
            self._stop("it cannot be read: " + reason, "Check the path, or write one with `flex-wfm init`", error)
        except UnicodeDecodeError as error:
            self._stop("it is not UTF-8 text", "Save it as UTF-8", error)
        except tomllib.TOMLDecodeError as error:
            # The parser's message names the place and may quote a single character, never a whole value.
            self._stop(f"it is not valid TOML ({error})", "Correct that line", error)

    def _stop(self, problem: str, repair: str, cause: Exception) -> None:
        raise SettingsError(
            setting="(the whole file)", source=self._base.label, problem=problem, repair=f"{repair}."
        ) from cause

    def overlay_environment(self) -> None:
        for name, value in sorted(self.environ.items()):
            if name.upper().startswith(ENV_PREFIX) and value != "":
                words = name[len(ENV_PREFIX) :].lower().split("__")
                self._place(self.data, Settings, words, value, (), _Origin(f"environment variable {name}", 1))

    def _place(
        self, table: dict[str, Any], model: type[Part] | None, words: list[str], value: str, path: KeyPath, at: _Origin
    ) -> None:
        """Put one environment variable where its name points; what no table knows is found later as unknown."""
        key, rest = words[0], words[1:]
        child: type[Part] | None = None
        if model is not None and key in model.model_fields:
            child, named = nested_model(model.model_fields[key].annotation)
            if named and rest:
                entries = _subtable(table, key)
                name = _existing(entries, rest[0])
                if len(rest) == 1:
                    entries[name] = value
                    self._origins[(*path, key, name)] = at
                else:
                    self._place(_subtable(entries, name), child, rest[1:], value, (*path, key, name), at)
                return
        elif model is None:
            key = _existing(table, key)
        if rest:
            if child is None and not isinstance(table.get(key), dict):
                self._origins[(*path, key)] = at  # no table of the tree: it is there only because of this variable
            self._place(_subtable(table, key), child, rest, value, (*path, key), at)
        else:
            table[key] = value
            self._origins[(*path, key)] = at

    def source_of(self, path: KeyPath) -> str:
        return self._origin(path).label

    def _origin(self, path: KeyPath) -> _Origin:
        for end in range(len(path), 0, -1):
            if path[:end] in self._origins:
                return self._origins[path[:end]]
        return self._base

    # -- secrets and unknown names ------------------------------------------------------------------------------

    def resolve(self, model: type[Part], table: object, path: KeyPath) -> Any:
        """The table with its secrets read and its unknown keys taken out (and reported)."""
        if not isinstance(table, dict):
            return table
        secrets = secret_fields(model)
        variants = {name + suffix: name for name in secrets for suffix in SECRET_SUFFIXES}
        result: dict[str, Any] = {}
        given: dict[str, list[str]] = {}
        for key, value in table.items():
            if key in variants or key in secrets:
                given.setdefault(variants.get(key) or key, []).append(key)
            elif key in model.model_fields:
                result[key] = self._resolve_field(model, key, value, (*path, key))
            else:
                self._unknown(key, [*model.model_fields, *variants], path)
        for name, keys in given.items():
            secret = self._secret(name, keys, table, path)
            if secret is not None:
                result[name] = secret
        return result

    def _resolve_field(self, model: type[Part], key: str, value: object, path: KeyPath) -> Any:
        child, named = nested_model(model.model_fields[key].annotation)
        if child is None:
            return value
        if named and isinstance(value, dict):
            return {name: self.resolve(child, entry, (*path, name)) for name, entry in value.items()}
        return self.resolve(child, value, path)

    def _unknown(self, key: str, known: list[str], path: KeyPath) -> None:
        close = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
        repair = f"Did you mean {close[0]}" if close else f"Known here: {', '.join(sorted(known))}"
        self._report((*path, key), "is not a setting", repair + ("?" if close else ""))

    def _secret(self, name: str, keys: list[str], table: dict[str, Any], path: KeyPath) -> str | None:
        """The secret's text; where both the file and the environment name one, the environment wins."""
        top = max(self._origin((*path, key)).rank for key in keys)
        keys = [key for key in keys if self._origin((*path, key)).rank == top]
        at = (*path, name)
        if len(keys) > 1:
            self._report((*path, keys[0]), f"is given more than once ({', '.join(keys)})", "Keep one of them")
            return None
        key, value = keys[0], table[keys[0]]
        if not isinstance(value, str):
            self._report((*path, key), "is not text", "Put it in quotes")
            return None
        self._origins[at] = origin = self._origin((*path, key))
        if key.endswith("_file") and key != name:
            # In the file a path is relative to that file; in the environment, to where the process was started.
            file = Path(value) if origin.rank else Path(self.folder, value)
            return self._secret_from_file(file, at, origin)
        if key.endswith("_env") and key != name:
            self._origins[at] = _Origin(f"environment variable {value}", origin.rank)
            text = self.environ.get(value, "").strip()
            if not text:
                self._report(at, f"is to come from {value}, which is not set or empty", f"Set {value}")
            return text or None
        return value

    def _secret_from_file(self, file: Path, at: KeyPath, origin: _Origin) -> str | None:
        self._origins[at] = _Origin(f"secret file {file}", origin.rank)
        try:
            text = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not text"
            self._report(at, f"cannot be read from its file: {reason}", "Write the secret there, or correct the path")
            return None
        if not text:
            self._report(at, "has an empty secret file", "Write the secret there")
        return text or None

    def add(self, found: Iterable[Problem]) -> None:
        """Take in what a check found, with the source of each."""
        for problem in found:
            path = tuple(problem.setting.split("."))
            self.problems.append(replace(problem, source=self.source_of(path)))

    # -- what the tree did not like -----------------------------------------------------------------------------

    def explain(self, error: ValidationError) -> None:
        """Turn the tree's own findings into problems; a secret that failed above is not reported twice."""
        reported = {problem.setting for problem in self.problems}
        for entry in error.errors(include_url=False, include_input=False):
            context = entry.get("ctx") or {}
            relative = context.get("setting", "") if entry["type"] == "flex_wfm" else ""
            path = (*(str(part) for part in entry["loc"]), *([relative] if relative else []))
            if dotted(path) in reported or any(r.startswith(dotted(path) + "_") for r in reported):
                continue
            if entry["type"] == "flex_wfm":
                self._report(path, context["problem"], context["repair"])
            elif entry["type"] == "missing":
                self._report(path, "is missing", self._how_to_give(path))
            else:
                self._report(path, _in_words(entry["msg"]), "See docs/configuration.md")

    def _how_to_give(self, path: KeyPath) -> str:
        model: type[Part] | None = Settings
        for part in path[:-1]:
            if model is not None and part in model.model_fields:
                model, _ = nested_model(model.model_fields[part].annotation)
        name = path[-1]
        variable = ENV_PREFIX + "__".join(part.upper().replace("-", "_") for part in path)
        if model is not None and name in secret_fields(model):
            return (
                f"Give {name}_file, {name}_env or {name} in [{dotted(path[:-1])}], or set the environment variable "
                f"{variable}"
            )
        if model is not None and name in model.model_fields and nested_model(model.model_fields[name].annotation)[0]:
            return f"Add the table [{dotted(path)}]; `flex-wfm init` writes an example"
        return f"Add {name} to [{dotted(path[:-1])}], or set the environment variable {variable}"

    def _report(self, path: KeyPath, problem: str, repair: str) -> None:
        self.problems.append(Problem(dotted(path), self.source_of(path), problem, repair))


def _copy(value: Any) -> Any:
    return {str(key): _copy(item) for key, item in value.items()} if isinstance(value, Mapping) else value


def _subtable(table: dict[str, Any], key: str) -> dict[str, Any]:
    found = table.get(key)
    if not isinstance(found, dict):
        found = table[key] = {}
    return found


def _existing(table: Mapping[str, Any], word: str) -> str:
    """The key of the file that an environment word means: case and `-` against `_` do not count."""
    for key in table:
        if key.lower().replace("-", "_") == word:
            return key
    return word


def _in_words(message: str) -> str:
    message = re.sub(r"^Input should be", "should be", message)
    return message[:1].lower() + message[1:]
