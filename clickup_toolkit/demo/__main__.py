"""``python -m clickup_toolkit.demo``: the synthetic ClickUp as a process of its own."""

from __future__ import annotations

import json
import signal
import sys
import threading
from contextlib import ExitStack
from typing import Any, TypeVar

import click
import msgspec

from clickup_toolkit.demo.behaviour import Behaviour
from clickup_toolkit.demo.build import build_world
from clickup_toolkit.demo.drift import Changes
from clickup_toolkit.demo.faults import Fault
from clickup_toolkit.demo.server import DemoServer

__all__ = ["main"]

_Kind = TypeVar("_Kind", Fault, Behaviour)
_WORLD = ("tasks", "lists", "members", "time_entries", "hidden", "unreadable", "seed", "now")


@click.command(context_settings={"show_default": True})
@click.option("--tasks", default=2500, help="Tasks that the token sees.")
@click.option("--lists", type=int, help="Lists that it sees.  [default: by the tasks]")
@click.option("--members", type=int, help="People of the workspace.  [default: by the tasks]")
@click.option("--time-entries", type=int, help="Time entries.  [default: one a task]")
@click.option("--hidden", type=int, help="Tasks archived, in archived places or shared.  [default: 27 %]")
@click.option("--unreadable", default=0, help="Members whose time the token may not read.")
@click.option("--seed", default=1, help="The same seed makes the same workspace.")
@click.option("--now", type=int, help="The workspace's present, ms since 1970.  [default: the real one]")
@click.option("--host", default="127.0.0.1", help="Address to listen on.")
@click.option("--port", default=0, help="Port to listen on; 0 for a free one.")
@click.option("--rate-limit", default=100, help="Requests a window.")
@click.option("--window", default=60.0, help="Seconds of a window.")
@click.option("--latency", default=0.0, help="Seconds that every answer takes.")
@click.option("--page-latency", default=0.0, help="Seconds that page n takes longer, times n.")
@click.option("--others", default=0, help="Requests of every window that somebody else spends.")
@click.option("--change-every", default=0, help="Change the workspace before every n-th answer.")
@click.option(
    "--fault", "faults", multiple=True, help='A fault as JSON: {"kind": "500", "every": 9}. Repeatable.'
)
@click.option("--behaviour", default="{}", help='Switches as JSON: {"team_timl": false}.')
@click.option("--until-stdin-closes", is_flag=True, help="End when standard input is closed.")
def main(
    faults: tuple[str, ...], behaviour: str, change_every: int, until_stdin_closes: bool, **options: Any
) -> None:
    """Serve a synthetic ClickUp workspace.

    Prints one line of JSON with its url, token and team_id once it answers; ends on SIGTERM or SIGINT with
    a second one: how many requests came, were throttled, fell into one window; GET /demo/stats tells too.
    """
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    world = build_world(**{name: options.pop(name) for name in _WORLD})
    changes = Changes(world, every=change_every, seed=world.seed) if change_every else None
    server = DemoServer(
        world,
        faults=[_read(text, Fault) for text in faults],
        behaviour=_read(behaviour, Behaviour),
        changes=changes,
        **options,
    )
    try:
        server.start()
    except OSError as error:
        raise click.ClickException(f"Cannot listen at {server.url}: {error.strerror}.") from None
    with ExitStack() as stack:
        stack.callback(server.stop)
        facts = {
            "url": server.url,
            "token": server.token,
            "oauth_token": server.oauth_token,
            "team_id": server.team_id,
        }
        click.echo(json.dumps(facts))
        if until_stdin_closes:
            threading.Thread(target=_wait_for_end, args=(over,), daemon=True).start()
        over.wait()
        click.echo(msgspec.json.encode(server.stats).decode())


def _read(text: str, kind: type[_Kind]) -> _Kind:
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.MsgspecError as error:
        raise click.BadParameter(f"{text!r}: {error}") from None


def _wait_for_end(over: threading.Event) -> None:
    sys.stdin.read()
    over.set()


if __name__ == "__main__":
    main()
