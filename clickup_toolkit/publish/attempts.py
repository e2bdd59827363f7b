"""What makes exporting a workspace for one run of many harmless to do twice.

Whoever hands out the work may hand it out again: because a worker died, or because it only seemed to. The
first attempt of a run notes which version was the latest before; a later one that finds another knows that
the work was done. Between the two stands a lock that is held from before the export until its files lie
where the next export looks for them, longer than :class:`ExportLock` is.
"""

from __future__ import annotations

import redis

from clickup_toolkit.publish.faults import plain_faults
from clickup_toolkit.publish.keys import Keys
from clickup_toolkit.publish.lock import ExportLock

__all__ = ["FilesLock", "version_before"]

_REMEMBERED_S = 7 * 86_400

# KEYS[1] the run's note, KEYS[2] the latest version; ARGV[1] the life of the note in s.
# Returns the version that was the latest when the run first came here, '' for none.
_NOTE = """
redis.call('SET', KEYS[1], redis.call('GET', KEYS[2]) or '', 'NX', 'EX', ARGV[1])
return redis.call('GET', KEYS[1])
"""


def version_before(client: redis.Redis, team_id: str, run: str) -> str | None:
    """Return the version that was the latest when ``run`` first asked; None where there was none.

    Raises :class:`~clickup_toolkit.errors.RedisError` when the server cannot be used.
    """
    keys = Keys(team_id)
    with plain_faults(client):
        noted = client.eval(_NOTE, 2, keys.run(run), keys.latest, _REMEMBERED_S)
    return bytes(noted).decode() or None


class FilesLock(ExportLock):
    """As :class:`ExportLock`, around the export and the way of its files to object storage and back."""

    def __init__(self, client: redis.Redis, team_id: str, ttl: float) -> None:
        super().__init__(client, team_id, ttl)
        self.key = Keys(team_id).files
