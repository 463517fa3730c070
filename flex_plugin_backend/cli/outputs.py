"""-f and -o: several formats at once, each to a file of its own or to standard output."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, TypeAlias, TypeVar

import click

Write: TypeAlias = Callable[[TextIO], None]
_ORDER = "flex_wfm.outputs.order"
_F = TypeVar("_F", bound=Callable[..., Any])


class PairedCommand(click.Command):
    """A command that remembers in which order -f and -o stood, and hands them over paired, as `outputs`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse twice: click keeps the order of options for itself."""
        _, _, order = self.make_parser(ctx).parse_args(args=list(args))
        ctx.meta[_ORDER] = [param.name for param in order if param.name in ("formats", "files")]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Pair what was given."""
        formats, files = ctx.params.pop("formats"), ctx.params.pop("files")
        ctx.params["outputs"] = paired(ctx.meta[_ORDER], formats, files)
        return super().invoke(ctx)


def output_options(formats: Sequence[str]) -> Callable[[_F], _F]:
    """The options -f and -o."""

    def add(command: _F) -> _F:
        file = click.option(
            "--output", "-o", "files", multiple=True, metavar="FILE", help="Where the -f before it goes."
        )
        form = click.option(
            "--format", "-f", "formats", multiple=True, type=click.Choice(formats), help="May be given several times."
        )
        return form(file(command))

    return add


@dataclass(frozen=True, slots=True)
class Output:
    """A format, and the file it goes to; None is standard output."""

    format: str
    file: Path | None


@dataclass(frozen=True, slots=True)
class Outputs:
    """All outputs of a run."""

    items: tuple[Output, ...]

    def write(self, writer: Callable[[str], Write]) -> None:
        """Write each with what `writer` gives for its format; files first, so that they are there when text is read.

        GitHub annotations are added where GitHub runs the job and standard output is for people.
        """
        for item in self.items:
            if item.file is not None:
                _to_file(item.file, writer(item.format))
        to_stdout = [item.format for item in self.items if item.file is None]
        if self._wants_annotations(to_stdout):
            to_stdout.append("github")
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")  # a value may hold what the terminal cannot show
        try:
            for name in to_stdout:
                writer(name)(sys.stdout)
            sys.stdout.flush()
        except BrokenPipeError:
            raise  # whoever reads has seen enough; click ends quietly
        except OSError as error:
            _let_go_of_stdout()
            raise _unwritten("Standard output", error) from error

    def _wants_annotations(self, to_stdout: list[str]) -> bool:
        named = any(item.format == "github" for item in self.items)
        return os.environ.get("GITHUB_ACTIONS") == "true" and not named and to_stdout in ([], ["text"])


def paired(order: Sequence[str], formats: Sequence[str], files: Sequence[str]) -> Outputs:
    """Each -o goes with the -f just before it; UsageError where that is not so, or two would share a place."""
    items: list[Output] = []
    form, file = iter(formats), iter(files)
    last_is_format = False
    for name in order:
        if name == "formats":
            items.append(Output(next(form), None))
        elif not last_is_format:
            raise click.UsageError(f"-o {next(file)} has no -f before it; write -f FORMAT -o FILE.")
        else:
            target = next(file)
            items[-1] = Output(items[-1].format, None if target == "-" else Path(target))
        last_is_format = name == "formats"
    places = [item.file for item in items]
    for item in items:
        if places.count(item.file) > 1:
            where = "standard output" if item.file is None else str(item.file)
            raise click.UsageError(f"two formats go to {where}; give each -f an -o of its own.")
    return Outputs(tuple(items) or (Output("text", None),))


def _to_file(path: Path, write: Write) -> None:
    try:
        with path.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as out:
            write(out)
    except OSError as error:
        raise _unwritten(str(path), error) from error


def _let_go_of_stdout() -> None:
    """What could not be written is dropped; else Python tries again when it ends, and ends with 120."""
    real = sys.__stdout__
    if real is not None and sys.stdout is real:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, real.fileno())
        os.close(nowhere)


def _unwritten(where: str, error: OSError) -> click.UsageError:
    return click.UsageError(f"{where} cannot be written: {error.strerror}.")
