"""Which files a command line stands for, and what becomes of those that cannot be read."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from check_files import TODAY, Put, Run, state, states

from flex_plugin_backend.wfm.contract.check import Options, check, find

GOOD = states(state())


def _names(root: Path, *paths: object) -> list[str]:
    sources, unread = find(map(str, paths))
    assert unread == []
    return [os.path.relpath(source.name, root) for source in sources]


def test_a_folder_stands_for_the_payload_files_below_it(put: Put, tmp_path: Path) -> None:
    """Other files and hidden folders are passed over; the order is that of the names."""
    for name in ("b.json", "a/z.jsonl", "a/b/x.ndjson", "c.json.gz", "read.me", ".git/x.json"):
        put(name, "{}")
    assert _names(tmp_path, tmp_path) == ["a/b/x.ndjson", "a/z.jsonl", "b.json", "c.json.gz"]


def test_a_pattern_stands_for_what_it_matches(put: Put, tmp_path: Path) -> None:
    """`*` and `**` as in a shell, each file once though it is named twice."""
    for name in ("a/1.json", "a/b/2.json", "3.json"):
        put(name, "{}")
    assert _names(tmp_path, tmp_path / "*.json") == ["3.json"]
    assert _names(tmp_path, tmp_path / "**" / "*.json", tmp_path / "3.json") == ["3.json", "a/1.json", "a/b/2.json"]


def test_a_file_whose_name_looks_like_a_pattern_is_a_file(put: Put, tmp_path: Path) -> None:
    """What is there under that very name is meant."""
    put("[1].json", "{}")
    put("1.json", "{}")
    assert _names(tmp_path, tmp_path / "[1].json") == ["[1].json"]


def test_folders_that_lead_back_to_themselves_end(put: Put, tmp_path: Path) -> None:
    """A link to a folder above is entered once."""
    put("a/1.json", "{}")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "linked").symlink_to(tmp_path / "a")
    assert len(_names(tmp_path, tmp_path)) == 1


def test_what_cannot_be_read_is_named_and_hides_nothing(put: Put, run: Run, tmp_path: Path) -> None:
    """A missing file, an empty folder and a pattern without a match; the good file is checked all the same."""
    put("good.json", GOOD)
    (tmp_path / "empty").mkdir()
    (tmp_path / "dangling.json").symlink_to(tmp_path / "nowhere")
    paths = ("missing.json", "empty", "*.nothing", "good.json", "dangling.json", "good.json/within.json")
    result = run(*(tmp_path / name for name in paths))
    problems = {Path(one.name).name: one.problem for one in result.unread}
    assert problems == {
        "missing.json": "no such file or directory",
        "dangling.json": "no such file or directory",
        "empty": "holds no file of *.json, *.ndjson, *.jsonl",
        "*.nothing": "matches no file",
        "within.json": "not a directory",
    }
    assert (result.payloads, result.exit) == (1, 3)


def test_a_name_with_a_line_feed_is_checked(put: Put, run: Run) -> None:
    """Whatever a file is called."""
    assert run(put("a\nb.json", GOOD)).payloads == 1


def test_standard_input(tmp_path: Path) -> None:
    """`-` is standard input: one value, or one on each line, by what stands there."""
    text = b'{"acdType":"T","agentStates":[]}'
    for content, number in ((text, 1), (text + b"\n" + text + b"\n", 2), (b"\n" + text + b"\n\n", 1)):
        sources, unread = find(["-"], io.BytesIO(content))
        result = check(sources, Options(today=TODAY), unread=unread)
        assert (result.payloads, list(result.findings)) == (number, [])


def test_a_closed_standard_input_is_unread() -> None:
    """No traceback where there is none."""
    sources, _ = find(["-"], None)
    result = check(sources, Options(today=TODAY))
    assert result.unread[0].problem.startswith("cannot be read")


def test_blocks_of_lines_are_bounded_in_number_and_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers of lines go on across blocks."""
    from flex_plugin_backend.wfm.contract.check import streams

    monkeypatch.setattr(streams, "LARGEST_BLOCK_BYTES", 10)
    lines = [b"1\n", b"2\n", b"3\n", b"123456789\n", b"5\n", b"12345678901234"]
    blocks = list(streams.Stream(io.BytesIO(b"".join(lines)), by_line=True).blocks(3))
    assert blocks == [(1, lines[:3]), (4, lines[3:4]), (5, lines[4:])]
