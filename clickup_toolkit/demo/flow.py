"""A small simulation of teams at work, from which every task gets its history of statuses.

Tasks arrive, wait until somebody of the stage is free, are worked on, and go to the next stage. Everybody
of a space draws on the same people, so queues form where a stage is busy, and grow where its work grows.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from random import Random

from clickup_toolkit.demo.model import DAY, HOUR
from clickup_toolkit.demo.workflows import WORKFLOWS, Stage

__all__ = ["Path", "simulate", "working_time"]

Path = list[tuple[int, int]]
"""The visits of a task: (instant, position of the stage in its workflow), in order of time."""

_GROWTH_DAYS = 120
_LONGEST_PATH = 14
_STAFFED = 1.4  # for the later, busier months, and for work that comes back
_PATIENCE = 6  # times the usual work that a task waits at most; then somebody helps out


def working_time(instant: int, rng: Random) -> int:
    """Return the instant itself when it lies in working hours, else one soon after they begin again."""
    day, rest = divmod(instant, DAY)
    if rest >= 18 * HOUR:
        day, rest = day + 1, 0
    weekday = (day + 3) % 7
    if weekday > 4:
        day, rest = day + 7 - weekday, 0
    if rest < 8 * HOUR:
        rest = 8 * HOUR + int(rng.random() * 2.5 * HOUR)
    return day * DAY + rest


class _Team:
    """The people of one space: for every stage, when each of them is free again."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._free: dict[str, list[float]] = {}

    def start(self, stage: Stage, arrival: int, work: float) -> float:
        """Return when work on a task that arrives now begins, and occupy somebody with it."""
        free = self._free.get(stage.name)
        if free is None:
            free = self._free[stage.name] = [0.0] * self._people(stage)
        begin = max(arrival, min(free[0], arrival + _PATIENCE * stage.days * DAY))
        heapq.heapreplace(free, begin + work)
        return begin

    def _people(self, stage: Stage) -> int:
        mean = stage.days * math.exp(stage.spread**2 / 2)
        return max(1, math.ceil(self._rate * mean / stage.load))


class _Workflow:
    def __init__(self, stages: Sequence[Stage]) -> None:
        positions = {stage.name: place for place, stage in enumerate(stages)}
        self.stages = stages
        self.medians = [math.log(stage.days * DAY) for stage in stages]
        self.nexts = [[(share, positions[name]) for share, name in stage.next] for stage in stages]


def simulate(
    created: Sequence[int], spaces: Sequence[int], kinds: Sequence[str], now: int, rng: Random
) -> list[Path]:
    """Return the path of every task up to ``now``.

    ``created`` ascends; ``spaces`` names the team and ``kinds`` the workflow of each task.
    """
    workflows = {kind: _Workflow(stages) for kind, stages in WORKFLOWS.items()}
    teams = {space: _Team(rate) for space, rate in _rates(created, spaces).items()}
    paths: list[Path] = [[] for _ in created]
    events = [(instant, task, 0) for task, instant in enumerate(created)]  # sorted, so already a heap
    while events:
        instant, task, place = heapq.heappop(events)
        paths[task].append((instant, place))
        workflow = workflows[kinds[task]]
        stage = workflow.stages[place]
        if rng.random() < stage.stays or len(paths[task]) >= _LONGEST_PATH or not stage.next:
            continue
        leave = _leave(workflow, place, instant, now, teams[spaces[task]], rng)
        if leave < now:
            heapq.heappush(events, (leave, task, _choose(workflow.nexts[place], rng.random())))
    return paths


def _leave(workflow: _Workflow, place: int, instant: int, now: int, team: _Team, rng: Random) -> int:
    stage = workflow.stages[place]
    work = math.exp(workflow.medians[place] + stage.spread * rng.gauss(0.0, 1.0))
    if stage.growth > 1.0:
        age = (now - instant) / (_GROWTH_DAYS * DAY)
        work *= 1 + (stage.growth - 1) * max(0.0, 1 - age)
    begin = team.start(stage, instant, work) if stage.load else instant
    return working_time(int(begin + work), rng)


def _choose(options: Sequence[tuple[float, int]], draw: float) -> int:
    for share, place in options:
        draw -= share
        if draw < 0:
            return place
    return options[-1][1]


def _rates(created: Sequence[int], spaces: Sequence[int]) -> dict[int, float]:
    """Return how many tasks a day arrive in each space, while it is in use."""
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    counts: dict[int, int] = {}
    for instant, space in zip(created, spaces, strict=True):
        first.setdefault(space, instant)
        last[space] = instant
        counts[space] = counts.get(space, 0) + 1
    return {
        space: _STAFFED * count * DAY / max(DAY, last[space] - first[space])
        for space, count in counts.items()
    }
