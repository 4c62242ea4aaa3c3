"""All rows of many tables at once, as the database holds them: what is asked after every step must cost little."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final

from sqlalchemy import Engine, Table

Row = Mapping[str, Any]

_SEPARATORS: Final = ", "


def glance(ledger: Engine, tables: Iterable[Table]) -> dict[str, list[Row]]:
    """The rows of each table by its name, in the order of its primary key, all at one moment.

    They are as the driver gives them: structured columns may be text.
    """
    found: dict[str, list[Row]] = {}
    with ledger.connect() as connection:
        for table in tables:
            names, query = _query(table)
            found[table.name] = [dict(zip(names, row, strict=True)) for row in connection.exec_driver_sql(query)]
    return found


@cache
def _query(table: Table) -> tuple[tuple[str, ...], str]:
    names = tuple(column.name for column in table.columns)
    quoted = _SEPARATORS.join(f'"{name}"' for name in names)
    order = _SEPARATORS.join(f'"{column.name}"' for column in table.primary_key)
    return names, f'SELECT {quoted} FROM "{table.name}" ORDER BY {order}'  # noqa: S608 - names of our own
