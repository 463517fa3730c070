"""BENCHMARKS.md in parts: each script writes its own, and leaves those of the others as they are."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "BENCHMARKS.md"


def machine() -> str:
    """The machine and the day, as every part states them."""
    python = platform.python_version()
    where = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {python}"
    return f"{where}; {datetime.now(UTC):%Y-%m-%d}"


def write_part(title: str, text: str, target: Path = TARGET) -> None:
    """Put a part (a heading of the second level and what follows) in place of the one with its title, or at the end."""
    whole = target.read_text(encoding="utf-8") if target.exists() else "# Benchmarks\n"
    head, *parts = whole.split("\n## ")
    kept = [part.rstrip() for part in parts]
    new = f"{title}\n\n{text}".rstrip()
    titles = [part.partition("\n")[0] for part in kept]
    if title in titles:
        kept[titles.index(title)] = new
    else:
        kept.append(new)
    target.write_text("\n\n## ".join([head.rstrip(), *kept]) + "\n", encoding="utf-8")
