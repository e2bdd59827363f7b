"""``python -m clickup_toolkit.demo``: the synthetic ClickUp as a process of its own."""

from __future__ import annotations

import json
import signal
import sys
import threading

import click

from clickup_toolkit.demo.build import build_world
from clickup_toolkit.demo.drift import VISIBLE_CHANGES, Changes
from clickup_toolkit.demo.server import DemoServer

__all__ = ["main"]


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
@click.option("--change-every", default=0, help="Change the workspace before every n-th answer.")
@click.option("--until-stdin-closes", is_flag=True, help="End when standard input is closed.")
def main(
    tasks: int,
    lists: int | None,
    members: int | None,
    time_entries: int | None,
    hidden: int | None,
    unreadable: int,
    seed: int,
    now: int | None,
    host: str,
    port: int,
    rate_limit: int,
    window: float,
    latency: float,
    page_latency: float,
    change_every: int,
    until_stdin_closes: bool,
) -> None:
    """Serve a synthetic ClickUp workspace.

    Prints one line of JSON with its url, token and team_id once it answers; ends on SIGTERM or SIGINT.
    """
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    world = build_world(
        tasks=tasks, lists=lists, members=members, time_entries=time_entries, hidden=hidden,
        unreadable=unreadable, seed=seed, now=now,
    )  # fmt: skip
    changes = Changes(world, every=change_every, seed=seed, kinds=VISIBLE_CHANGES) if change_every else None
    with DemoServer(
        world, host=host, port=port, rate_limit=rate_limit, window=window, latency=latency,
        page_latency=page_latency, changes=changes,
    ) as server:  # fmt: skip
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


def _wait_for_end(over: threading.Event) -> None:
    sys.stdin.read()
    over.set()


if __name__ == "__main__":
    main()
