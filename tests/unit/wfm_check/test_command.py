"""flex-wfm validate as it is typed: exit codes, pairs of -f and -o, annotations, baseline, start-up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from check_files import Put, activity, state, states
from click.testing import CliRunner, Result

from flex_plugin_backend.cli import main

BAD = states(state(event="ELSEWHERE"))


def _validate(*args: object, stdin: bytes | None = None, **env: str) -> Result:
    runner = CliRunner(env={"GITHUB_ACTIONS": "", **env})
    return runner.invoke(main, ["validate", *map(str, args)], input=stdin)


def test_exit_codes(put: Put, tmp_path: Path) -> None:
    """0 clean, 1 findings, 2 usage, 3 unread or nothing checked; unread outweighs findings."""
    good, bad, warned = (
        put("good.json", states()),
        put("bad.json", BAD),
        put("warn.json", b"\xef\xbb\xbf" + b'{"acdType":"T","agentStates":[]}'),
    )
    assert _validate(good).exit_code == 0
    assert _validate(good, bad).exit_code == 1
    assert _validate(warned).exit_code == 0
    assert _validate(warned, "--strict").exit_code == 1
    assert _validate(put("none.json", "[]")).exit_code == 3
    assert _validate(tmp_path / "missing", bad).exit_code == 3
    for wrong in ([], [good, "--profile", "nothing"], [good, "--kind", "Nothing"], [good, "-f", "nothing"],
                  [good, "--baseline", tmp_path / "nothing"], [good, "--write-baseline"], [good, "--now", "soon"],
                  [good, "-f", "json", "-o", tmp_path / "no" / "folder"]):  # fmt: skip
        outcome = _validate(*wrong)
        assert outcome.exit_code == 2, wrong
        assert "Error: " in outcome.output


def test_several_formats_at_once(put: Put, tmp_path: Path) -> None:
    """Each -o belongs to the -f before it; the one without goes to standard output."""
    bad, junit, sarif = put("bad.json", BAD), tmp_path / "junit.xml", tmp_path / "out.sarif"
    outcome = _validate("-f", "junit", "-o", junit, "-f", "text", "--output", sarif, bad, "-f", "ndjson")
    assert outcome.exit_code == 1
    assert junit.read_text().startswith("<?xml")
    assert "error M06" in sarif.read_text()
    assert json.loads(outcome.output.splitlines()[0])["rule"] == "M06"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["-o", "x", "-f", "json"], "no -f before it"),
        (["-f", "json", "-o", "x", "-o", "y"], "no -f before it"),
        (["-f", "json", "-f", "text"], "standard output"),
        (["-f", "json", "-o", "x", "-f", "text", "-o", "x"], "two formats go to x"),
    ],
)
def test_pairs_that_make_no_sense_are_refused(put: Put, args: list[str], words: str) -> None:
    """Before anything is checked."""
    outcome = _validate(put("good.json", states()), *args)
    assert outcome.exit_code == 2
    assert words in outcome.output


def test_annotations_come_by_themselves_in_a_github_job(put: Put, tmp_path: Path) -> None:
    """Beside text; not into JSON, not twice, not elsewhere."""
    bad = put("bad.json", BAD)
    assert "::error" not in _validate(bad).output
    assert "::error" in _validate(bad, GITHUB_ACTIONS="true").output
    assert "::error" in _validate(bad, "-f", "json", "-o", tmp_path / "x", GITHUB_ACTIONS="true").output
    assert (
        _validate(bad, "-f", "text", "-f", "github", "-o", tmp_path / "x", GITHUB_ACTIONS="true").output.count("::")
        == 0
    )
    json.loads(_validate(bad, "-f", "json", GITHUB_ACTIONS="true").output)


def test_standard_input_is_read(put: Put) -> None:
    """`-`, with findings under the name <stdin>."""
    outcome = _validate("-", stdin=json.dumps(BAD).encode())
    assert outcome.exit_code == 1
    assert outcome.output.startswith("<stdin>:1:")


def test_a_baseline_is_written_and_used(put: Put, tmp_path: Path) -> None:
    """Written once, the run is clean; with a date that has passed it is not."""
    bad, file = put("bad.json", BAD), tmp_path / "baseline.json"
    assert _validate(bad, "--baseline", file, "--write-baseline").exit_code == 0
    assert _validate(bad, "--baseline", file).exit_code == 0
    assert _validate(bad, "--baseline", file, "--write-baseline", "--expires", "2020-01-31").exit_code == 0
    outcome = _validate(bad, "--baseline", file)
    assert outcome.exit_code == 1
    assert "has expired" in outcome.output


def test_what_the_command_writes_is_not_checked(put: Put, tmp_path: Path) -> None:
    """Baseline and reports may lie in the folder that is checked."""
    put("bad.json", BAD)
    args = (tmp_path, "--baseline", tmp_path / "base.json", "-f", "gitlab", "-o", tmp_path / "quality.json")
    assert _validate(*args, "--write-baseline").exit_code == 0
    assert _validate(*args).exit_code == 0
    assert _validate(*args, "-f", "text").output.startswith("Nothing found in 1 payload of 1 file")


def test_the_limit_is_stated(put: Put) -> None:
    """What is not listed is counted."""
    path = put("a.ndjson", [activity(minute=at, duration=61) for at in range(5)])
    outcome = _validate(path, "--max-findings", 2)
    assert "3 further findings not listed: 3 of M16" in outcome.output
    assert _validate(path, "--max-findings", 0).output.count("error M16") == 5


def test_the_clock_may_be_set(put: Put) -> None:
    """An interval of the past is still running at a time within it."""
    from check_files import report

    path = put("a.json", report(1))
    assert _validate(path).exit_code == 0
    assert _validate(path, "--now", "2026-03-02T09:20:00Z").exit_code == 1


def test_the_command_starts_without_what_it_does_not_need(put: Put) -> None:
    """No web server, store, Twilio client or terminal library is imported on the way to a clean answer."""
    unwanted = ("flask", "sqlalchemy", "twilio", "granian", "httpx", "pydantic", "rich", "requests", "structlog")
    code = (
        "import sys\nfrom flex_plugin_backend.cli import main\n"
        f"main(['validate', {str(put('a.json', states()))!r}], standalone_mode=False)\n"
        f"print([name for name in {unwanted} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_payload_that_cannot_be_printed_is_escaped(put: Put) -> None:
    """A terminal that knows ASCII alone gets an escape, no traceback."""
    path = put("ä.json", states(state(event="Pause\u200b☕")))
    done = subprocess.run(
        [sys.executable, "-m", "flex_plugin_backend", "validate", str(path)],
        capture_output=True, env={"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert b"\\u2615" in done.stdout


@pytest.mark.parametrize("buffered", [True, False])
def test_a_full_disk_is_an_error_in_words(put: Put, buffered: bool) -> None:
    """On standard output as in a file, however Python buffers it."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    if not buffered:
        environment["PYTHONUNBUFFERED"] = "1"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "flex_plugin_backend", "validate", str(put("a.json", BAD))],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False, env=environment,
        )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert "Standard output cannot be written: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
