"""Serve what an export left: the tables in datasette, and the JSON document from Redis, as one ASGI app.

The last step of the way of the data. Requests for ``/api/`` are answered from the versions in Redis; all
others by a datasette over the file that ``clickup.db`` names, which is followed from export to export.

This module imports nothing heavy: datasette loads :mod:`clickup_toolkit.serve.plugin` wherever this package
is installed, and imports it while it is itself being imported.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clickup_toolkit.serve.application import Application
    from clickup_toolkit.settings import Settings

__all__ = ["app", "background", "run"]


def app(settings: Settings) -> Application:
    """Return the ASGI app of the whole site.

    Raises :class:`~clickup_toolkit.errors.SettingsError` when the settings do not allow to serve.
    """
    from clickup_toolkit.serve.application import Application

    return Application(settings)


def run(settings: Settings, *, ready: Callable[[str], None] | None = None) -> None:
    """Serve until SIGTERM or SIGINT, then end what is under way and return.

    ``ready`` is called once with the address, when the first request can be answered.
    Raises :class:`~clickup_toolkit.errors.SettingsError` when the settings do not allow to serve, or the port
    is taken, and :class:`~clickup_toolkit.errors.StorageError` when a newer release wrote the database.
    """
    from clickup_toolkit.migrate import migrate_to_read
    from clickup_toolkit.serve.server import serve

    migrate_to_read(settings.data_dir)
    serve(app(settings), settings, ready)


def background(settings: Settings) -> AbstractContextManager[str]:
    """Serve in a thread for the time of a ``with`` block, which is given the address.

    Raises what :func:`run` raises, on entry.
    """
    from clickup_toolkit.serve.server import serve_in_background

    return serve_in_background(app(settings), settings)
