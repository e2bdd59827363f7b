"""How a task is getting on, as events of the cluster: for its dashboard, and for whoever submitted it."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Self

import msgspec

__all__ = ["TOPIC", "News", "Teller"]

TOPIC = "clickup-toolkit"
"""The cluster's topic under which events are logged."""

_EVERY_S = 0.5


class News(msgspec.Struct, frozen=True):
    """What is being done for a workspace: ``done`` of ``total`` (None: nobody knows) in ``stage``.

    The stage is empty when the task ends.
    """

    team_id: str
    run: str
    stage: str
    done: int = 0
    total: int | None = None
    worker: str = ""


class Teller:
    """Tells the cluster what a task does, twice a second and at every new stage; to pass as ``progress``.

    Outside of a cluster it tells nobody.
    """

    def __init__(self, team_id: str, run: str) -> None:
        self._team, self._run = team_id, run
        self._worker = _worker()
        self._stage, self._told = "", 0.0

    @property
    def is_heard(self) -> bool:
        """Whether this is a worker of a cluster."""
        return self._worker is not None

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Tell that ``done`` of ``total`` are done in ``stage``."""
        now = time.monotonic()
        if self._worker is None or (stage == self._stage and now - self._told < _EVERY_S):
            return
        self._stage, self._told = stage, now
        news = News(self._team, self._run, stage, done, total, self._worker.address)
        self._worker.log_event(TOPIC, msgspec.to_builtins(news))

    def __enter__(self) -> Self:
        self("begins", 0, None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self("", 0, None)


def _worker() -> Any:
    """Return the worker whose thread this is; None outside of a cluster."""
    from distributed import get_worker

    try:
        return get_worker()
    except ValueError:
        return None
