"""docs/scenarios.md tells of every parameter and every ready scenario."""

from __future__ import annotations

import re
from pathlib import Path

from simulator.world.scenario.files import load_scenario, ready_scenarios
from simulator.world.scenario.reference import reference

PAGE = (Path(__file__).parents[3] / "docs" / "scenarios.md").read_text("utf-8")


def test_the_reference_in_the_docs_is_the_one_of_the_code() -> None:
    """`python -m simulator.world.scenario.reference` prints what stands at the end of the page."""
    assert PAGE.endswith("## Every parameter\n\n" + reference())


def test_the_page_names_the_ready_scenarios_with_their_titles() -> None:
    """One row each."""
    for name, title in ready_scenarios().items():
        assert f"| `{name}` | {title} |" in PAGE


def test_the_examples_on_the_page_run(tmp_path: Path) -> None:
    """The file loads, and the program does what it says."""
    (file,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "own.toml"
    path.write_text(file, "utf-8")
    assert load_scenario(str(path)).spikes[0].minutes == 45
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(program, "docs/scenarios.md", "exec"), {})
