"""Goes on with the journal of an interrupted crawl, or begins a new one."""

from __future__ import annotations

import hashlib
import sqlite3
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path

from clickup_toolkit.crawl import newest_window
from clickup_toolkit.errors import JournalDamaged
from clickup_toolkit.normalise.values import EARLIEST
from clickup_toolkit.settings import Secret
from clickup_toolkit.store.journal import Journal

__all__ = ["open_journal"]

DAY_MS = 86_400_000
RESUME_WITHIN_MS = DAY_MS
"""A crawl that was interrupted longer ago is begun anew."""
_ON_TOP_OF = "previous"


def open_journal(
    path: Path,
    team_id: str,
    source: tuple[str, Secret],
    *,
    since: int | None,
    previous: Path | None,
    now: int,
    streams: Iterable[str] = (),
    reread_days: float = 7.0,
) -> Journal:
    """Return the journal of an interrupted crawl of the same workspace from the same source, or a new one.

    ``source`` is the API's address and the token: they decide what is seen. ``since`` (ms) asks for a crawl
    of what changed since then, on top of the database ``previous``; None asks for everything. An interrupted
    crawl of everything is finished also when less would do now. ``now`` is in ms since 1970 UTC.
    ``streams`` are the optional streams to read; of these, a crawl of everything reads again what is
    ``reread_days`` old. Raises :class:`~clickup_toolkit.errors.StorageError` where the file cannot be
    written.
    """
    address, token = source
    # Only a fingerprint is kept: both may be secret.
    fingerprint = hashlib.sha256(f"{address} {token.reveal()}".encode()).hexdigest()[:12]
    wanted = {"team_id": team_id, "source": fingerprint}
    if path.exists():
        interrupted = _interrupted(path, wanted, since, previous, now)
        if interrupted:
            _know_anew(interrupted, previous, now, reread_days)
            interrupted.note_facts({"streams": " ".join(sorted(streams))})
            return interrupted
        _remove(path)
    journal = Journal(path)
    if previous is not None:
        reread = None if since is None else newest_window(now, since)
        journal.know(previous, reread, EARLIEST if reread else _read_since(now, reread_days))
        wanted = {**wanted, **({} if since is None else {"since": str(since)})}
    mode = "incremental" if "since" in wanted else "full"
    chosen = {"streams": " ".join(sorted(streams)), _ON_TOP_OF: _name(previous)}
    journal.note_facts({**wanted, **chosen, "mode": mode, "started": str(now)})
    return journal


def _interrupted(
    path: Path, wanted: Mapping[str, str], since: int | None, previous: Path | None, now: int
) -> Journal | None:
    """Open the journal that is there if it can be gone on with; one that is damaged is as good as none.

    So is one of another release that keeps other things in it: beginning anew costs requests, and no data.
    """
    if not _is_of_this_release(path):
        return None
    try:
        journal = Journal(path)
    except JournalDamaged:
        return None
    try:
        if _continues(journal, wanted, since, previous, now):
            journal.check()
            return journal
    except JournalDamaged:
        pass
    journal.close()
    return None


def _is_of_this_release(path: Path) -> bool:
    with tempfile.TemporaryDirectory() as place:
        with closing(Journal(Path(place) / path.name)) as fresh:
            ours = _layout(fresh.path)
        try:
            return _layout(path) == ours
        except sqlite3.Error:
            return False


def _layout(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as db:
        return {sql for (sql,) in db.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")}


def _continues(
    journal: Journal, wanted: Mapping[str, str], since: int | None, previous: Path | None, now: int
) -> bool:
    facts = journal.facts
    same = all(facts.get(name) == value for name, value in wanted.items()) and "started" in facts
    # An incremental crawl is nothing without the very database that it builds on.
    fits = same and (
        journal.since is None or (journal.since == since and facts.get(_ON_TOP_OF) == _name(previous))
    )
    return fits and "published" not in facts and now - journal.started < RESUME_WITHIN_MS


def _know_anew(journal: Journal, previous: Path | None, now: int, reread_days: float) -> None:
    """Where the last export's database is another one now, or gone, rest on that and on nothing else."""
    if journal.facts.get(_ON_TOP_OF, "") == _name(previous):
        return
    if previous is None:
        journal.forget()
    else:
        journal.know(previous, None, _read_since(now, reread_days))
    journal.note_facts({_ON_TOP_OF: _name(previous)})


def _name(previous: Path | None) -> str:
    return "" if previous is None else previous.name


def _read_since(now: int, reread_days: float) -> int:
    return now - round(reread_days * DAY_MS)


def _remove(path: Path) -> None:
    for file in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        file.unlink(missing_ok=True)
