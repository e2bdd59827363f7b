"""One datasette over one database file, unchangeable from its making to its end.

A newer file gets a new site. That is what keeps answers whole: a request holds on to one site, and with it to
one set of open connections, one set of row counts and one description, whatever happens to ``clickup.db``.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from datasette.app import Datasette
from datasette.database import Database
from datasette.plugins import pm

from clickup_toolkit.serve import plugin, words
from clickup_toolkit.serve.access import Access
from clickup_toolkit.serve.assets import asset_url
from clickup_toolkit.serve.belongings import belongings
from clickup_toolkit.serve.cells import kind_of, yes_or_no
from clickup_toolkit.serve.columns import in_order
from clickup_toolkit.serve.facets import Counted
from clickup_toolkit.serve.facts import Facts, read_facts
from clickup_toolkit.serve.labels import label_of
from clickup_toolkit.serve.leads import leads
from clickup_toolkit.serve.metadata import DATABASE, DATASETTE_SETTINGS, describe, without_unit
from clickup_toolkit.serve.monitor import Monitor
from clickup_toolkit.serve.paging import paged
from clickup_toolkit.serve.sentences import assigned_to, order, sentence
from clickup_toolkit.serve.typed import as_typed
from clickup_toolkit.serve.visitors import Visitors
from clickup_toolkit.settings import Settings
from clickup_toolkit.store.reports import REPORTS, VIEWS

__all__ = ["TEMPLATES", "Site"]

TEMPLATES = Path(str(files("clickup_toolkit.serve") / "page_templates"))
"""The folder of the templates; not called templates, where datasette would find it for every site."""

_Result = TypeVar("_Result")
_MAPPED = (1 << 31) - 65536  # bytes of the file, the most that SQLite maps: rows far apart are read at once

# Where rich is installed, datasette prints every failed request with the local variables of each frame, and
# with them the header that holds the token.
pm.get_plugin("datasette.handle_exception").rich = None

if not pm.is_registered(plugin):  # run from a source tree: no entry point names it
    pm.register(plugin)


class Site(Datasette):  # type: ignore[misc]  # datasette has no types
    """The pages over ``database``, or over nothing before the first export.

    ``problem`` says why there is no database, where that is not simply because nothing was exported yet.
    Raises :class:`sqlite3.Error` or :class:`OSError` when the file cannot be read.
    """

    def __init__(
        self,
        settings: Settings,
        access: Access,
        visitors: Visitors,
        monitor: Monitor,
        database: Path | None,
        problem: str = "",
    ) -> None:
        self.toolkit = settings
        self.access = access
        self.visitors = visitors
        self.monitor = monitor
        self.problem = problem
        self.database = database
        self.counted = Counted()
        self.reports = [*REPORTS, *VIEWS]
        self.facts = Facts() if database is None else read_facts(database)
        super().__init__(
            [],
            metadata=describe(self.facts, settings.team_id or ""),
            inspect_data=None if database is None else {DATABASE: _inspect(database, self.facts)},
            settings=DATASETTE_SETTINGS,
            secret=access.signing_keys,
            template_dir=str(TEMPLATES),
        )
        threads = DATASETTE_SETTINGS["num_sql_threads"]
        self.executor = ThreadPoolExecutor(threads, thread_name_prefix="query")
        self.jinja_env.globals.update(
            asset=asset_url,
            site=self,
            words=words,
            in_order=in_order,
            label_of=label_of,
            belongings=belongings,
            leads=leads,
            kind_of=kind_of,
            yes_or_no=yes_or_no,
            as_typed=as_typed,
            without_unit=without_unit,
            sentence=sentence,
            order=order,
            assigned_to=assigned_to,
        )
        for name in list(self.databases):
            self.remove_database(name)
        self._file = None if database is None else FrozenDatabase(self, database)
        if self._file is not None:
            self._file._cached_table_counts = self.facts.counts
            self.add_database(self._file, name=DATABASE)
            self._file.open(threads)

    def freshness(self) -> str:
        """Return how old the data are, in words."""
        if self.facts.export is None:
            return "Nothing exported yet"
        return f"Exported {words.ago(self.facts.export.at, datetime.now(UTC))}"

    async def refresh_schemas(self) -> None:
        """Do nothing: the schema cannot change, and the table of schemas is for a root user whom we lack."""

    async def permission_allowed(self, actor: Any, action: str, resource: Any = None, **options: Any) -> Any:
        """Tell whether somebody may do something; tables and queries are as open as the database.

        Nothing else is declared, and for each table of a page datasette would copy all descriptions.
        """
        if action in ("view-table", "view-query"):
            action, resource = "view-database", resource[0]
        return await super().permission_allowed(actor, action, resource, **options)

    def plugin_config(
        self, plugin_name: str, database: str | None = None, table: str | None = None, fallback: bool = True
    ) -> Any:
        """Return a plugin's settings; the password's hash goes this way to keep it out of /-/metadata."""
        if plugin_name == "datasette-auth-passwords" and self.access.password_hash is not None:
            return {f"{self.access.username}_password_hash": self.access.password_hash.reveal()}
        return super().plugin_config(plugin_name, database, table, fallback)

    def metadata(
        self,
        key: str | None = None,
        database: str | None = None,
        table: str | None = None,
        fallback: bool = True,
    ) -> Any:
        """Return metadata; with a password set, only those who signed in are allowed anything."""
        if key == "allow" and self.access.password_hash is not None:
            return {"id": "*"}
        return super().metadata(key, database, table, fallback)

    def close(self) -> None:
        """Let go of threads and connections. Blocks until the queries under way have ended."""
        self.executor.shutdown(wait=True)
        if self._file is not None:
            self._file.close()


class FrozenDatabase(Database):  # type: ignore[misc]  # datasette has no types
    """An immutable file, all its connections opened at once.

    datasette opens a connection when a thread first asks for one, and finds it again by the database's name:
    a second file of the same name would be answered from the first. And a file may be cleared away while
    a request still reads it; what is open can be read to the end.
    """

    def __init__(self, site: Site, path: Path) -> None:
        super().__init__(site, path=str(path), is_mutable=False)
        self._idle: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()

    def open(self, count: int) -> None:
        """Open as many connections as there are threads that may ask for one."""
        for _ in range(count):
            connection = self.connect()
            self.ds._prepare_connection(connection, self.name)
            self._idle.put(connection)

    def connect(self, write: bool = False) -> sqlite3.Connection:
        """Open a connection that can only read."""
        uri = f"{Path(self.path).as_uri()}?mode=ro&immutable=1"
        connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
        connection.execute(f"PRAGMA mmap_size = {_MAPPED}")
        connection.execute("PRAGMA temp_store = MEMORY")
        self._all_file_connections.append(connection)
        return connection

    async def table_columns(self, table: str) -> list[str]:
        """Return the columns of a table in the order in which pages show them."""
        return in_order(table, await super().table_columns(table))

    async def execute(self, sql: str, *arguments: Any, **options: Any) -> Any:
        """Run a query; one that fails is not logged, since what people look for holds names."""
        return await super().execute(paged(sql), *arguments, **options | {"log_sql_errors": False})

    async def execute_fn(self, fn: Callable[[sqlite3.Connection], _Result]) -> _Result:
        """Run ``fn`` with an idle connection in one of the threads."""

        def in_thread() -> _Result:
            connection = self._idle.get()
            try:
                return fn(connection)
            finally:
                self._idle.put(connection)

        return await asyncio.get_running_loop().run_in_executor(self.ds.executor, in_thread)


def _inspect(database: Path, facts: Facts) -> dict[str, Any]:
    """Return what datasette would find out by reading the whole file, so that it need not."""
    about = database.stat()
    return {
        "hash": f"{about.st_mtime_ns:x}{about.st_ino:x}{about.st_size:x}",
        "size": about.st_size,
        "tables": {table: {"count": count} for table, count in facts.counts.items() if count is not None},
    }
