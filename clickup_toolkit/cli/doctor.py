"""``clickup-toolkit doctor``: what is well, what is not, and what to do about it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from clickup_toolkit.cli.common import data_dir_option, read_settings, start_logging

if TYPE_CHECKING:
    from clickup_toolkit.cli.checks import Finding


@click.command()
@data_dir_option
@click.pass_context
def doctor(ctx: click.Context, data_dir: Path | None) -> None:
    """Check settings, token, workspace, Redis, the age of the latest version, database and disk.

    Each problem comes with what to do about it.

    Exit codes: 0 all is well, 1 something is not, 2 the settings are missing or wrong.
    """
    settings = read_settings("token", "team_id", "api_auth_token", data_dir=data_dir)
    start_logging(settings, "error")
    from clickup_toolkit.cli.checks import Finding, examine

    _show(Finding("settings", True, "all there"))
    problems = 0
    for finding in examine(settings):
        _show(finding)
        problems += not finding.good
    click.echo("All is well." if not problems else f"{problems} problem{'s' * (problems > 1)} found.")
    ctx.exit(1 if problems else 0)


def _show(finding: Finding) -> None:
    mark = click.style("ok  ", fg="green") if finding.good else click.style("FAIL", fg="red")
    click.echo(f"{mark}  {finding.check:10} {finding.found}")
    if not finding.good and finding.remedy:
        click.echo(f"      {'':10} → {finding.remedy}")
