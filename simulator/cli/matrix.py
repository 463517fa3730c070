"""flex-wfm-sim matrix: each fault alone, mixtures, crashes and outages, each run judged when its trouble is over."""

from __future__ import annotations

import fnmatch
import json
import os
import signal
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from simulator.cli.demo import interrupt, make_empty, write_verdict
from simulator.cli.numbers import FiniteRange

_KINDS = (
    ("fault alone", "faults alone"),
    ("mixture", "mixtures"),
    ("crash run", "crash runs"),
    ("outage", "outages"),
    ("scenario", "scenarios"),
)


@click.command()
@click.option(
    "--mixtures", default=50, show_default=True, type=click.IntRange(0), help="How many, drawn from the seed."
)
@click.option("--crashes", default=10, show_default=True, type=click.IntRange(0), help="Runs with twelve deaths each.")
@click.option("--wfm-hours", default=72.0, show_default=True, type=FiniteRange(0), help="The WFM is away; 0: not.")
@click.option(
    "--intake-hours", default=4.0, show_default=True, type=FiniteRange(0), help="The connector is away; 0: not."
)
@click.option(
    "--scenario", metavar="NAME|FILE", help="Instead of all that: the floor of this scenario, with its [[faults]]."
)
@click.option("--seed", default=1, show_default=True, type=click.IntRange(1), help="Of floors, faults and mixtures.")
@click.option(
    "--only", multiple=True, metavar="NAME", help="Only cases of this name, `mixture-*` for example; repeatable."
)
@click.option(
    "--jobs",
    default=os.cpu_count() or 1,
    show_default="one for each processor",
    type=click.IntRange(1),
    help="At a time.",
)
@click.option(
    "--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write every outcome to this file."
)
def matrix(seed: int, only: tuple[str, ...], jobs: int, json_file: Path | None, **given: Any) -> None:
    """Prove that the connector outlives every fault.

    Each case is a small floor on virtual time: ten minutes of peace, half an hour of trouble, three quarters of an hour
    to settle, and half an hour in which the WFM must be told everything as if nothing had been. In the end the WFM must
    hold every report of the whole time, and the ledger every event.

    Exit code 0: every case is clean. 1: one is not, and the command that repeats it is shown.
    """
    from simulator.harness.matrix import run_matrix

    if json_file is not None:
        make_empty(json_file)
    cases = _cases(seed, given)
    chosen = [one for _, one in cases if not only or any(fnmatch.fnmatch(one.name, pattern) for pattern in only)]
    if not chosen:
        raise click.UsageError(
            f"there is no case {', '.join(only)}; cases are named like the faults, mixture-1, crash-1"
        )
    chosen.sort(key=lambda one: -one.trouble_minutes)  # the longest first, so that no job waits for it in the end
    kinds = {one.name: kind for kind, one in cases}
    began_s = time.perf_counter()
    outcomes = []
    signal.signal(signal.SIGTERM, interrupt)
    try:
        for outcome in run_matrix(chosen, jobs=jobs):
            outcomes.append(outcome)
            _show(outcome, len(outcomes), len(chosen), given, seed)
    except KeyboardInterrupt as error:
        click.echo("Interrupted.", err=True)
        raise SystemExit(130) from error
    _summarise(outcomes, kinds, time.perf_counter() - began_s)
    clean = all(one.clean for one in outcomes)
    if json_file is not None:
        verdict = {"clean": clean, "seed": seed, "cases": [one.to_dict() for one in outcomes]}
        unwritten = write_verdict(json_file, json.dumps(verdict, indent=2))
        if unwritten:
            raise click.ClickException(unwritten)
    raise SystemExit(0 if clean else 1)


def _cases(seed: int, given: dict[str, Any]) -> list[tuple[str, Any]]:
    from simulator.harness.matrix_cases import crashes, mixtures, outages, scripted, singles
    from simulator.world.scenario.files import ScenarioError, load_scenario

    name = given["scenario"]
    if name is not None:
        try:
            return [("scenario", scripted(load_scenario(name, {"seed": seed}), Path(name).stem))]
        except ScenarioError as error:
            raise click.ClickException(str(error)) from error
        except ValueError as error:
            raise click.ClickException(f"{name}: {error}") from error
    groups = (
        singles(seed),
        mixtures(given["mixtures"], seed),
        crashes(given["crashes"], seed),
        outages(given["wfm_hours"], given["intake_hours"], seed),
    )
    return [(kind, one) for (kind, _), group in zip(_KINDS, groups, strict=False) for one in group]


def _show(outcome: Any, number: int, of: int, given: dict[str, Any], seed: int) -> None:
    strikes = sum(outcome.struck.values())
    text = f"[{number}/{of}] {outcome.case.name:24} {strikes:6,} strikes, {outcome.wall_s:6.1f} s"
    if outcome.clean:
        click.echo(f"{text}  clean")
        return
    click.echo(f"{text}  NOT CLEAN")
    click.echo(f"    {', '.join(one.name for one in outcome.case.faults)}")
    for problem, times in outcome.problems.items():
        click.echo(f"    {times} x {problem}")
        for detail in outcome.details[problem][:1]:
            click.echo(f"        {detail[:400]}")
    words = (f"--{name.replace('_', '-')} {value}" for name, value in given.items() if value is not None)
    numbers = " ".join(words)
    click.echo(f"    again: flex-wfm-sim matrix --seed {seed} {numbers} --only {outcome.case.name}")


def _summarise(outcomes: Sequence[Any], kinds: dict[str, str], wall_s: float) -> None:
    tried: Counter[str] = Counter(kinds[one.case.name] for one in outcomes)
    clean: Counter[str] = Counter(kinds[one.case.name] for one in outcomes if one.clean)
    click.echo()
    for kind, plural in _KINDS:
        if tried[kind]:
            click.echo(f"{tried[kind]:5} {kind if tried[kind] == 1 else plural}: {clean[kind]} clean")
    strikes, deaths = (
        sum(values) for values in zip(*((sum(o.struck.values()), o.deaths) for o in outcomes), strict=True)
    )
    points = sum(one.deaths for one in outcomes if one.case.crashes)
    click.echo(f"{points:5} crash points in {tried['crash run']} runs; {deaths} deaths and {strikes:,} strikes in all")
    click.echo(f"{'clean' if sum(clean.values()) == len(outcomes) else 'NOT CLEAN'}, in {wall_s:.0f} s")
