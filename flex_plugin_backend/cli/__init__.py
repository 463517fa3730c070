"""flex-wfm, the connector's command line: one file per command, each imported only when it runs."""

from __future__ import annotations

import importlib

import click

from flex_plugin_backend.errors import FlexWfmError

_COMMANDS = {
    "serve": "flex_plugin_backend.cli.serve:serve",
    "consume-kinesis": "flex_plugin_backend.cli.consume_kinesis:consume_kinesis",
    "health": "flex_plugin_backend.cli.health:health",
    "init": "flex_plugin_backend.cli.init:init",
    "report": "flex_plugin_backend.cli.report:report",
    "explain": "flex_plugin_backend.cli.explain:explain",
    "backfill": "flex_plugin_backend.cli.backfill:backfill",
    "gaps": "flex_plugin_backend.cli.gaps:gaps",
    "dead-letters": "flex_plugin_backend.cli.dead_letters:dead_letters",
    "validate": "flex_plugin_backend.cli.validate:validate",
    "contract": "flex_plugin_backend.cli.contract:contract",
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

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except FlexWfmError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="flex-wfm")
def main() -> None:
    """Connect Twilio Flex to NICE CXone WFM."""
