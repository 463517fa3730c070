"""flex-wfm-sim theory: simulated queues against the formulas of Erlang and Palm."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator.cli.numbers import FiniteRange

if TYPE_CHECKING:
    from simulator.theory.fit import Check

_POSITIVE = FiniteRange(0, min_open=True)


@click.command()
@click.option("--agents", default=8, show_default=True, type=click.IntRange(1, 1000))
@click.option("--calls-per-hour", default=136.0, show_default=True, type=_POSITIVE)
@click.option("--talk-s", default=180.0, show_default=True, type=_POSITIVE, help="Mean talk, exponential.")
@click.option("--patience-s", default=120.0, show_default=True, type=_POSITIVE, help="Mean patience, exponential.")
@click.option("--runs", default=8, show_default=True, type=click.IntRange(3, 1000), help="Independent runs of each.")
@click.option("--hours", default=24.0, show_default=True, type=_POSITIVE, help="Virtual hours of each run.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0), help="Of the first run.")
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the checks here.")
def theory(
    agents: int,
    calls_per_hour: float,
    talk_s: float,
    patience_s: float,
    runs: int,
    hours: float,
    seed: int,
    json_file: Path | None,
) -> None:
    """Compare simulated queues with Erlang C and Erlang A: waits, abandons, occupancy, Little's law, talk times.

    Exit code 0: everything fits.
    """
    from simulator.cli.scenario_options import command_again
    from simulator.theory.checks import Textbook, textbook_checks

    given = {"agents": agents, "calls_per_hour": calls_per_hour, "talk_s": talk_s, "runs": runs, "hours": hours}
    textbooks = [Textbook(**given, seed=seed, patience_s=patience_s)]  # type: ignore[arg-type]
    if calls_per_hour * talk_s / 3600 < agents:
        textbooks.insert(0, Textbook(**given, seed=seed, patience_s=None))  # type: ignore[arg-type]
    else:
        click.echo("More calls come than agents can take, so Erlang C has no answer: Erlang A alone is compared.")
    checks = [check for textbook in textbooks for check in textbook_checks(textbook)]
    show_checks(checks)
    write_checks(checks, json_file)
    if not all(check.fits for check in checks):
        again = command_again("theory", **given, patience_s=patience_s, seed=seed)
        click.echo(f"Not everything fits. Repeat it with:\n  {again}", err=True)
        raise SystemExit(1)


def show_checks(checks: Sequence[Check]) -> None:
    """The checks as a table for each subject, and how many of them fit."""
    from simulator.theory.fit import SIGNIFICANCE

    subject = ""
    for check in checks:
        if check.subject != subject:
            subject = check.subject
            click.echo(f"\n{subject:48}{'theory':>10}{'measured':>12}  {'test':10}{'of':>8}{'p':>8}")
        click.echo(
            f"  {check.name:46}{check.theory:10.4g}{check.measured:12.4g}  {check.test:10}{check.count:8,}"
            f"{check.probability:8.3f}  {'fits' if check.fits else 'DOES NOT FIT'}"
        )
    fitting = sum(check.fits for check in checks)
    click.echo(
        f"\n{fitting} of {len(checks)} fit. p is the probability of such a difference by chance: it must be at least "
        f"{SIGNIFICANCE:g}.\nt: Student's test of a mean; KS: the test of a distribution by Kolmogorov and Smirnov."
    )


def write_checks(checks: Sequence[Check], json_file: Path | None) -> None:
    """The checks as JSON."""
    if json_file is not None:
        try:
            json_file.write_text(json.dumps([check.to_dict() for check in checks], indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            raise click.ClickException(f"{json_file} cannot be written: {error.strerror}") from error
