"""Reads a source piece by piece: as one text or as blocks of lines, with bounds on what is held in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import IO

LARGEST_TEXT_BYTES = 256 << 20
LARGEST_LINE_BYTES = 32 << 20
LARGEST_BLOCK_BYTES = 1 << 20  # with its objects, a block takes some ten times as much memory
_FIRST_PIECE = 1 << 20


class TooLarge(OSError):
    """A text or a line is larger than is read."""

    repair = "Cut it into smaller ones; of values on lines of their own (.ndjson) there may be any number."


class Stream:
    """A source that was opened; it looks at the beginning to see whether there is one value on each line.

    Args:
        stream: the bytes.
        by_line: the source's name says so already.
    """

    def __init__(self, stream: IO[bytes], *, by_line: bool) -> None:
        self._stream = stream
        self._first: list[bytes] = []
        self.by_line = by_line or self._looks_so()

    def _looks_so(self) -> bool:
        """Whether the first line that is not blank is a value of its own and another line follows."""
        size = 0
        while size < _FIRST_PIECE and (line := self._stream.readline(_FIRST_PIECE)):
            self._first.append(line)
            size += len(line)
            if not line.strip():
                continue
            if not line.endswith(b"\n") or not _is_value(line):
                return False
            return self._something_follows()
        return False

    def _something_follows(self) -> bool:
        while line := self._stream.readline(_FIRST_PIECE):
            self._first.append(line)
            if line.strip():
                return True
        return False

    def whole(self) -> bytes:
        """The whole text."""
        before = b"".join(self._first)
        data = before + self._stream.read(LARGEST_TEXT_BYTES + 1 - len(before))
        if len(data) > LARGEST_TEXT_BYTES:
            raise TooLarge(
                0, f"is larger than {LARGEST_TEXT_BYTES >> 20} MiB; write one payload on each line (.ndjson)"
            )
        return data

    def blocks(self, size: int) -> Iterator[tuple[int, list[bytes]]]:
        """(number of the first line, lines) of each block of `size` lines; fewer of long lines, and at the end."""
        number, block, held_bytes = 1, [], 0
        for line in self._lines():
            block.append(line)
            held_bytes += len(line)
            if len(block) == size or held_bytes >= LARGEST_BLOCK_BYTES:
                yield number, block
                number += len(block)
                block, held_bytes = [], 0
        if block:
            yield number, block

    def _lines(self) -> Iterator[bytes]:
        pending = b""
        for piece in self._first:
            pending += piece
            if piece.endswith(b"\n"):
                yield pending
                pending = b""
        if pending:
            yield pending + self._stream.readline(LARGEST_LINE_BYTES)
        while line := self._stream.readline(LARGEST_LINE_BYTES):
            if len(line) == LARGEST_LINE_BYTES and not line.endswith(b"\n"):
                raise TooLarge(0, f"has a line of more than {LARGEST_LINE_BYTES >> 20} MiB")
            yield line


def _is_value(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True
