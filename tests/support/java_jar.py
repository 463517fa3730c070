"""Compiles Java sources of our own into a jar."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[2] / "fixtures" / "java"


def compile_jar(sources: Path, target: Path, *options: str) -> Path:
    """Compile all sources below a folder into one jar; skips where there is no Java compiler."""
    javac = shutil.which("javac")
    if javac is None:
        pytest.skip("javac is not installed: the jar under test cannot be compiled")
    classes = target / "classes"
    files = sorted(str(file) for file in sources.rglob("*.java"))
    done = subprocess.run([javac, *options, "-d", str(classes), *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    jar = target / "sdk.jar"
    with zipfile.ZipFile(jar, "w") as archive:
        for file in sorted(classes.rglob("*.class")):
            archive.write(file, file.relative_to(classes).as_posix())
    return jar
