"""What a database holds for those who browse it: words to search, reports, custom fields as columns."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickup_toolkit import analyse
from clickup_toolkit.demo import DemoServer, build_world
from clickup_toolkit.export import run_export
from clickup_toolkit.records import TABLES
from clickup_toolkit.serve.queries import QUERIES
from clickup_toolkit.store.counts import COUNTED
from clickup_toolkit.store.field_views import column_names
from clickup_toolkit.store.reports import REPORTS, VIEWS, create_views, stale_days_of
from clickup_toolkit.store.schema import create_tables
from clickup_toolkit.store.search import SEARCHES, folded, matching
from clickup_toolkit.store.views import finish_for_readers
from tests.exporting import settings_for
from tests.fixtures.demo import NOW
from tests.journals import HOUR, STARTED, Crawl, task

NEXT = STARTED + 5 * HOUR
TEXTS = {
    "t1": "Prüfbericht für das Café",
    "t2": "東京の会議を準備する",
    "t3": "Deployment of the checkout",
    "t4": "การประชุมประจำปี",
    "t5": "تقرير الأداء السنوي",
    "t6": "Ｗｉｄｅ e\u0301tude ABC-123",
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Path:
    """Export a workspace of 600 tasks in which time stands still; work is stale after three weeks."""
    folder = tmp_path_factory.mktemp("demo")
    with DemoServer(build_world(tasks=600, time_entries=900, now=NOW), rate_limit=1_000_000) as server:
        asyncio.run(run_export(settings_for(server, folder, redis_url, stale_days=21.0)))
    return folder / "clickup.db"


def found(database: Path, text: str, table: str = "tasks") -> list[str]:
    """Return the ids of the rows that a search finds."""
    words = SEARCHES[table].name
    sql = (
        f"SELECT id FROM {table} WHERE rowid IN (SELECT rowid FROM {words} WHERE {words} MATCH ?) ORDER BY id"
    )
    return [row[0] for row in asked(database, sql, [matching(text)])]


def asked(database: Path, sql: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
    """Return the rows of a query, with what the site's connections know."""
    with closing(sqlite3.connect(database)) as db:
        db.create_function("folded", 1, folded)
        return db.execute(sql, parameters).fetchall()


def frame(database: Path, table: str) -> pd.DataFrame:
    """Return a table as the measures take it."""
    with closing(sqlite3.connect(database)) as db:
        read = pd.read_sql(f'SELECT * FROM "{table}"', db)
    for column in TABLES[table].columns:
        if column.type == "TIMESTAMP":
            read[column.name] = pd.to_datetime(read[column.name], utc=True, format="ISO8601")
        elif column.type == "BOOLEAN":
            read[column.name] = read[column.name].astype("boolean")
    return read


def as_of(database: Path) -> datetime:
    """Return the instant up to which the reports count."""
    return datetime.fromisoformat(asked(database, "SELECT DISTINCT as_of FROM open_tasks")[0][0])


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("prüfbericht", ["t1"]),
        ("PRUFBERICHT cafe", ["t1"]),
        ("会議", ["t2"]),
        ("京", ["t2"]),
        ("議会", []),
        ("deploy", ["t3"]),
        ('"deploy"', []),
        ('"the checkout"', ["t3"]),
        ("checkout deployment", ["t3"]),
        ("checkout 会議", []),
        ("ประชุม", ["t4"]),
        ("تقرير", ["t5"]),
        ("wide étude", ["t6"]),
        ("abc-123", ["t6"]),
        ("t6", ["t6"]),
        ("", []),
        ('"', []),
        ("AND NOT (", []),
        ("* ^ - :", []),
    ],
)
def test_words_are_found_in_any_script(tmp_path: Path, text: str, ids: list[str]) -> None:
    """Case, accents and width do not matter; scripts without blanks are found in part; nothing stumbles."""
    crawl = Crawl(tmp_path).structure().tasks(*(task(key, name=name) for key, name in TEXTS.items()))
    database, _ = crawl.build()
    assert found(database, text) == ids


@given(st.text(max_size=60))
def test_any_text_can_be_searched_for(text: str) -> None:
    """Whatever people type or paste is an expression that FTS5 takes."""
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE VIRTUAL TABLE w USING fts5(x)")
        db.execute("SELECT rowid FROM w WHERE w MATCH ?", [matching(text)]).fetchall()


