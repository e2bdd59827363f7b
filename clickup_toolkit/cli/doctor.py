"""``clickup-toolkit doctor``: what is well, what is not, and what to do about it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from clickup_toolkit.cli.common import data_dir_option, read_settings, start_logging

if TYPE_CHECKING:
    from clickup_toolkit.cli.findings import Finding
    from clickup_toolkit.settings import Settings

_MARKS = {"ok": ("ok  ", "green"), "warning": ("warn", "yellow"), "problem": ("FAIL", "red")}


@click.command()
@click.option("--json", is_flag=True, help="Print the findings as JSON.")
@click.option("--health", is_flag=True, help="Ask only whether the server at HOST and PORT is alive.")
@data_dir_option
@click.pass_context
def doctor(ctx: click.Context, json: bool, health: bool, data_dir: Path | None) -> None:
    """Check what an export and the server need, and say what to do about each problem.

    Software, token, workspace, rights, plan, time in status, rate limit, clocks, Redis, the age of the
    latest version, database, disk, schedule and port. A warning is something that works, but could be better.

    Exit codes: 0 all is well, 1 something is not, 2 the settings are missing or wrong.
    """
    if health:
        ctx.exit(_health(data_dir))
    settings = read_settings("token", "team_id", "api_auth_token", data_dir=data_dir)
    start_logging(settings, "error")
    from clickup_toolkit.cli.checks import examine
    from clickup_toolkit.cli.findings import checked

    found = [checked("settings", lambda: _settings(settings))]
    show = _keep if json else _show
    show(found[0])
    for finding in examine(settings):
        found.append(finding)
        show(finding)
    count = Counter(finding.state for finding in found)
    if json:
        import msgspec

        told = {"findings": [finding._asdict() for finding in found], "problems": count["problem"]}
        click.echo(msgspec.json.encode(told).decode())
    else:
        click.echo(_sum(count))
    ctx.exit(1 if count["problem"] else 0)


def _settings(settings: Settings) -> str:
    from clickup_toolkit.cli.findings import Remark
    from clickup_toolkit.serve.access import GUESSABLE, is_guessable
    from clickup_toolkit.settings import SETTINGS

    if any(is_guessable(token.reveal()) for token in settings.api_tokens):
        raise Remark(GUESSABLE, SETTINGS["api_auth_token"].remedy)
    return "all there"


def _health(data_dir: Path | None) -> int:
    from clickup_toolkit.cli.checks_running import ask_health

    ask_health(read_settings(data_dir=data_dir))
    click.echo("alive")
    return 0


def _keep(_finding: Finding) -> None:
    """Show nothing yet."""


def _show(finding: Finding) -> None:
    mark, color = _MARKS[finding.state]
    click.echo(f"{click.style(mark, fg=color)}  {finding.check:14} {finding.found}")
    if finding.state != "ok" and finding.remedy:
        click.echo(f"      {'':14} → {finding.remedy}")


def _sum(count: Counter[str]) -> str:
    told = [
        f"{count[state]} {state}{'s' * (count[state] > 1)}"
        for state in ("problem", "warning")
        if count[state]
    ]
    return f"{' and '.join(told)} found." if told else "All is well."
