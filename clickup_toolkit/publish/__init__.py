"""Versions of the export in Redis: the way to the server, the lock, writing and reading.

A version is a manifest of chunks; versions share the chunks that did not change, and the body that is
served is the stored bytes as they are. What is kept under which key stands in :mod:`.keys`, how the document
is cut in :mod:`.chunks`, why nobody loses a chunk in :mod:`.writer`.
"""

from clickup_toolkit.publish.connection import async_connect, connect, server_address, stop
from clickup_toolkit.publish.kept import KeptChunks
from clickup_toolkit.publish.lock import ExportLock
from clickup_toolkit.publish.manifest import StoredVersion
from clickup_toolkit.publish.reader import async_body, async_find, body, find, latest_id, verify, versions
from clickup_toolkit.publish.writer import Published, publish

__all__ = [
    "ExportLock",
    "KeptChunks",
    "Published",
    "StoredVersion",
    "async_body",
    "async_connect",
    "async_find",
    "body",
    "connect",
    "find",
    "latest_id",
    "publish",
    "server_address",
    "stop",
    "verify",
    "versions",
]
