"""Goes on with the journal of an interrupted crawl, or begins a new one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
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
        interrupted = _interrupted(path, wanted, since, now)
        if interrupted:
            interrupted.note_facts({"streams": " ".join(sorted(streams))})
            return interrupted
        _remove(path)
    journal = Journal(path)
    if previous is not None:
        reread = None if since is None else newest_window(now, since)
        journal.know(previous, reread, EARLIEST if reread else now - round(reread_days * DAY_MS))
        wanted = {**wanted, **({} if since is None else {"since": str(since)})}
    mode = "incremental" if "since" in wanted else "full"
    chosen = {"streams": " ".join(sorted(streams))}
    journal.note_facts({**wanted, **chosen, "mode": mode, "started": str(now)})
    return journal


def _interrupted(path: Path, wanted: Mapping[str, str], since: int | None, now: int) -> Journal | None:
    """Open the journal that is there if it can be gone on with; one that is damaged is as good as none."""
    try:
        journal = Journal(path)
    except JournalDamaged:
        return None
    try:
        if _continues(journal, wanted, since, now):
            journal.check()
            return journal
    except JournalDamaged:
        pass
    journal.close()
    return None


def _continues(journal: Journal, wanted: Mapping[str, str], since: int | None, now: int) -> bool:
    facts = journal.facts
    same = all(facts.get(name) == value for name, value in wanted.items()) and "started" in facts
    fits = same and (journal.since is None or journal.since == since)
    return fits and "published" not in facts and now - journal.started < RESUME_WITHIN_MS


def _remove(path: Path) -> None:
    for file in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        file.unlink(missing_ok=True)
