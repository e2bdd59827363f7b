"""``clickup-toolkit versions``: what Redis holds, and what to do with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click
import msgspec

from clickup_toolkit.cli.common import data_dir_option, read_settings, start_logging
from clickup_toolkit.errors import ExportRunning, RedisError
from clickup_toolkit.settings import Settings

if TYPE_CHECKING:
    import redis

    from clickup_toolkit.publish import Difference, Memory, StoredVersion

_HEAD = ("version", "updated (UTC)", "tasks", "text MB", "gzip MB", "Redis MB", "shared", "complete", "stays")
_NUMBERS = range(2, 7)
_SIGNS = {"came": "+", "went": "-", "status": "~", "changed": "*"}
_COUNTED = {"came": "came", "went": "went", "status": "changed status", "changed": "changed otherwise"}

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


class _Held(NamedTuple):
    """The settings, and a client of the server that holds the versions of their workspace."""

    settings: Settings
    team_id: str
    client: redis.Redis

    def find(self, wanted: str) -> StoredVersion:
        """Return a version by id, day or ``latest``. Raises :class:`RedisError` when there is none."""
        from clickup_toolkit import publish

        stored = publish.find(self.client, self.team_id, wanted)
        if stored is None:
            raise RedisError(f"There is no version {wanted}.", "List them: clickup-toolkit versions")
        return stored


@contextmanager
def _held(data_dir: Path | None) -> Iterator[_Held]:
    above = click.get_current_context().parent
    if data_dir is None and above is not None:
        data_dir = above.params.get("data_dir")
    settings = read_settings("team_id", data_dir=data_dir)
    start_logging(settings, "warning")
    from clickup_toolkit import publish

    assert settings.team_id
    with publish.connect(settings) as client:
        yield _Held(settings, settings.team_id, client)


@click.group(invoke_without_command=True)
@data_dir_option
@click.pass_context
def versions(ctx: click.Context, data_dir: Path | None) -> None:
    """List the versions of the export that Redis holds, and look after them.

    Where a VERSION is asked for, it is an id, a day (2026-11-23, UTC: the newest of it), or latest.
    """
    if ctx.invoked_subcommand is None:
        _list(data_dir, as_json=False)


@versions.command("list")
@json_option
@data_dir_option
def list_(data_dir: Path | None, as_json: bool) -> None:
    """List the versions, the newest first.

    The first is the one that is served. Redis MB is what a version takes as it is stored, shared the part
    of it that other versions hold, too. A version that is not kept any more stays for an hour, or as long
    as somebody downloads it.
    """
    _list(data_dir, as_json)


def _list(data_dir: Path | None, as_json: bool) -> None:
    from clickup_toolkit import publish

    with _held(data_dir) as held:
        taken = {one.version: one for one in publish.memory(held.client, held.team_id)}
        found = [
            (one, taken[one.version])
            for one in publish.versions(held.client, held.team_id)
            if one.version in taken
        ]
    if as_json:
        click.echo(msgspec.json.encode([_facts(*one) for one in found]))
    elif found:
        click.echo(_table([_HEAD, *(_row(*one) for one in found)]))
    else:
        click.echo(f"Redis holds no version of workspace {held.team_id}. Make one: clickup-toolkit export")


@versions.command()
@click.argument("version")
@json_option
@data_dir_option
def show(version: str, data_dir: Path | None, as_json: bool) -> None:
    """Show what is known of a VERSION."""
    from clickup_toolkit import publish

    with _held(data_dir) as held:
        stored = held.find(version)
        taken = publish.memory(held.client, held.team_id)
        memory = next((one for one in taken if one.version == stored.version), None)
        if memory is None:
            raise RedisError(
                f"Version {stored.version} has just gone.", "List them: clickup-toolkit versions"
            )
        facts = _facts(stored, memory)
    if as_json:
        click.echo(msgspec.json.encode(facts))
    else:
        width = max(map(len, facts)) + 2
        click.echo(
            "\n".join(f"{name.replace('_', ' '):{width}}{_shown(value)}" for name, value in facts.items())
        )


@versions.command()
@click.argument("older")
@click.argument("newer", default="latest")
@json_option
@data_dir_option
def diff(older: str, newer: str, data_dir: Path | None, as_json: bool) -> None:
    """Say which tasks are others from OLDER to NEWER.

    A task came (+), went (-), changed its status (~) or changed otherwise (*). NEWER is the latest version
    where it is not given. With --json, one object a line.
    """
    from clickup_toolkit import publish

    counts: Counter[str] = Counter()
    with _held(data_dir) as held:
        one, other = held.find(older), held.find(newer)
        for found in publish.differences(held.client, one, other):
            counts[found.what] += 1
            click.echo(msgspec.json.encode(found) if as_json else _line(found))
    if not as_json:
        told = ", ".join(f"{counts[what]:,} {said}" for what, said in _COUNTED.items())
        click.echo(f"{one.version} to {other.version}: {told}")


@versions.command()
@click.argument("version")
@data_dir_option
def pin(version: str, data_dir: Path | None) -> None:
    """Keep a VERSION until it is unpinned.

    One that is leaving comes back.
    """
    from clickup_toolkit import publish

    with _held(data_dir) as held:
        stored = held.find(version)
        publish.pin(held.client, held.team_id, stored, held.settings.redis_lock_ttl)
    click.echo(f"Pinned {stored.version}")


@versions.command()
@click.argument("version")
@data_dir_option
def unpin(version: str, data_dir: Path | None) -> None:
    """Keep a VERSION no longer than others.

    The next export drops it when it is due.
    """
    from clickup_toolkit import publish

    with _held(data_dir) as held:
        stored = held.find(version)
        done = publish.unpin(held.client, held.team_id, stored.version)
    click.echo(f"Unpinned {stored.version}" if done else f"{stored.version} was not pinned")


@versions.command()
@click.argument("version")
@data_dir_option
def delete(version: str, data_dir: Path | None) -> None:
    """Remove a VERSION, by its id, for good.

    The latest is never deleted, and no pinned one. Whoever downloads it right now can finish; its memory is
    freed an hour later.
    """
    from clickup_toolkit import publish

    with _held(data_dir) as held:
        try:
            publish.delete(held.client, held.team_id, version, held.settings.redis_lock_ttl)
        except ExportRunning:
            click.echo("An export is running; it frees the memory when it ends.", err=True)
    click.echo(f"Deleted {version}")


@versions.command()
@data_dir_option
def rebuild(data_dir: Path | None) -> None:
    """Publish again what Redis lost.

    That is the version of the data folder's database; ClickUp is not asked. Every byte of the latest
    version is read and verified. `serve`, `up` and `export` look by themselves whether it is there.
    """
    from clickup_toolkit.rebuild import rebuild as rebuild_version

    with _held(data_dir) as held:
        version = rebuild_version(held.settings, thoroughly=True)
    click.echo(f"Published version {version} again" if version else "Nothing to rebuild")


def _facts(stored: StoredVersion, taken: Memory) -> dict[str, object]:
    return {
        "version": stored.version,
        "updated_at": stored.updated_at,
        "complete": stored.complete,
        "tasks": stored.tasks,
        **stored.facts,
        "text_bytes": stored.text_bytes,
        "gzip_bytes": stored.gzip_bytes,
        "stored_bytes": taken.stored_bytes,
        "shared_bytes": taken.shared_bytes,
        "chunks": len(stored.chunks),
        "pinned": stored.pinned,
        "ttl": stored.ttl,
        "etag": stored.etag,
    }


def _row(stored: StoredVersion, taken: Memory) -> tuple[str, ...]:
    return (
        stored.version,
        f"{stored.updated_at:%Y-%m-%d %H:%M:%S}",
        f"{stored.tasks:,}",
        f"{stored.text_bytes / 1e6:,.2f}",
        f"{stored.gzip_bytes / 1e6:,.2f}",
        f"{taken.stored_bytes / 1e6:,.2f}",
        f"{taken.shared_bytes / max(taken.stored_bytes, 1):.0%}",
        "yes" if stored.complete else "with gaps",
        _stays(stored),
    )


def _stays(stored: StoredVersion) -> str:
    if stored.ttl is not None:
        return f"{-(-stored.ttl // 60)} min"
    return "pinned" if stored.pinned else "kept"


def _line(found: Difference) -> str:
    statuses = " → ".join(status or "no status" for status in _statuses(found))
    return _printable(f"{_SIGNS[found.what]} {found.id}  {found.name}  ({statuses})")


def _printable(text: str) -> str:
    """Return a text without what would steer the terminal."""
    return "".join(character if character.isprintable() else "�" for character in text)


def _statuses(found: Difference) -> tuple[str | None, ...]:
    return {
        "came": (found.after,),
        "went": (found.before,),
        "status": (found.before, found.after),
        "changed": (found.after,),
    }[found.what]


def _shown(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "–"}[value]
    return f"{value:,}" if isinstance(value, int) else str(value)


def _table(rows: list[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if place in _NUMBERS else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
