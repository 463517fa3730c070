"""Structured logs: one line per happening, with the tenant and the request id, and never with a secret."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable, MutableMapping
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor

_HIDDEN = "[redacted]"
_SECRET_KEY = re.compile(
    r"token|secret|password|passwd|authorization|signature|access_key|api_key|credential|cookie", re.I
)
# Below this length a value would be found by chance inside ordinary words.
_SHORTEST_SECRET = 6
# They print URLs, query parameters or whole statements at INFO; names of agents are in there.
_TALKATIVE = ("twilio", "twilio.http_client", "httpx", "httpcore", "urllib3", "sqlalchemy.engine", "alembic")


class Redactor:
    """Blanks values under secret-looking keys, and known secrets wherever they turn up."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({s for s in secrets if len(s) >= _SHORTEST_SECRET}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, _logger: Any, _method: str, event: EventDict) -> EventDict:
        for key, value in event.items():
            if _SECRET_KEY.search(str(key)):
                event[key] = _HIDDEN
            else:
                event[key] = self._clean(value)
        return event

    def _clean(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._known.sub(_HIDDEN, value) if self._known else value
        if isinstance(value, MutableMapping):
            return self(None, "", dict(value))
        if isinstance(value, (list, tuple)):
            return [self._clean(item) for item in value]
        if value is None or isinstance(value, (bool, int, float)):
            return value
        return self._clean(str(value))


def configure(
    level: str = "info", style: str = "json", *, secrets: Iterable[str] = (), stream: TextIO | None = None
) -> None:
    """Send our own and the libraries' logs to `stream` (standard error) in one form.

    Args:
        level: debug, info, warning or error.
        style: `json` for machines, `text` for a terminal.
        secrets: values that must not appear in any line.
        stream: where to; None is standard error.
    """
    out = stream or sys.stderr
    renderer: Processor = (
        structlog.processors.JSONRenderer() if style == "json" else structlog.dev.ConsoleRenderer(colors=out.isatty())
    )
    shared = _shared()
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            Redactor(secrets),
            renderer,
        ],
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    hush_libraries()
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def adopt_host_logging(*, secrets: Iterable[str] = ()) -> None:
    """Hand our lines to the standard `logging` of the application we are embedded in; its own set-up is left alone."""
    hush_libraries()
    if structlog.is_configured():
        return
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            structlog.processors.format_exc_info,
            Redactor(secrets),
            _one_line,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def hush_libraries() -> None:
    """Keep libraries that would print personal data at INFO to warnings."""
    for name in _TALKATIVE:
        logger = logging.getLogger(name)
        if logger.level < logging.WARNING:
            logger.setLevel(logging.WARNING)


def _one_line(_logger: Any, _method: str, event: EventDict) -> str:
    """The line as text, so that it is complete under whatever formatter the host has."""
    words = [str(event.pop("event", ""))]
    trace = event.pop("exception", None)
    words += [f"{key}={value!r}" for key, value in event.items()]
    return " ".join(words) + (f"\n{trace}" if trace else "")


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
