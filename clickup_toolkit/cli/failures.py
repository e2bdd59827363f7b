"""What goes wrong, in one sentence to standard error, and the exit code that belongs to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from clickup_toolkit.errors import ToolkitError

__all__ = ["INTERRUPTED", "reported", "show"]

INTERRUPTED = 130
_EXTRAS = {
    "datasette": "serve",
    "datasette_auth_passwords": "serve",
    "httptools": "serve",
    "uvicorn": "serve",
    "uvloop": "serve",
    "dask": "dask",
    "distributed": "dask",
    "IPython": "notebooks",
    "jupyter_client": "notebooks",
    "nbconvert": "notebooks",
    "nbformat": "notebooks",
    "pandas": "notebooks",
    "papermill": "notebooks",
    "plotly": "notebooks",
}
"""Packages that not every installation has, and the extra that brings them."""


@contextmanager
def reported(ctx: click.Context) -> Iterator[None]:
    """Turn the errors that are designed into a sentence and an exit code; others stay tracebacks."""
    try:
        yield
    except ToolkitError as error:
        show(error)
        ctx.exit(error.exit_code)
    except ModuleNotFoundError as error:
        package = (error.name or "").split(".")[0]
        extra = _EXTRAS.get(package)
        if extra is None:
            raise
        click.echo(
            f"Error: This needs {package}, which is not installed.\n"
            f'Install it: pip install "clickup-workspace-toolkit[{extra}]"',
            err=True,
        )
        ctx.exit(1)
    except (KeyboardInterrupt, click.Abort):  # the latter at a question
        click.echo("Stopped.", err=True)
        ctx.exit(INTERRUPTED)


def show(error: ToolkitError) -> None:
    """Say what happened, and on the next line what to do about it."""
    click.echo(f"Error: {error.message}", err=True)
    if error.remedy:
        click.echo(error.remedy, err=True)
