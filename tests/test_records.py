"""The tables' declarations: complete, consistent, and fit to be made into SQLite, Parquet and docs."""

from __future__ import annotations

import inspect

import pytest

from clickup_toolkit import records
from clickup_toolkit.records import ROW_TYPES, TABLES, Table

TYPES = {"TEXT", "INTEGER", "REAL", "BOOLEAN", "TIMESTAMP", "DURATION", "JSON"}
PROMISED = {
    "spaces",
    "folders",
    "lists",
    "members",
    "tasks",
    "task_assignees",
    "task_tags",
    "task_lists",
    "custom_fields",
    "task_custom_fields",
    "time_entries",
    "time_in_status",
    "status_changes",
    "gaps",
    "exports",
}
COLUMNS = {f"{table.name}.{column.name}": column for table in TABLES.values() for column in table.columns}
each_table = pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)


def test_the_promised_tables_are_there() -> None:
    """The names that others rely on are declared; each table is filed under its own name."""
    assert set(TABLES) >= PROMISED
    assert [table.name for table in TABLES.values()] == list(TABLES)


def test_every_row_class_has_its_table() -> None:
    """Each row class of the module belongs to one table, and is found by it."""
    rows = {
        value
        for value in vars(records).values()
        if inspect.isclass(value) and issubclass(value, tuple) and hasattr(value, "_fields")
    }
    assert {*ROW_TYPES, records.RAW.row} == rows
    assert list(ROW_TYPES.values()) == list(TABLES.values())


@each_table
def test_a_row_is_a_tuple_in_column_order(table: Table) -> None:
    """The fields of the row class are the columns, in their order, each once."""
    assert table.row._fields == tuple(column.name for column in table.columns)


@each_table
def test_keys_labels_and_indexes_name_columns(table: Table) -> None:
    """What identifies, names or orders the rows is a column; a key is never empty."""
    columns = {column.name: column for column in table.columns}
    assert set(table.key) <= set(columns)
    assert [name for name in table.key if columns[name].nullable] == []
    assert table.label is None or table.label in columns
    assert {name for index in table.indexes for name in index} <= set(columns)
    assert len(set(table.indexes)) == len(table.indexes)


@each_table
def test_a_table_says_what_it_holds(table: Table) -> None:
    """The description is one line of whole sentences, fit for a page's head."""
    assert table.description.endswith(".")
    assert "\n" not in table.description


def test_a_column_has_a_type_and_a_description() -> None:
    """A column has a known type and says what it is, as a label does: no full stop at the end."""
    assert {column.type for column in COLUMNS.values()} == TYPES
    assert [name for name, column in COLUMNS.items() if column.description.strip(". ") == ""] == []
    assert [name for name, column in COLUMNS.items() if column.description.endswith(".")] == []


def test_a_duration_says_its_unit_in_its_name() -> None:
    """Durations end in ``_ms`` and have the unit ms, and nothing else does."""
    durations = {name for name, column in COLUMNS.items() if column.type == "DURATION"}
    assert {name for name in COLUMNS if name.endswith("_ms")} == durations
    assert {name for name, column in COLUMNS.items() if column.unit == "ms"} == durations


def test_a_boolean_is_explained_by_its_one() -> None:
    """SQLite shows 0 and 1: the description of a boolean, and of nothing else, says what 1 means."""
    booleans = {name for name, column in COLUMNS.items() if column.type == "BOOLEAN"}
    assert {name for name, column in COLUMNS.items() if column.description.startswith("1 ")} == booleans


def test_a_reference_points_at_the_key_of_a_table() -> None:
    """A reference names the only key column of a table, and both have one type."""
    references = {name: column for name, column in COLUMNS.items() if column.references}
    keys = {f"{table.name}.{table.key[0]}" for table in TABLES.values() if len(table.key) == 1}
    assert {column.references for column in references.values()} <= keys
    assert {name: column.type for name, column in references.items()} == {
        name: COLUMNS[column.references].type for name, column in references.items()
    }


def test_references_point_backwards_where_they_can() -> None:
    """Filled in this order, a table refers to earlier ones or itself, so foreign keys always hold."""
    order = list(TABLES)
    forward = {
        (table.name, column.references)
        for table in TABLES.values()
        for column in table.columns
        if column.references and order.index(column.references.split(".")[0]) > order.index(table.name)
    }
    assert forward == set()


@each_table
def test_a_default_row_needs_the_key_and_what_must_be_there(table: Table) -> None:
    """Every column that may be empty defaults to empty, so a row is made from what is known."""
    defaults = table.row._field_defaults
    assert {c.name for c in table.columns if c.nullable} <= set(defaults)
    assert {name: defaults[name] for name in defaults if defaults[name] is None} == {
        c.name: None for c in table.columns if c.nullable
    }