def test_an_incremental_build_finds_what_a_full_one_finds(tmp_path: Path) -> None:
    """What was renamed, described or tagged is found by its words of now, and by no earlier ones."""
    before = [
        task("t1", name="Old words", text_content="ancient prose", tags=[{"name": "red"}]),
        task("t2", name="Steady"),
        task("t3", name="Old words too"),
    ]
    changed = task("t1", name="New words", text_content="modern prose", tags=[{"name": "blue"}])
    first, _ = Crawl(tmp_path).structure().tasks(*before).build()
    crawl = Crawl(tmp_path, "incremental", NEXT).structure().tasks(changed, task("t4", name="Fresh"))
    second, _ = crawl.build(previous=first)
    expected = {
        "old": ["t3"],
        "new": ["t1"],
        "ancient": [],
        "modern prose": ["t1"],
        "red": [],
        "blue": ["t1"],
        "steady": ["t2"],
        "fresh": ["t4"],
        "words": ["t1", "t3"],
    }
    assert {text: found(second, text) for text in expected} == expected
    with closing(sqlite3.connect(second)) as db:
        for search in SEARCHES.values():
            db.execute(f"INSERT INTO {search.name} ({search.name}) VALUES ('integrity-check')")


def test_an_empty_workspace_has_empty_reports(tmp_path: Path) -> None:
    """Without any row everything is there, and empty."""
    with closing(sqlite3.connect(tmp_path / "empty.db")) as db:
        create_tables(db)
        finish_for_readers(db, whole=True)
        for name in (*REPORTS, *VIEWS):
            assert db.execute(f"SELECT * FROM {name}").fetchall() == []


def test_what_is_counted_is_there(demo: Path) -> None:
    """The counts of values are those of the tables, the most frequent value first."""
    for table, columns in COUNTED.items():
        for column in columns:
            counted = asked(
                demo,
                'SELECT value, count FROM value_counts WHERE "table" = ? AND "column" = ? ORDER BY rank',
                [table, column],
            )
            sql = f'SELECT "{column}", count(*) FROM "{table}" WHERE "{column}" IS NOT NULL GROUP BY 1'
            assert counted == asked(demo, f"{sql} ORDER BY 2 DESC, 1 LIMIT 100"), (table, column)


def test_every_reference_has_an_index(demo: Path) -> None:
    """A row's page counts what points at it without going through a whole table."""
    with closing(sqlite3.connect(demo)) as db:
        for table in (*TABLES.values(), *REPORTS.values()):
            for column in table.columns:
                if column.references:
                    sql = f'EXPLAIN QUERY PLAN SELECT count(*) FROM "{table.name}" WHERE "{column.name}" = ?'
                    (plan,) = (row[3] for row in db.execute(sql, ["x"]))
                    assert plan.startswith("SEARCH"), (table.name, column.name, plan)


@pytest.mark.parametrize("days", [0.5, 30])
def test_what_is_stale_is_as_chosen(demo: Path, tmp_path: Path, days: float) -> None:
    """The report goes by the days that were chosen, as the measure does, and tells which."""
    copy = Path(shutil.copy(demo, tmp_path))
    with closing(sqlite3.connect(copy)) as db, db:
        assert stale_days_of(db) == 21
        create_views(db, days)
        assert stale_days_of(db) == days
    held = analyse.blocked_and_stale(frame(copy, "tasks"), now=as_of(copy), stale_days=days)
    assert {key for (key,) in asked(copy, "SELECT task_id FROM stale_tasks")} == set(
        held.loc[held["stale"], "task_id"]
    )


def test_open_tasks_are_those_of_the_measures(demo: Path) -> None:
    """Age in the current status, staleness and lateness are those of the measures, as of the export."""
    tasks, now = frame(demo, "tasks"), as_of(demo)
    waiting = analyse.waiting_now(tasks, now=now, not_started=True)
    sql = "SELECT task_id, in_status_ms FROM open_tasks WHERE in_status_ms IS NOT NULL"
    assert dict(asked(demo, sql)) == dict(zip(waiting["task_id"], waiting["age_ms"], strict=True))
    held = analyse.blocked_and_stale(tasks, now=now, stale_days=21)
    for column, view in (("stale", "stale_tasks"), ("overdue", "overdue_tasks")):
        told = dict(asked(demo, f"SELECT task_id, untouched_ms FROM {view}"))
        assert told == dict(held.loc[held[column], ["task_id", "untouched_ms"]].values.tolist())
        assert told
    age = {row.id: row.age_ms for row in tasks.itertuples() if row.as_of == now and row.age_ms == row.age_ms}
    told = dict(asked(demo, "SELECT task_id, age_ms FROM open_tasks"))
    assert {key: told[key] for key in age.keys() & told.keys()} == {
        k: age[k] for k in age.keys() & told.keys()
    }
    assert len(told) > 50


