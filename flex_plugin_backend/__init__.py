"""flex-wfm: connects Twilio Flex to NICE CXone WFM. `FlexPlugin` embeds it in Flask, `create_app` runs it alone.

`ManualDrive` runs it without threads and network, for tests.
"""

from __future__ import annotations

import importlib
from typing import Any

# Type checkers read the stub beside this file; at run time the names are loaded when they are first used.
__all__ = ["FlexPlugin", "ManualDrive", "__version__", "create_app"]

_FACE = {
    "FlexPlugin": "flex_plugin_backend.web.extension",
    "create_app": "flex_plugin_backend.web.extension",
    "ManualDrive": "flex_plugin_backend.flow.drive",
}


def __getattr__(name: str) -> Any:
    """Load the public face only when it is asked for: the contract kit must not pay for a web server."""
    if name in _FACE:
        return getattr(importlib.import_module(_FACE[name]), name)
    if name == "__version__":
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("flex-wfm")
        except PackageNotFoundError:  # a source tree that was never installed
            return "0+unknown"
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
