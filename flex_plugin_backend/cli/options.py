"""Options that several commands have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from flex_plugin_backend.settings import ENV_CONFIG

_F = TypeVar("_F", bound=Callable[..., Any])


def config_option(text: str = "The TOML file with the settings.") -> Callable[[_F], _F]:
    """`--config FILE`, which the environment can name too; `text` is its help."""
    path = click.Path(dir_okay=False, path_type=Path)
    return click.option("--config", "-c", type=path, envvar=ENV_CONFIG, help=text)