def test_tasks_without_owner_have_none(demo: Path) -> None:
    """Listed are the open tasks to which nobody is assigned, and no other."""
    owned = {row[0] for row in asked(demo, "SELECT task_id FROM task_assignees")}
    ownerless = {row[0] for row in asked(demo, "SELECT task_id FROM tasks_without_owner")}
    assert ownerless == {row[0] for row in asked(demo, "SELECT task_id FROM open_tasks")} - owned
    assert ownerless


def test_time_in_status_is_that_of_the_measure(demo: Path) -> None:
    """Every figure of every list and status is the measure's at the instant of the export."""
    measured = analyse.time_in_status(
        frame(demo, "tasks"), frame(demo, "time_in_status"), now=as_of(demo), statuses=frame(demo, "statuses")
    )
    names = ["tasks", "waiting", "sum_ms", "per_task_ms", "mean_ms", "median_ms", "p85_ms", "share"]
    sql = f"SELECT list_id, status, {', '.join(names)} FROM time_in_status_by_list"
    told = {row[:2]: list(row[2:]) for row in asked(demo, sql)}
    expected = {
        (row["list_id"], row["status"]): [row[n] for n in names] for row in measured.to_dict("records")
    }
    assert told.keys() == expected.keys()
    for key, figures in expected.items():
        assert told[key] == pytest.approx(figures, abs=1), key
    assert len(told) > 20


def test_tracked_time_is_that_of_the_measure(demo: Path) -> None:
    """Each member's time in each week is the measure's; weeks without time have no row."""
    measured = analyse.tracked_time(frame(demo, "time_entries"), now=as_of(demo))
    expected = {
        (row.member_id, "" if pd.isna(row.week) else f"{row.week:%Y-%m-%d}"): (
            row.tracked_ms,
            row.billable_ms,
            row.entries,
        )
        for row in measured.itertuples()
        if row.entries
    }
    sql = "SELECT member_id, week, tracked_ms, billable_ms, entries FROM tracked_by_week"
    assert {row[:2]: row[2:] for row in asked(demo, sql)} == expected


def test_estimates_are_those_of_the_measure(demo: Path) -> None:
    """Each list's estimates against tracked time are the measure's."""
    measured = analyse.estimate_against_tracked(frame(demo, "tasks"), now=as_of(demo))
    names = ["done", "compared", "without_estimate", "without_time", "estimated_ms", "tracked_ms", "over"]
    names += ["ratio", "ratio_median", "ratio_p85"]
    told = {
        row[0]: row[1:]
        for row in asked(demo, f"SELECT list_id, {', '.join(names)} FROM estimate_against_tracked")
    }
    assert told.keys() == set(measured["list_id"])
    for row in measured.to_dict("records"):
        figures = [None if pd.isna(row[name]) else row[name] for name in names]
        assert list(told[row["list_id"]]) == pytest.approx(figures), row["list_id"]
    assert any(row[7] for row in told.values())


def ask(database: Path, name: str, **parameters: str) -> list[dict[str, Any]]:
    """Return the rows of a question of the site."""
    query = QUERIES[name]
    given = {parameter: parameters.get(parameter.rstrip("_"), "") for parameter in query["params"]}
    with closing(sqlite3.connect(database)) as db:
        db.create_function("folded", 1, folded)
        db.row_factory = sqlite3.Row
        return [dict(row) for row in db.execute(query["sql"], given)]


def test_cycle_times_are_those_of_the_measure(demo: Path) -> None:
    """Percentiles of lead and cycle time in a period are the measure's, to the rounding of a millisecond."""
    since = datetime.fromisoformat("2025-06-01T00:00:00+00:00")
    measured = analyse.lead_and_cycle_time(frame(demo, "tasks"), now=as_of(demo), since=since)
    names = ["done", "started", "lead_median_ms", "lead_p85_ms", "cycle_median_ms", "cycle_p85_ms"]
    told = {row["list_id"]: row for row in ask(demo, "cycle_time_percentiles", **{"from": "2025-06-01"})}
    assert told.keys() == set(measured["list_id"])
    for row in measured.to_dict("records"):
        figures = [None if pd.isna(row[name]) else row[name] for name in names]
        assert [told[row["list_id"]][name] for name in names] == pytest.approx(figures, abs=1)
    assert len(told) > 5


