"""Facets of a table's page: all of them in one pass over the rows that the page is about, and remembered.

datasette's own facets each go through the rows again, by whatever index seems to help with grouping, which
in a large table means a row here and a row there; and they count anew for everybody, though the file cannot
change. Facets that a visitor asks for by ``_facet`` are datasette's.
"""

from __future__ import annotations

import urllib.parse
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from datasette.database import QueryInterrupted
from datasette.facets import Facet
from datasette.utils import escape_sqlite, path_with_added_args, path_with_removed_args

from clickup_toolkit.serve.paging import unpaged

if TYPE_CHECKING:
    from clickup_toolkit.serve.site import Site

__all__ = ["Counted", "CountedFacets"]

Counts = dict[str, list[tuple[Any, int]]]
_REMEMBERED = 200


class Counted:
    """The counts that a site remembers, by what was asked; the oldest go first."""

    def __init__(self) -> None:
        self._known: OrderedDict[object, Counts] = OrderedDict()

    def get(self, asked: object) -> Counts | None:
        """Return the counts, if they are known."""
        return self._known.get(asked)

    def put(self, asked: object, counts: Counts) -> None:
        """Remember the counts."""
        self._known[asked] = counts
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)


class CountedFacets(Facet):  # type: ignore[misc]  # datasette has no types
    """The facets that a table's metadata names under ``counted``."""

    type = "counted"
    ds: Site

    async def facet_results(self) -> tuple[list[dict[str, Any]], list[str]]:
        """Return what datasette shows of each facet, and the names of those that took too long."""
        wanted = {value for name, value in self.get_querystring_pairs() if name == "_facet"}
        columns = [name for name in (self.metadata or {}).get("counted", ()) if name not in wanted]
        return await self._told(columns) if columns else ([], [])

    async def _told(self, columns: list[str]) -> tuple[list[dict[str, Any]], list[str]]:
        size = self.get_facet_size()
        try:
            counts = await self._counts(columns, size)
        except QueryInterrupted:
            return [], columns
        return [await self._facet(column, counts[column], size) for column in columns], []

    async def _counts(self, columns: list[str], size: int) -> Counts:
        sql = unpaged(self.sql) if self.request.args.get("_next") else self.sql
        params = {name: value for name, value in dict(self.params or {}).items() if f":{name}" in sql}
        asked = (sql, tuple(sorted(params.items())), tuple(columns), size)
        counts = self.ds.counted.get(asked)
        if counts is None:
            counts = {column: [] for column in columns}
            for place, value, count in await self._rows(sql, params, columns, size):
                counts[columns[place]].append((value, count))
            self.ds.counted.put(asked, counts)
        return counts

    async def _rows(self, sql: str, params: dict[str, Any], columns: list[str], size: int) -> list[Any]:
        """Return place of the column, value and count; those of all rows were counted by the export."""
        if " where " in sql or "value_counts" not in self.ds.facts.counts:  # made by an earlier release
            sql = _statement(sql, columns, size)
        else:
            ranks = ", ".join(f"({place}, '{column}')" for place, column in enumerate(columns))
            sql = (
                f"with wanted (place, name) as (values {ranks}) select place, value, count from wanted "  # noqa: S608
                'join value_counts as c on c."table" = :table and c."column" = wanted.name '
                "order by place, rank"
            )
            params = {"table": self.table}
        limit = len(columns) * self.ds.setting("facet_time_limit_ms")
        found = await self.ds.execute(self.database, sql, params, truncate=False, custom_time_limit=limit)
        return list(found.rows)

    async def _facet(self, column: str, counts: list[tuple[Any, int]], size: int) -> dict[str, Any]:
        shown = counts[:size]
        labels = await self.ds.expand_foreign_keys(
            self.database, self.table, column, [value for value, _ in shown]
        )
        return {
            "name": column,
            "type": "column",
            "hideable": False,
            "toggle_url": self.ds.urls.path(path_with_removed_args(self.request, {"_facet": column})),
            "results": [self._value(column, value, count, labels) for value, count in shown],
            "truncated": len(counts) > size,
        }

    def _value(
        self, column: str, value: Any, count: int, labels: dict[tuple[str, Any], Any]
    ) -> dict[str, Any]:
        selected = (column, str(value)) in urllib.parse.parse_qsl(self.request.query_string)
        if selected:
            path = path_with_removed_args(self.request, {column: str(value)})
        else:
            path = path_with_added_args(self.request, {column: value, "_next": None})
        return {
            "value": value,
            "label": labels.get((column, value), value),
            "count": count,
            "toggle_url": self.ds.absolute_url(self.request, self.ds.urls.path(path)),
            "selected": selected,
        }


def _statement(sql: str, columns: list[str], size: int) -> str:
    """Return one statement that counts the values of every column among the rows that ``sql`` finds.

    The few combinations of values are counted first: so the rows are sorted once, or not at all where an
    index has them in that order.
    """
    names = ", ".join(map(escape_sqlite, columns))
    parts = [
        f"select * from (select {place} as place, {name} as value, sum(many) as count from found "  # noqa: S608  # quoted
        f"where {name} is not null group by {name} order by count desc, value limit {size + 1})"
        for place, name in enumerate(map(escape_sqlite, columns))
    ]
    # What a search finds is looked up in an index of all rows: quicker than row by row, where it is much.
    sql = sql.replace("where rowid in (select", "where +rowid in (select")
    found = f"select {names}, count(*) as many from ({sql}) group by {names}"  # noqa: S608
    return f"with found as materialized ({found}) " + " union all ".join(parts)
