"""flex-wfm commands on the ledger of a bench."""

from __future__ import annotations

from click.testing import CliRunner, Result
from flow_bench import TENANT, Bench

from flex_plugin_backend.cli import main


def settings_file(bench: Bench, more: str = "") -> str:
    """A settings file for the bench's ledger with its [mapping]; `more` is added as it stands. Its path."""
    mapping = "".join(f'{name} = "{value}"\n' for name, value in bench.tables.get("mapping", {}).items())
    config = bench.folder / "flex-wfm.toml"
    config.write_text(
        f'[ledger]\nurl = "sqlite:///{bench.folder}/ledger.sqlite3"\n'
        f"[clock]\nstart_ms = {bench.clock.now_ms()}\nanchor_ms = 4000000000000\nspeed = 1\n"
        f'[tenants.{TENANT}.twilio]\naccount_sid = "AC1"\nworkspace_sid = "WS1"\nauth_token = "t"\n'
        f'[tenants.{TENANT}.wfm]\nservice_url = "http://127.0.0.1:9"\naccess_key = "k"\nsecret_key = "s"\n'
        f"[tenants.{TENANT}.mapping]\n{mapping}{more}"
    )
    return str(config)


def flex_wfm(bench: Bench, *words: str, more: str = "") -> Result:
    """Run a command with the bench's settings; its clock stands at the bench's time."""
    command, *rest = words
    return CliRunner().invoke(main, [command, "-c", settings_file(bench, more), *rest])
