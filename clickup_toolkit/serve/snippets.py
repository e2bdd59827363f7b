"""How to read the files from elsewhere: text to copy, with the address under which the reader sees the site.

The token never stands in it: a shell fills in ``$API_AUTH_TOKEN``, Python reads it from the environment.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datasette.utils.asgi import Request

__all__ = ["Snippet", "readers_address", "snippets"]

_HOST = re.compile(r"[A-Za-z0-9.-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")
_NO_HOST = "localhost:8000"  # where a client says none that could be typed into a shell


class Snippet(NamedTuple):
    """Text to copy: what reads it (an id and a title), words before it, and the text itself."""

    id: str
    title: str
    about: str
    text: str


def readers_address(request: Request) -> str:
    """Return scheme and host as the reader sees them; a trusted proxy has told us the scheme."""
    host = request.host or ""
    return f"{request.scheme}://{host if _HOST.fullmatch(host) else _NO_HOST}"


def snippets(address: str) -> list[Snippet]:
    """Return the ways to read the files of the site at ``address``."""
    return [one._replace(text=one.text.strip("\n").replace("ADDRESS", address)) for one in _SNIPPETS]


_CURL = """
curl --fail -H "Authorization: Bearer $API_AUTH_TOKEN" -O ADDRESS/api/v1/tables/tasks.parquet
curl --fail -H "Authorization: Bearer $API_AUTH_TOKEN" -o clickup.db ADDRESS/-/files/clickup.db
"""

_PANDAS = """
import os

import pandas as pd

token = {"Authorization": f"Bearer {os.environ['API_AUTH_TOKEN']}"}
tasks = pd.read_parquet("ADDRESS/api/v1/tables/tasks.parquet", storage_options=token)
print(tasks.groupby("status")["status_ms"].median() / 3_600_000)  # hours in the current status
"""

_POLARS = """
import os
import urllib.request

import polars as pl

request = urllib.request.Request("ADDRESS/api/v1/tables/tasks.parquet")
request.add_header("Authorization", f"Bearer {os.environ['API_AUTH_TOKEN']}")
with urllib.request.urlopen(request) as answer:
    tasks = pl.read_parquet(answer.read())
print(tasks.group_by("status").len().sort("len", descending=True))
"""

_DUCKDB = """
import duckdb

print(duckdb.sql(\"\"\"
    SELECT status, count(*) AS tasks, median(status_ms) / 3600000 AS hours
    FROM 'tasks.parquet' GROUP BY status ORDER BY tasks DESC
\"\"\"))
"""

_SQLITE = """
import sqlite3

import pandas as pd

with sqlite3.connect("clickup.db") as database:
    print(pd.read_sql("SELECT status, count(*) AS tasks FROM tasks GROUP BY status", database))
"""

_EXCEL = """
let
    Answer = Web.Contents("ADDRESS", [
        RelativePath = "clickup/tasks.csv",
        Query = [_stream = "on", _size = "max"],
        Headers = [Authorization = "Bearer " & "…your API_AUTH_TOKEN…"]
    ]),
    Rows = Csv.Document(Answer, [Delimiter = ",", Encoding = 65001, QuoteStyle = QuoteStyle.Csv]),
    Tasks = Table.PromoteHeaders(Rows, [PromoteAllScalars = true])
in
    Tasks
"""

_SNIPPETS = (
    Snippet(
        "curl",
        "curl",
        "Takes the table tasks as Parquet, and the whole database. "
        "With -C - a download that was cut off goes on.",
        _CURL,
    ),
    Snippet("pandas", "pandas", "Reads a table right from here; it needs pyarrow, too.", _PANDAS),
    Snippet("polars", "Polars", "Reads a table right from here.", _POLARS),
    Snippet("duckdb", "DuckDB", "Queries the Parquet file that curl took.", _DUCKDB),
    Snippet("sqlite", "SQLite", "Queries the database that curl took: every table in one file.", _SQLITE),
    Snippet(
        "excel",
        "Excel",
        "Data, Get Data, From Other Sources, Blank Query; then Advanced Editor, and put this in place of "
        "what stands there. When Excel asks how to connect, choose Anonymous: the token goes with the "
        "header. Or take the CSV of a table from the list above, and open it with Data, From Text/CSV.",
        _EXCEL,
    ),
)
