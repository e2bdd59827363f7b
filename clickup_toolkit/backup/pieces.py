"""The chunks of versions in a backup: read, and proved to be the texts that the versions name."""

from __future__ import annotations

import struct
import zlib
from collections import OrderedDict

import msgspec

from clickup_toolkit.backup.archive import DELTA, Contents, Reader, Writer, refused
from clickup_toolkit.errors import VersionDamaged
from clickup_toolkit.publish.chunks import Chunk, digest, inflate
from clickup_toolkit.publish.copying import Copied, Form
from clickup_toolkit.publish.deltas import decode, seal
from clickup_toolkit.publish.manifest import StoredVersion

__all__ = ["Pieces", "packed_delta"]

_KEPT = 64 << 20  # bytes of texts that are remembered while others are rebuilt from them
_DEEPEST = 200  # deltas one upon the other; versions that are kept are fewer
_LENGTHS = struct.Struct("<II")


def packed_delta(form: Form) -> bytes:
    """Return a delta as it is kept in a backup: its bases, the hash of its text, the delta itself."""
    bases = " ".join(form.bases).encode()
    return b"".join((DELTA, _LENGTHS.pack(len(bases), len(form.sha)), bases, form.sha, form.data))


class Pieces:
    """The chunks in a backup, be it one that is just being written."""

    def __init__(self, archive: Reader | Writer) -> None:
        self._archive = archive
        self._texts: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0
        self._broken: set[str] = set()
        self._begun: set[str] = set()  # what rests on one of these in turn would go round

    def form(self, name: str) -> Form | None:
        """Return a chunk as it is kept; None where it is not, or damaged."""
        if f"chunks/{name}" in self._archive:
            data = self._archive.read(f"chunks/{name}")
            return Form(name, data) if digest(data) == name else None
        if f"deltas/{name}" not in self._archive:
            return None
        return _unpacked(name, self._archive.read(f"deltas/{name}"))

    def broken(self, stored: StoredVersion) -> list[Chunk]:
        """Return the chunks of a version whose text cannot be rebuilt, or is not what the version says."""
        return [chunk for chunk in stored.chunks if not self._holds(chunk)]

    def forget_broken(self) -> None:
        """Look again at what was broken: something was appended."""
        self._broken.clear()

    def versions(self, contents: Contents) -> list[Copied]:
        """Return the versions, each proved to be whole; raises :class:`StorageError` where one is not."""
        found = []
        for version in contents.versions:
            name = f"versions/{version.id}.json"
            text = self._archive.read(name) if name in self._archive else b""
            one = Copied(version.id, text, version.etag, version.ttl, version.pinned)
            try:
                stored = one.read()
            except (VersionDamaged, msgspec.MsgspecError) as damage:
                raise refused(self._archive.path, f"its version {version.id} is damaged") from damage
            ours = (stored.version, stored.team_id) == (version.id, contents.team_id)
            if not ours or self.broken(stored):
                raise refused(self._archive.path, f"its version {version.id} is not whole")
            found.append(one)
        return found

    def needed(self, stored: StoredVersion) -> list[str]:
        """Return the digests of a version's chunks, and of all that they are rebuilt from."""
        order = [chunk.digest for chunk in stored.chunks]
        seen = set(order)
        for name in order:
            form = self.form(name)
            for base in form.bases if form else ():
                if base not in seen:
                    seen.add(base)
                    order.append(base)
        return order

    def _holds(self, chunk: Chunk) -> bool:
        text = self._text(chunk.digest, 0)
        return text is not None and (zlib.crc32(text), len(text)) == (chunk.crc, chunk.text_bytes)

    def _text(self, name: str, depth: int) -> bytes | None:
        if name in self._texts:
            self._texts.move_to_end(name)
            return self._texts[name]
        if name in self._broken or name in self._begun or depth > _DEEPEST:
            return None
        form = self.form(name)
        self._begun.add(name)
        text = None if form is None else self._made(form, depth)
        self._begun.remove(name)
        if text is None:
            self._broken.add(name)
        else:
            self._remember(name, text)
        return text

    def _made(self, form: Form, depth: int) -> bytes | None:
        if not form.bases:
            try:
                return inflate(form.data)
            except zlib.error:
                return None
        bases = [self._text(base, depth + 1) for base in form.bases]
        if None in bases:
            return None
        text = decode(form.data, b"".join(base for base in bases if base))
        return text if text is not None and seal(text) == form.sha else None

    def _remember(self, name: str, text: bytes) -> None:
        self._texts[name] = text
        self._size += len(text)
        while self._size > _KEPT and len(self._texts) > 1:
            _, forgotten = self._texts.popitem(last=False)
            self._size -= len(forgotten)


def _unpacked(name: str, packed: bytes) -> Form | None:
    begins = len(DELTA) + _LENGTHS.size
    if not packed.startswith(DELTA) or len(packed) < begins:
        return None
    bases, sha = _LENGTHS.unpack_from(packed, len(DELTA))
    ends = (begins + bases, begins + bases + sha)
    words = packed[begins : ends[0]].decode(errors="replace").split()
    return Form(name, packed[ends[1] :], tuple(words), packed[ends[0] : ends[1]]) if words else None
