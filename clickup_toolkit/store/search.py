"""Full-text search over tasks, comments and pages of docs, as FTS5 tables without content of their own.

A row's words are found under its ``rowid``, which stays while the row does. A whole build fills the tables in
bulk; another takes out the words of the rows that were written and puts their new ones in, so it costs what
changed.

Words are folded (case, accents) by FTS5's own ``unicode61``. Scripts that write no blanks between words are
taken character by character, and what is searched for as well, as a phrase: so a part of a sentence is found,
however short it is.
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from dataclasses import dataclass

__all__ = ["SEARCHES", "Search", "fill_search", "folded", "matching", "search_definitions", "update_search"]

# Kana, Han, Hangul, Thai, Lao, Myanmar, Khmer
_UNSPACED = re.compile(
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff])"
)
_PARTS = re.compile(r'"([^"]*)"?|([^\s"]+)')
_NOTHING = '""'  # a phrase of no words; FTS5 stumbles over no expression at all
_MOST_PARTS = 32
_LONGEST = 1000  # characters of what is searched for
_SHORTEST_BEGINNING = 3  # characters: shorter ones begin too many words
_HASH_BYTES = 4 << 20  # words are sorted in pieces of that size


@dataclass(frozen=True)
class Search:
    """What is searched in ``table``: columns of words, from SQL over ``t`` and what is joined to it.

    ``{0}`` stands for the schema. ``beside`` names other tables whose rows, by their task, change the words.
    """

    table: str
    columns: dict[str, str]
    joined: str = ""
    beside: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name of the table of words."""
        return f"{self.table}_words"


SEARCHES: dict[str, Search] = {
    search.table: search
    for search in (
        Search(
            "tasks",
            {
                "name": "t.name",
                "ids": "t.id || ' ' || coalesce(t.custom_id, '')",
                "tags": "(SELECT group_concat(g.tag, ' ') FROM {0}task_tags AS g WHERE g.task_id = t.id)",
                "description": "x.text",
            },
            "LEFT JOIN {0}task_texts AS x ON x.task_id = t.id",
            ("task_tags", "task_texts"),
        ),
        Search("comments", {"text": "t.text"}),
        Search("doc_pages", {"name": "t.name", "content": "t.content"}),
    )
}
"""What can be searched, by table."""


def search_definitions() -> list[str]:
    """Return the statements that create the tables of words."""
    return [
        f"CREATE VIRTUAL TABLE \"{search.name}\" USING fts5({', '.join(search.columns)}, content='', "
        "tokenize='unicode61 remove_diacritics 2')"
        for search in SEARCHES.values()
    ]


def fill_search(db: sqlite3.Connection) -> None:
    """Put the words of all rows into the empty tables of words."""
    _prepare(db)
    for search in SEARCHES.values():
        db.execute(_insertion(search) + _words(search, "main.") + " ORDER BY t.rowid")


def update_search(db: sqlite3.Connection) -> None:
    """Put right the words of the rows that ``changes`` names; ``previous`` is the database before."""
    _prepare(db)
    for search in SEARCHES.values():
        tables = ", ".join(f"'{name}'" for name in (search.table, *search.beside))
        changed = f"WHERE t.id IN (SELECT key FROM main.changes WHERE name IN ({tables}))"  # noqa: S608  # our own names
        db.execute(_insertion(search, "'delete', ") + _words(search, "previous.", "'delete', ") + changed)
        db.execute(_insertion(search) + _words(search, "main.") + changed)


def matching(text: str | None) -> str:
    """Return the FTS5 expression that finds rows with all these words; any text is a good one.

    A word of three characters and more also finds the words that begin with it; words in quotation marks
    are found as they stand, next to each other. Nothing to look for finds nothing.
    """
    parts = []
    for quoted, bare in _PARTS.findall((text or "")[:_LONGEST].replace("\0", " ")):
        words = _spaced(quoted or bare)
        if any(character.isalnum() for character in words):
            parts.append(f'"{words}"' + ("*" if len(bare) >= _SHORTEST_BEGINNING else ""))
    return " ".join(parts[:_MOST_PARTS]) or _NOTHING


def folded(text: str | None) -> str:
    """Return a name as it is compared: without regard to case, width, and blanks around it."""
    return unicodedata.normalize("NFKC", text or "").casefold().strip()


def _prepare(db: sqlite3.Connection) -> None:
    db.create_function("spaced", 1, _spaced, deterministic=True)
    for search in SEARCHES.values():
        db.execute(
            f'INSERT INTO main."{search.name}" ("{search.name}", rank) VALUES (\'hashsize\', ?)',  # noqa: S608
            [_HASH_BYTES],
        )


def _insertion(search: Search, command: str = "") -> str:
    first = f'"{search.name}", ' if command else ""
    return f'INSERT INTO main."{search.name}" ({first}rowid, {", ".join(search.columns)}) '


def _words(search: Search, schema: str, command: str = "") -> str:
    values = ", ".join(f"spaced({value})" for value in search.columns.values())
    source = f'{{0}}"{search.table}" AS t {search.joined} '
    return f"SELECT {command}t.rowid, {values} FROM {source}".format(schema)  # noqa: S608


def _spaced(text: str | None) -> str:
    """Return a text in which every character that is a word by itself stands alone."""
    if text is None or text.isascii():
        return text or ""
    return _UNSPACED.sub(r" \1 ", unicodedata.normalize("NFKC", text))
