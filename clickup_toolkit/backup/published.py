"""Published versions on their way into a backup: their chunks as they come, each version proved whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import redis

from clickup_toolkit.backup.archive import Version, Writer
from clickup_toolkit.backup.pieces import Pieces, packed_delta
from clickup_toolkit.publish.copying import Copied, Form, whole_form

__all__ = ["add_versions"]


def add_versions(
    writer: Writer, client: redis.Redis, copied: Sequence[Copied], found: Iterable[Form]
) -> tuple[list[Version], list[str]]:
    """Add versions with the chunks that were ``found``; return them, and the ids of those that lack some.

    Chunks that exports turned round between two looks, so that each rests on the other, are rebuilt.
    """
    for form in found:
        _add_form(writer, form)
    pieces = Pieces(writer)
    whole, missing = [], []
    for one in copied:
        stored = one.read()
        for chunk in pieces.broken(stored):
            made = whole_form(client, stored.team_id, chunk)
            if made is not None and f"chunks/{made.digest}" not in writer:
                _add_form(writer, made)
        pieces.forget_broken()
        if pieces.broken(stored):
            missing.append(one.id)
        else:
            writer.add(f"versions/{one.id}.json", one.manifest)
            whole.append(Version(one.id, one.etag, one.ttl, one.pinned))
    return whole, missing


def _add_form(writer: Writer, form: Form) -> None:
    if form.bases:
        writer.add(f"deltas/{form.digest}", packed_delta(form))
    else:
        writer.add(f"chunks/{form.digest}", form.data)