def test_throughput_is_that_of_the_measure(demo: Path) -> None:
    """Tasks finished in each week are the measure's, weeks without any too."""
    measured = analyse.throughput(frame(demo, "tasks"), now=as_of(demo), weeks=20)
    expected = {f"{row.week:%Y-%m-%d}": row.done for row in measured.itertuples()}
    told = {row["week"]: row["done"] for row in ask(demo, "throughput_by_week", **{"from": min(expected)})}
    assert told == expected


def test_waiting_is_that_of_the_measure(demo: Path) -> None:
    """How many tasks wait in which status, and the longest, are what the measure lists."""
    waiting = analyse.waiting_now(frame(demo, "tasks"), now=as_of(demo))
    by_status = waiting.groupby("status")["age_ms"].agg(["count", "max", "sum"])
    told = {
        row["status"]: [row["waiting"], row["oldest_ms"], row["sum_ms"]]
        for row in ask(demo, "where_tasks_wait")
    }
    assert told == {
        status: list(row) for status, row in zip(by_status.index, by_status.values.tolist(), strict=True)
    }
    medians = waiting.groupby("status")["age_ms"].median()
    assert [row["median_ms"] for row in ask(demo, "where_tasks_wait")] == [
        pytest.approx(medians[row["status"]], abs=1) for row in ask(demo, "where_tasks_wait")
    ]


def test_questions_take_names_and_ids(demo: Path) -> None:
    """A place or person may be named by id or by name, whatever the case; who is not known has nothing."""
    for name, parameter, table, label in (
        ("slowest_tasks", "list", "lists", "name"),
        ("where_tasks_wait", "space", "spaces", "name"),
        ("who_tracked_what", "member", "members", "username"),
    ):
        since = {"from": "2000-01-01"} if "from" in QUERIES[name]["params"] else {}
        whole = ask(demo, name, **since)
        answers = []
        for key, called in asked(demo, f"SELECT id, {label} FROM {table} WHERE {label} IS NOT NULL"):
            by_id = ask(demo, name, **since, **{parameter: key})
            if by_id and len(asked(demo, f"SELECT 1 FROM {table} WHERE {label} = ?", [called])) == 1:
                answers.append(by_id)
                assert ask(demo, name, **since, **{parameter: f" {called.upper()} "}) == by_id
        assert answers
        assert whole not in answers
        assert ask(demo, name, **since, **{parameter: "nobody knows that"}) == []


def test_custom_fields_are_columns(demo: Path) -> None:
    """A list's view has a row for each of its tasks, and in the columns what stands in the long table."""
    views = [row[0] for row in asked(demo, "SELECT name FROM sqlite_master WHERE name GLOB 'fields_*'")]
    assert views
    for view in views:
        list_id = view.removeprefix("fields_")
        told = asked(demo, f'SELECT * FROM "{view}"')
        assert len(told) == asked(demo, "SELECT count(*) FROM tasks WHERE list_id = ?", [list_id])[0][0]
        values = sum(value is not None for row in told for value in row[4:-1])
        sql = (
            "SELECT count(*) FROM task_custom_fields JOIN tasks ON tasks.id = task_id WHERE list_id = ? "
            "AND coalesce(value, number, time) IS NOT NULL"
        )
        assert values == asked(demo, sql, [list_id])[0][0]


def test_columns_can_be_named_after_any_field() -> None:
    """Names that SQL, addresses or the eye cannot tell apart are told apart; blanks are made visible."""
    names = [
        "Größe",
        "größe",
        "name",
        " __x__y ",
        "a[b]",
        "",
        "\u200b",
        "zero\u200bwidth",
        "线\n路",
        "n" * 200,
    ]
    assert column_names(names) == [
        "Größe",
        "größe (2)",
        "name (2)",
        "x_y",
        "a(b)",
        "field",
        "field (2)",
        "zero width",
        "线 路",
        "n" * 60,
    ]
