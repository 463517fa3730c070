"""Turns the paths of a command line into sources of text: files, folders, patterns and standard input."""

from __future__ import annotations

import glob
import gzip
import os
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from flex_plugin_backend.wfm.contract.check.result import Unread

STDIN = "<stdin>"
SUFFIXES = (".json", ".ndjson", ".jsonl")
LINE_SUFFIXES = (".ndjson", ".jsonl")
READ_ERRORS = (OSError, EOFError, zlib.error)
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Source:
    """One text to check.

    Attributes:
        name: as it is shown; `<stdin>` for standard input.
        path: None for standard input.
        stdin: the stream, for standard input alone.
    """

    name: str
    path: Path | None
    stdin: IO[bytes] | None = None

    @property
    def by_line(self) -> bool:
        """Whether its name says that it holds one value on each line."""
        return self.name.removesuffix(".gz").endswith(LINE_SUFFIXES)

    @property
    def can_reopen(self) -> bool:
        """Whether it can be read a second time."""
        return self.path is not None and self.path.is_file()

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """The bytes, uncompressed where they are gzip; raises one of READ_ERRORS."""
        if self.stdin is not None or self.path is None:
            if self.stdin is None:
                raise OSError("standard input is closed")
            yield self.stdin
            return
        with self.path.open("rb") as stream:
            if stream.peek(2)[:2] != _GZIP:
                yield stream
                return
            with gzip.open(stream, "rb") as unpacked:
                yield unpacked  # type: ignore[misc]  # GzipFile reads bytes, whatever its stub says of IO


def find(paths: Iterable[str], stdin: IO[bytes] | None = None) -> tuple[list[Source], list[Unread]]:
    """The sources behind paths, each file once, in the order given and sorted within a folder or pattern.

    A folder stands for all files below it that end in .json, .ndjson or .jsonl (also with .gz behind); hidden folders
    are passed over and a folder is entered once, also through links. A file named outright is taken whatever it is
    called. A path that is no file and holds `*`, `?` or `[` is a pattern, in which `**` stands for any folders. `-` is
    standard input.
    """
    sources: dict[tuple[int, int] | str, Source] = {}
    unread: list[Unread] = []
    for path in paths:
        if path == "-":
            sources.setdefault(STDIN, Source(STDIN, None, stdin))
            continue
        for name in _expand(path, unread):
            sources.setdefault(_identity(name), Source(name, Path(name)))
    return list(sources.values()), unread


def _expand(path: str, unread: list[Unread]) -> Iterable[str]:
    if "\0" in path:
        unread.append(Unread(path, "is no path", "Give the name of a file or folder."))
        return []
    if Path(path).is_dir():
        return _folder(path, unread)
    if os.path.lexists(path) or not glob.has_magic(path):
        return [path]
    matches = sorted(glob.glob(path, recursive=True))  # noqa: PTH207  Path.glob takes no absolute pattern
    if not matches:
        unread.append(Unread(path, "matches no file", "Correct the pattern; quote it against the shell."))
    names: list[str] = []
    for match in matches:
        if not Path(match).is_dir():
            names.append(match)
        elif not match.endswith(os.sep) and "**" not in path:
            names.extend(_folder(match, unread))
    return names


def _folder(folder: str, unread: list[Unread]) -> list[str]:
    names: list[str] = []
    entered: set[tuple[int, int]] = set()

    def failed(error: OSError) -> None:
        unread.append(Unread(str(error.filename), _why(error), "Make it readable, or leave it out."))

    for where, inner, files in os.walk(folder, onerror=failed, followlinks=True):
        stat = os.stat(where)  # noqa: PTH116  as os.walk, so that one failure is handled in one way
        if (stat.st_dev, stat.st_ino) in entered:
            inner.clear()
            continue
        entered.add((stat.st_dev, stat.st_ino))
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        names.extend(str(Path(where, name)) for name in files if name.removesuffix(".gz").endswith(SUFFIXES))
    if not names and not any(item.name.startswith(folder) for item in unread):
        kinds = ", ".join(f"*{suffix}" for suffix in SUFFIXES)
        unread.append(Unread(folder, f"holds no file of {kinds}", "Name the folder of the payloads."))
    return sorted(names, key=lambda name: Path(name).parts)


def _identity(name: str) -> tuple[int, int] | str:
    try:
        stat = Path(name).stat()
    except (OSError, ValueError):
        return name
    return (stat.st_dev, stat.st_ino)


def unread(source: Source, error: BaseException) -> Unread:
    """Why a source could not be read."""
    return Unread(source.name, _why(error), getattr(error, "repair", "Make it readable, or leave it out."))


def _why(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[:1].lower() + error.strerror[1:]
    return f"cannot be read to its end ({error})"
