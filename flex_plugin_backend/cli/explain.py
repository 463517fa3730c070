"""flex-wfm explain: why the WFM shows an agent so, from the event to the answer, in ten lines."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import click

from flex_plugin_backend.cli.explain_words import as_json, as_lines
from flex_plugin_backend.cli.moments import Moment
from flex_plugin_backend.cli.options import config_option
from flex_plugin_backend.errors import LedgerError
from flex_plugin_backend.flow.explain import Explainer
from flex_plugin_backend.flow.roster import Roster
from flex_plugin_backend.ledger.store import Ledger
from flex_plugin_backend.settings import Settings, load_settings


@click.command()
@click.argument("agent")
@config_option("The settings.")
@click.option(
    "--at", "at_ms", type=Moment(), help="The time in question, e.g. 2026-01-05T09:05Z; the present if left out."
)
@click.option("--tenant", help="Look in this tenant only.")
@click.option("--json", "json_wanted", is_flag=True, help="As one JSON object.")
def explain(agent: str, config: Path | None, at_ms: int | None, tenant: str | None, json_wanted: bool) -> None:
    """Tell why the WFM shows AGENT as it does: the event, rule, mapping, delivery and answer.

    AGENT is the agent id in the WFM, the worker sid, or the friendly name; a part of it will do where no other has it.
    """
    settings = load_settings(config)
    if tenant is not None and tenant not in settings.tenants:
        raise click.BadParameter(f"there is no tenant {tenant}", param_hint="--tenant")
    now_ms = settings.clock.build().now_ms()
    if at_ms is not None and at_ms > now_ms:
        raise click.BadParameter("it has not come yet", param_hint="--at")
    with closing(_ledger(settings)) as ledger:
        person = Roster(ledger, [tenant] if tenant else sorted(settings.tenants)).find(agent)
        explainer = Explainer(person.tenant, settings.tenants[person.tenant], ledger)
        found = explainer.explain(person, now_ms if at_ms is None else at_ms, now_ms)
    if json_wanted:
        click.echo(json.dumps(as_json(found), ensure_ascii=False, indent=2))
    else:
        click.echo("\n".join(as_lines(found)))


def _ledger(settings: Settings) -> Ledger:
    """The ledger, which must be there: a question makes none."""
    url = settings.ledger.url
    path = Path(url.partition(":///")[2])
    if url.startswith("sqlite") and not path.exists():
        raise LedgerError(problem=f"{path} does not exist", repair="Check [ledger] url, or start flex-wfm serve once.")
    return Ledger(url)
