"""The speed benchmark in its short form, and the file that benchmarks share."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

from check_files import ROOT


def test_the_benchmark_measures_both_programs() -> None:
    """Five lines, each with a rate and a memory above nothing."""
    script = ROOT / "benchmarks" / "validate.py"
    command = [sys.executable, str(script), "--rows", "600", "--peer-rows", "50", "--runs", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith(("| flex-wfm", "| check-jsonschema"))]
    assert len(lines) == 5
    assert not [line for line in lines if "| 0 MB |" in line]


def test_a_part_replaces_its_own_and_leaves_the_others(tmp_path: Path) -> None:
    """Whichever is written first."""
    spec = importlib.util.spec_from_file_location("parts", ROOT / "benchmarks" / "parts.py")
    assert spec is not None
    parts = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(parts)  # type: ignore[union-attr]
    target = tmp_path / "BENCHMARKS.md"
    parts.write_part("One", "first", target)
    parts.write_part("Two", "second", target)
    parts.write_part("One", "third\n\n| a |", target)
    assert target.read_text() == "# Benchmarks\n\n## One\n\nthird\n\n| a |\n\n## Two\n\nsecond\n"
