"""``clickup-toolkit serve``: datasette with the tables, and the JSON export."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from clickup_toolkit.cli.common import data_dir_option, read_settings, start_logging


@click.command()
@click.option("--host", help="Address to serve on.  [default: HOST, or 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to serve on.  [default: PORT, or 8000]")
@data_dir_option
def serve(host: str | None, port: int | None, data_dir: Path | None) -> None:
    """Serve the tables and the JSON export until Ctrl-C.

    A new export is picked up without a restart.
    """
    settings = read_settings("team_id", "api_auth_token", data_dir=data_dir)
    settings = dataclasses.replace(
        settings,
        host=settings.host if host is None else host,
        port=settings.port if port is None else port,
    )
    start_logging(settings, "info")
    import structlog

    from clickup_toolkit.serve import run
    from clickup_toolkit.serve.access import GUESSABLE, is_guessable
    from clickup_toolkit.settings import SETTINGS

    log = structlog.get_logger("clickup_toolkit.serve")
    if any(is_guessable(token.reveal()) for token in settings.api_tokens):
        log.warning("token.guessable", reason=GUESSABLE, remedy=SETTINGS["api_auth_token"].remedy)
    run(settings, ready=lambda address: log.info("serve.ready", address=address))
    log.info("serve.ended")
