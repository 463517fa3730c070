"""Many rows or many keys at once: statements compiled once, and keys in portions that a statement can name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Delete, Insert, Update

_T = TypeVar("_T")
# More keys than this are not named in one statement: databases limit its parameters.
_MOST_KEYS = 500


def chunks(keys: Iterable[_T]) -> Iterator[list[_T]]:
    """The keys in portions, each small enough for one statement."""
    every = list(keys)
    return (every[at : at + _MOST_KEYS] for at in range(0, len(every), _MOST_KEYS))


class Bulk:
    """Runs a statement over rows that all have the same keys.

    SQLAlchemy prepares each row anew, which costs more than SQLite needs to store it. The values go to the driver as
    they are, so the columns must be of types that it knows: texts and whole numbers.
    """

    def __init__(self, statements: Mapping[str, Insert | Update | Delete] | Insert | Update | Delete) -> None:
        """`statements` is the one for every database, or those by the name of their dialect."""
        self._statements = statements
        self._made: dict[str, tuple[str, list[str], dict[str, Any]]] = {}

    def run(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run it for each of these rows, of which there may be none."""
        if not rows:
            return
        name = connection.dialect.name
        if name not in self._made:
            self._made[name] = self._make(connection, list(rows[0]))
        text, names, fixed = self._made[name]
        if fixed:
            rows = [{**fixed, **row} for row in rows]
        connection.exec_driver_sql(text, [tuple(row[one] for one in names) for row in rows])

    def _make(self, connection: Connection, keys: list[str]) -> tuple[str, list[str], dict[str, Any]]:
        statements = self._statements
        statement = statements[connection.dialect.name] if isinstance(statements, Mapping) else statements
        made = statement.compile(dialect=connection.dialect, column_keys=keys)
        names = list(made.positiontup or ())
        fixed = {one: value for one, value in made.params.items() if one in names and one not in keys}
        return made.string, names, fixed
