"""From what Redis holds of chunks back to their texts: inflated, or told by deltas of newer ones.

Everything is verified before it is used: stored bytes against the digest that names them, a decoded text
against the hash that was kept with the delta. So a text is either right or missing.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence

from clickup_toolkit.publish.asking import Steps, Work, evaluate
from clickup_toolkit.publish.chunks import digest, inflate
from clickup_toolkit.publish.deltas import decode, seal
from clickup_toolkit.publish.keys import Keys
from clickup_toolkit.publish.looks import LOAD

__all__ = ["texts"]

_AT_ONCE = 16  # chunks asked for in one step; a few megabytes

Found = Sequence[bytes]


def texts(keys: Keys, digests: Iterable[str]) -> Steps[dict[str, bytes]]:
    """Return the texts of chunks by their digests, without those that are gone or damaged."""
    wanted = list(dict.fromkeys(digests))
    made = yield from _read(keys, wanted)
    missing = [name for name in wanted if name not in made]
    if missing:
        # Bases are read after what rests on them. A version that was published in between may have turned
        # that round: what was a delta stands whole now, and its base rests on it.
        made |= yield from _read(keys, missing)
    return made


def _read(keys: Keys, wanted: list[str]) -> Steps[dict[str, bytes]]:
    found: dict[str, Found] = {}
    missing = wanted
    while missing:
        for start in range(0, len(missing), _AT_ONCE):
            asked = missing[start : start + _AT_ONCE]
            forms = yield evaluate(LOAD, [keys.chunk(name) for name in asked], keys.delta(""))
            found.update(zip(asked, forms, strict=True))
        named = dict.fromkeys(base for name in missing for base in _bases(found[name]))
        missing = [base for base in named if base not in found]
    made: dict[str, bytes] = yield Work(lambda: _made(wanted, found))
    return made


def _bases(form: Found) -> list[str]:
    return form[0].decode().split() if len(form) == 3 else []


def _made(wanted: Iterable[str], found: Mapping[str, Found]) -> dict[str, bytes]:
    texts: dict[str, bytes | None] = {}
    # Bases before what rests on them. Deltas point to newer chunks alone, so there is no way back.
    waiting = list(wanted)
    begun: set[str] = set()
    while waiting:
        name = waiting[-1]
        open_bases = [base for base in _bases(found[name]) if base not in texts and base not in begun]
        begun.add(name)
        if open_bases:
            waiting += open_bases
        else:
            waiting.pop()
            if name not in texts:
                texts[name] = _text(name, found[name], texts)
    return {name: text for name in wanted if (text := texts.get(name)) is not None}


def _text(name: str, form: Found, texts: Mapping[str, bytes | None]) -> bytes | None:
    if len(form) == 1:
        return _inflated(name, form[0])
    bases = [texts.get(base) for base in _bases(form)]
    if len(form) != 3 or None in bases:
        return None
    text = decode(form[2], b"".join(base for base in bases if base))
    return text if text is not None and seal(text) == form[1] else None


def _inflated(name: str, stored: bytes) -> bytes | None:
    if digest(stored) != name:
        return None
    try:
        return inflate(stored)
    except zlib.error:
        return None
