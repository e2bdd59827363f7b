"""``clickup-toolkit report``: one of the notebooks as one page, for a mail or a wiki."""

from __future__ import annotations

from pathlib import Path

import click

from clickup_toolkit.cli.common import data_dir_option, read_settings
from clickup_toolkit.errors import SettingsError


@click.command(context_settings={"show_default": True})
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default="report.html",
    help="File to write.",
)
@click.option(
    "--notebook", default="workspace-overview", help="Which notebook, see --list; or the path of one."
)
@click.option(
    "--param", "params", multiple=True, metavar="NAME=VALUE", help="A parameter of the notebook; repeatable."
)
@click.option("--static", is_flag=True, help="Charts as pictures, for wikis and mails that run no script.")
@click.option("--list", "listing", is_flag=True, help="List the notebooks and their parameters, and end.")
@data_dir_option
def report(
    out: Path, notebook: str, params: tuple[str, ...], static: bool, listing: bool, data_dir: Path | None
) -> None:
    """Run a notebook on the last export, and write what it shows as one page that needs no other file.

    The page shows no code, asks no other host, fits a telephone and prints. Its charts can be pointed at and
    zoomed; with --static they are pictures, which need kaleido and a Chromium.

    Exit codes: 0 written, 1 failed, 2 wrong usage, parameters or settings.
    """
    from clickup_toolkit.cli.report_notebooks import chosen, listed, run
    from clickup_toolkit.cli.report_page import write_page

    if listing:
        click.echo(listed())
        return
    if not out.absolute().parent.is_dir():
        told = f"The folder {out.absolute().parent} is not there."
        raise SettingsError(told, "Make it, or name another file with --out.")
    settings = read_settings(data_dir=data_dir)
    path, values = chosen(notebook, params)
    click.echo(f"Running {path.stem} on the export in {settings.data_dir} …", err=True)
    with run(settings, path, values, out) as executed:
        size = write_page(executed, out, static=static, name=path.stem)
    click.echo(f"{out} ({size / 1e6:.1f} MB)")
