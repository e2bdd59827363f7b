"""Prints the generated parts of the docs; cog puts them between its marks. ``make docs`` writes them anew."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

import click

from clickup_toolkit.publish import keys
from clickup_toolkit.records import TABLES, Table
from clickup_toolkit.serve import document_fields, openapi
from clickup_toolkit.serve.routes import ROUTES
from clickup_toolkit.settings import REQUIRED, SETTINGS, Setting
from clickup_toolkit.store import ANALYTICS
from clickup_toolkit.store.formats import FORMATS

__all__ = [
    "analytics",
    "command_line",
    "fields",
    "formats",
    "layers",
    "optional_fields",
    "redis_keys",
    "remedies",
    "routes",
    "settings",
    "statuses",
    "tables",
]

ROOT = Path(__file__).parent.parent


def settings(*variables: str) -> None:
    """Print every variable, or these, with its meaning and default."""
    rows = (
        (f"`{setting.variable}`", setting.meaning, _default(name, setting))
        for name, setting in SETTINGS.items()
        if not variables or setting.variable in variables
    )
    _table(("variable", "meaning", "default"), rows)


def remedies() -> None:
    """Print where the values come from that nobody can guess."""
    _table(
        ("variable", "where it comes from"),
        ((f"`{setting.variable}`", setting.remedy) for setting in SETTINGS.values() if setting.remedy),
    )


def _default(name: str, setting: Setting) -> str:
    if name in REQUIRED:
        return "required to serve" if name == "api_auth_token" else "required"
    return f"`{setting.default}`" if setting.default else "unset"


def formats() -> None:
    """Print the formats of the database."""
    _table(("format", "what is new in it"), ((str(each.number), each.change) for each in FORMATS))


def tables() -> None:
    """Print a list of the tables, then each with its columns."""
    _table(
        ("table", "what it holds"),
        ((f"[`{name}`](#{name})", table.description) for name, table in TABLES.items()),
    )
    for table in TABLES.values():
        _columns(table)


def _columns(table: Table) -> None:
    key = ", ".join(f"`{name}`" for name in table.key)
    print(f"\n## `{table.name}`\n\n{table.description}\n\nKey: {key}.")
    rows = (
        (
            f"`{column.name}`",
            column.type + (", may be empty" if column.nullable else ""),
            column.description,
            _link(column.references),
        )
        for column in table.columns
    )
    _table(("column", "type", "meaning", "refers to"), rows)


def _link(reference: str) -> str:
    return f"[`{reference}`](#{reference.split('.')[0]})" if reference else ""


def analytics() -> None:
    """Print the names in a task's analytics."""
    rows = (
        (f"`{name}`", measure.meaning, measure.unit, "grows" if measure.as_of and name != "as_of" else "")
        for name, measure in ANALYTICS.items()
    )
    _table(("name", "meaning", "unit", ""), rows)


def fields(name: str, holds: str = "what it holds") -> None:
    """Print the fields of a part of the JSON document, as the schema declares them."""
    found = getattr(document_fields, name)
    _table(("key", holds), ((f"`{field.name}`", field.meaning) for field in found))


def optional_fields() -> None:
    """Print the fields that stand in the JSON document while a setting is on."""
    places = {
        "a task": document_fields.OPTIONAL_OF_TASKS,
        "the document": document_fields.OPTIONAL,
        "`as_of`": document_fields.OPTIONAL_AS_OF,
    }
    rows = ((place, f"`{field.name}`", field.meaning) for place, found in places.items() for field in found)
    _table(("where", "key", "what it holds"), rows)


def routes() -> None:
    """Print the addresses that programs may ask for."""
    asks = {"token": "the token", "metrics": "the token, or `METRICS_OPEN`", "": "nothing"}
    _table(
        ("address", "what it answers", "needs"),
        ((f"`{route.path}`", route.summary, asks[route.closed]) for route in ROUTES),
    )


def statuses() -> None:
    """Print the statuses of answers and what they mean."""
    _table(("status", "meaning"), ((str(status), meaning) for status, meaning in openapi.MEANINGS.items()))


def redis_keys() -> None:
    """Print the table of keys that stands in the docstring of the module that makes them."""
    lines = [re.split(r" {2,}", line) for line in (keys.__doc__ or "").splitlines() if line.startswith("``")]
    _table(
        ("key", "type", "what it holds"), ((key.replace("``", "`"), kind, held) for key, kind, held in lines)
    )


def layers() -> None:
    """Print the layers as pyproject.toml's import contract has them, each module with its first sentence."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    (contract,) = project["tool"]["importlinter"]["contracts"]
    count = len(contract["layers"])
    rows = (
        (str(count - 1 - index), f"`{module}`", _first_sentence(module))
        for index, layer in enumerate(contract["layers"])
        for module in layer.split(" | ")
    )
    _table(("layer", "module", "its one job"), rows)


def _first_sentence(module: str) -> str:
    path = ROOT / "clickup_toolkit" / module
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    text = source.read_text().removeprefix('"""').split('"""')[0]
    return text.split("\n\n")[0].replace("\n", " ").replace("``", "`").strip().removesuffix(".")


def command_line() -> None:
    """Print the help of the command and of each of its subcommands, as a terminal shows it."""
    from clickup_toolkit.cli import main

    asked = {"args": [], "resilient_parsing": True}  # for help alone: nothing is run, nothing is missing
    with main.make_context("clickup-toolkit", terminal_width=100, **asked) as context:
        _help(main, context)
        for name in main.list_commands(context):
            command = main.get_command(context, name)
            assert command is not None
            with command.make_context(name, parent=context, **asked) as below:
                print(f"\n## `{name}`")
                _help(command, below)
                for inner_name, inner in getattr(command, "commands", {}).items():
                    with inner.make_context(inner_name, parent=below, **asked) as innermost:
                        print(f"\n### `{name} {inner_name}`")
                        _help(inner, innermost)


def _help(command: click.Command, context: click.Context) -> None:
    print(f"\n```text\n{command.get_help(context)}\n```\n")


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    print(f"\n| {' | '.join(head)} |\n|{' --- |' * len(head)}")
    for row in rows:
        print(f"| {' | '.join(_cell(text) for text in row)} |")
    print()


def _cell(text: str) -> str:
    code_or_tag = re.compile(r"(`[^`]*`)|<")
    return code_or_tag.sub(lambda match: match[1] or "&lt;", text).replace("|", "\\|")
