"""Versions of the export in Redis: the way to the server, the lock, writing and reading.

A version is a manifest of chunks; versions share the chunks that did not change. The latest lies there as it
is sent, and what older ones do not share with it as small deltas against newer ones.

==============  ==========================================================================
``keys``        what is kept under which key
``chunks``      how the document is cut and becomes one gzip member
``deltas``      older chunks told by newer ones
``manifest``    what is known of a version
``writer``      writing a version, and why nobody loses a chunk
``packing``     superseded chunks become deltas
``keeping``     which versions stay, how long the others live, pinning, deleting
``finding``     versions by id, day, or the latest; what each takes
``reader``      the body of a version, or a part of it
``rebuilding``  from what Redis holds of a chunk to its text
``comparing``   which tasks came, went or changed status between two versions
``lock``        one export at a time
``copying``     versions out of Redis and back, for backups
``attempts``    one export a run, however often it is asked for
``connection``  the way to the server; ``embedded``: the server in the data folder
==============  ==========================================================================
"""

from clickup_toolkit.publish.attempts import FilesLock, version_before
from clickup_toolkit.publish.comparing import Difference, differences
from clickup_toolkit.publish.connection import async_connect, connect, is_running, server_address, stop
from clickup_toolkit.publish.finding import (
    Memory,
    async_find,
    async_memory,
    async_versions,
    find,
    latest_id,
    memory,
    versions,
)
from clickup_toolkit.publish.keeping import delete, pin, unpin
from clickup_toolkit.publish.lock import ExportLock
from clickup_toolkit.publish.manifest import StoredVersion
from clickup_toolkit.publish.reader import async_body, body, verify
from clickup_toolkit.publish.writer import Published, publish

__all__ = [
    "Difference",
    "ExportLock",
    "FilesLock",
    "Memory",
    "Published",
    "StoredVersion",
    "async_body",
    "async_connect",
    "async_find",
    "async_memory",
    "async_versions",
    "body",
    "connect",
    "delete",
    "differences",
    "find",
    "is_running",
    "latest_id",
    "memory",
    "pin",
    "publish",
    "server_address",
    "stop",
    "unpin",
    "verify",
    "version_before",
    "versions",
]
