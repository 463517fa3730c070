"""flex-wfm-sim, the simulator's command line: one file per command, each imported only when it runs."""

from __future__ import annotations

import importlib

import click

_COMMANDS = {
    "demo": "simulator.cli.demo:demo",
    "faults": "simulator.cli.faults:faults",
    "load": "simulator.cli.load:load",
    "matrix": "simulator.cli.matrix:matrix",
    "floor": "simulator.cli.floor:floor",
    "record": "simulator.cli.record:record",
    "replay": "simulator.cli.replay:replay",
    "run": "simulator.cli.run:run",
    "soak": "simulator.cli.soak:soak",
    "theory": "simulator.cli.theory:theory",
    "twilio": "simulator.cli.twilio:twilio",
    "wfm": "simulator.cli.wfm:wfm",
}


class _LazyGroup(click.Group):
    """A group that knows the names of its commands and imports one when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        target = _COMMANDS.get(cmd_name)
        if target is None:
            return None
        module, name = target.split(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="flex-wfm")
def main() -> None:
    """A simulated Twilio Flex floor and a fake CXone WFM."""
