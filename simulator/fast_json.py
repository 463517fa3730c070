"""FastJson: what Flask answers and reads as JSON, by orjson."""

from __future__ import annotations

from typing import Any

import orjson
from flask.json.provider import DefaultJSONProvider


class FastJson(DefaultJSONProvider):
    """Falls back on the standard library for what orjson refuses, so nothing else is taken or answered than before."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """A value as JSON."""
        if kwargs:
            return super().dumps(obj, **kwargs)
        try:
            return orjson.dumps(obj).decode()
        except TypeError:
            return super().dumps(obj)

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """What a JSON text says; raises ValueError."""
        if kwargs:
            return super().loads(s, **kwargs)
        try:
            return orjson.loads(s)
        except orjson.JSONDecodeError:
            return super().loads(s)

    def response(self, *args: Any, **kwargs: Any) -> Any:
        """A response with the one value, or list, or object, that is given."""
        found = self._prepare_response_obj(args, kwargs)
        return self._app.response_class(self.dumps(found), mimetype=self.mimetype)
