"""The way to a Dask cluster: the tasks, their news, their outcomes.

A task is named ``export-<team>-<run>``, so Dask's dashboard shows one group, and one bar for it; what each
does right now are events of the topic ``clickup-toolkit``. The scheduler sees where tokens are found, never
a token.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import Any

import msgspec

from clickup_toolkit.errors import SettingsError, ToolkitError
from clickup_toolkit.fleet.news import TOPIC, News
from clickup_toolkit.fleet.outcome import Outcome
from clickup_toolkit.fleet.plan import Entry, Plan
from clickup_toolkit.fleet.task import Work, export_workspace

__all__ = ["LOCAL", "connected", "outcomes", "slots"]

LOCAL = "local"
_A_TOKEN = 2  # exports at once: while one builds its database, another spends the token's budget
_THREADS = 16  # of a worker at most
_CONNECT_S = 10
_QUIET = {"distributed.worker.profile.enabled": False}  # it watches waiting threads, busily
_TRIES = 2  # after a failure that no outcome tells, such as a worker without the toolkit
Watch = Callable[[News], None]


def slots(plan: Plan) -> int:
    """Return how many exports at once spend the budgets of all tokens: more make nothing quicker."""
    return min(len(plan.entries), _A_TOKEN * plan.tokens)


@contextmanager
def connected(address: str, plan: Plan) -> Iterator[Any]:
    """Give a client of the cluster whose scheduler is at ``address``, or of one made here for ``local``.

    A local one has a process for each core and ends with the block; exports that run on it then go on from
    their journals the next time. Raises :class:`~clickup_toolkit.errors.SettingsError` when no scheduler
    answers.
    """
    import dask
    from distributed import Client, LocalCluster

    logging.getLogger("distributed").setLevel(logging.ERROR)  # importing it turned all its lines on
    if address != LOCAL:
        with _reached(address) as client:
            yield client
        return
    workers = max(1, min(os.cpu_count() or 1, slots(plan)))
    threads = min(_THREADS, -(-slots(plan) // workers))
    with (
        dask.config.set(_QUIET),
        LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=workers,
            threads_per_worker=threads,
            processes=True,
            host="127.0.0.1",
            dashboard_address=":0",
            silence_logs=logging.ERROR,
        ) as cluster,
        Client(cluster) as client,  # type: ignore[no-untyped-call]
    ):
        yield client


@contextmanager
def _reached(address: str) -> Iterator[Any]:
    from distributed import Client

    try:
        client = Client(address, timeout=_CONNECT_S)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, TypeError, RuntimeError) as error:  # Dask's way to say what it was not told
        raise SettingsError(f"No Dask scheduler answers at {address} ({error}).", _remedy(address)) from error
    with client:
        yield client


def _remedy(address: str) -> str:
    if address.startswith("tls://"):
        return (
            "Start one with certificates (dask scheduler --tls-cert …), and name the files of this side in "
            "DASK_DISTRIBUTED__COMM__TLS__CA_FILE, …__CLIENT__CERT and …__CLIENT__KEY: see docs/scale.md."
        )
    return (
        "Start one (dask scheduler), name it as tcp://host:8786, or as tls://host:8786 where it asks for "
        "certificates, or use --dask local."
    )


def outcomes(
    client: Any,
    plan: Plan,
    run: str,
    *,
    full: bool = False,
    one_machine: bool = False,
    watch: Watch | None = None,
) -> Iterator[Outcome]:
    """Export all workspaces and yield what came of each, as they end.

    ``run`` names this run: giving the same plan again with the same name exports what was not published
    yet. ``watch`` is told the news, in another thread. When the caller stops, what has not begun is
    cancelled; what runs on the cluster ends by itself.
    """
    from distributed import as_completed

    if watch:
        client.subscribe_topic(TOPIC, _Ear(run, watch))
    waiting = {}
    for place, entry in enumerate(plan.entries):
        work = Work(entry, run, full, one_machine)
        key = f"export-{entry.team_id}-{run}"
        future = client.submit(export_workspace, work, key=key, pure=False, priority=-place, retries=_TRIES)
        waiting[future] = entry
    try:
        for future in as_completed(list(waiting)):  # type: ignore[no-untyped-call]
            yield _outcome(future, waiting.pop(future))
            future.release()  # a result that nobody wants any more is not computed again when it is lost
    finally:
        if waiting:
            client.cancel(list(waiting))
        if watch:
            client.unsubscribe_topic(TOPIC)


class _Ear:
    """Hears the cluster's events and passes on the news of one run."""

    def __init__(self, run: str, watch: Watch) -> None:
        self._run, self._watch = run, watch

    def __call__(self, event: tuple[float, Any]) -> None:
        try:
            news = msgspec.convert(event[1], News)
        except msgspec.ValidationError:
            return  # somebody else's
        if news.run == self._run:
            self._watch(news)


def _outcome(future: Any, entry: Entry) -> Outcome:
    from distributed import KilledWorker

    try:
        outcome = future.result()
    except KilledWorker as error:
        outcome = Outcome.of_error(entry, _killed(error))
    except (Exception, CancelledError) as error:
        outcome = Outcome.of_error(entry, _unforeseen(error))
    assert isinstance(outcome, Outcome)
    return outcome


def _killed(error: Any) -> ToolkitError:
    return ToolkitError(
        f"{error.allowed_failures + 1} workers died one after the other while they exported it, the last at "
        f"{error.last_worker.address}.",
        "Look into that worker's log: most often its memory was too small. Give it more, or fewer threads.",
    )


def _unforeseen(error: BaseException) -> ToolkitError:
    return ToolkitError(
        f"The cluster gave no result ({type(error).__name__}: {error}).",
        "See that the scheduler runs, and that all workers have the same release of the toolkit and of Dask.",
    )
