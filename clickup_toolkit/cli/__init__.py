"""The command line: parse, call, print.

Every command lives in a module of its own, imported when it is called: ``--help`` answers at once, and
``export`` does not wait for pandas.
"""

from __future__ import annotations

from importlib import import_module

import click

from clickup_toolkit import __version__
from clickup_toolkit.cli.failures import reported

__all__ = ["main"]

COMMANDS = {
    "init": "Ask for the settings, try them, and write .env.",
    "export": "Export the workspace, publish it, and report.",
    "up": "Export on schedule and serve, in the foreground.",
    "serve": "Serve the tables and the JSON export.",
    "schedule": "Run the export notebook every EXPORT_INTERVAL_HOURS.",
    "report": "Run a notebook, and write what it shows as one page.",
    "demo": "Export a synthetic workspace and serve it; needs no token.",
    "versions": "List, compare, pin, delete and rebuild the versions in Redis.",
    "backup": "Write data folder and published versions into one file.",
    "restore": "Put a backup back.",
    "doctor": "Check everything, and say what to do about it.",
    "hash-password": "Print the hash of a password, for DATASETTE_PASSWORD_HASH.",
}
"""The commands in the order of their importance, each with its short help."""

_MODULES = {"hash-password": "password"}
"""Where a command lives whose module is not called as it is."""


class _Toolkit(click.Group):
    """A group that imports a command when it is called, and reports what goes wrong in one sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        with reported(ctx):
            module = import_module(f"clickup_toolkit.cli.{_MODULES.get(cmd_name, cmd_name)}")
            command = getattr(module, cmd_name.replace("-", "_"))
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> object:
        with reported(ctx):
            return super().invoke(ctx)


@click.group(cls=_Toolkit, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="clickup-toolkit", message="%(prog)s %(version)s")
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    help="Least important log lines to show.  "
    "[default: error for export and doctor, warning for versions, else info]",
)
@click.option(
    "--log-json/--log-text",
    default=None,
    help="Write log lines as JSON, or for people.  [default: for people on a terminal]",
)
@click.pass_context
def main(ctx: click.Context, log_level: str | None, log_json: bool | None) -> None:
    """Take a whole ClickUp workspace out of the API, completely, and make it useful.

    Settings come from environment variables or a .env file; CLICKUP_TOKEN and CLICKUP_TEAM_ID are all that
    an export needs. Try `clickup-toolkit demo`, which needs neither.
    """
    ctx.obj = (log_level, log_json)
