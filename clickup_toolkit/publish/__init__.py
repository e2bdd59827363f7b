"""Versions of the export in Redis: the way to the server, the lock, writing and reading."""

from clickup_toolkit.publish.connection import async_connect, connect, server_address, stop
from clickup_toolkit.publish.lock import ExportLock

__all__ = ["ExportLock", "async_connect", "connect", "server_address", "stop"]
