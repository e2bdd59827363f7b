"""Monte Carlo forecasts: how many by a date, and when N will be done."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from clickup_toolkit.analyse.basis import instant, is_abandoned
from clickup_toolkit.analyse.calendar import period_of
from clickup_toolkit.analyse.columns import CYCLE, STAYS
from clickup_toolkit.analyse.counting import counted_samples, weights
from clickup_toolkit.analyse.cycle import CLICKUP_RULE, Cycle, ends
from clickup_toolkit.analyse.flow import finished_between
from clickup_toolkit.analyse.measure import measure
from clickup_toolkit.analyse.source import SIMULATED, sourced
from clickup_toolkit.analyse.working import WorkingTime

__all__ = ["LIKELIHOODS", "forecast_how_many", "forecast_when", "throughput_samples"]

LIKELIHOODS = (0.5, 0.7, 0.85, 0.95)
_LONGEST = 3650  # days looked ahead: a forecast beyond ten years is none
_AT_ONCE = 256  # days drawn together

_Counts = npt.NDArray[np.int64]


class _Samples(NamedTuple):
    """What was finished on each past day, and the days, or working days, from tomorrow on."""

    days: pd.DatetimeIndex
    done: _Counts
    today: pd.Timestamp
    working: WorkingTime | None
    source: str

    def dates(self, days: int) -> pd.DatetimeIndex:
        """Return the next so many days that count."""
        ahead = pd.date_range(self.today + pd.Timedelta(days=1), periods=days * 3 + 30, unit="ms")
        while self.working is not None:
            found = ahead[self.working.is_working_day(ahead)]
            if len(found) >= days or len(ahead) > 40 * _LONGEST:
                return found[:days]
            ahead = pd.date_range(ahead[0], periods=2 * len(ahead), unit="ms")
        return ahead[:days]


@measure(counted={"tasks": counted_samples}, tasks=CYCLE, time_in_status=STAYS)
def throughput_samples(
    tasks: pd.DataFrame,
    *,
    now: datetime,
    history: int = 90,
    tz: str = "UTC",
    working: WorkingTime | None = None,
    cycle: Cycle = CLICKUP_RULE,
    time_in_status: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Count what was finished on each of the last ``history`` whole days: what the forecasts draw from.

    Days that had none are samples, too: without them a forecast promises too much. So the window begins with
    the work, not with its first success: on the day on which the first task was made, finished since or not.
    Days before are none: with them a young list would never get done. With ``working`` only
    working days are samples, and what was finished on a day off counts for the working day after it; the
    days are those of its time zone.

    Columns: ``day`` (a date) and ``done``. Exact; approximated with an end of one's own (``cycle``).
    """
    found = _samples(tasks, now, history, tz, working, cycle, time_in_status)
    return sourced(pd.DataFrame({"day": found.days, "done": found.done}), found.source)


@measure(counted={"tasks": counted_samples}, tasks=CYCLE, time_in_status=STAYS)
def forecast_how_many(
    tasks: pd.DataFrame,
    *,
    now: datetime,
    until: date,
    history: int = 90,
    trials: int = 10_000,
    seed: int = 0,
    likelihoods: tuple[float, ...] = LIKELIHOODS,
    tz: str = "UTC",
    working: WorkingTime | None = None,
    cycle: Cycle = CLICKUP_RULE,
    time_in_status: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Forecast how many tasks will be finished from tomorrow to the end of the day ``until``.

    Monte Carlo simulation of throughput (T. Magennis, *Forecasting and Simulating Software Development
    Projects*, 2011; D. Vacanti, *Actionable Agile Metrics for Predictability*, 2015; against plans made of
    averages, S. Savage, *The Flaw of Averages*, 2009): each trial draws, for every day ahead, the throughput
    of one of the last ``history`` days (:func:`throughput_samples`) at random, with replacement, and adds
    them up. What at least 85 in 100 trials reached is 85% likely. The same ``seed`` gives the same figures.

    Columns: ``likelihood`` and ``items`` (at least so many). Raises ValueError for a day that is not ahead.
    """
    found = _samples(tasks, now, history, tz, working, cycle, time_in_status)
    ahead = found.dates(_LONGEST)
    days = int((ahead <= pd.Timestamp(until)).sum())
    if pd.Timestamp(until) <= found.today:
        raise ValueError(f"until must be a day after {found.today:%Y-%m-%d}; it is {until}")
    totals = np.zeros(trials, dtype="int64")
    chance = np.random.default_rng(seed)
    for start in range(0, days, _AT_ONCE):
        totals += chance.choice(found.done, (trials, min(_AT_ONCE, days - start))).sum(axis=1)
    ordered = np.sort(totals)[::-1]
    items = [int(ordered[_enough(likelihood, trials)]) for likelihood in likelihoods]
    return sourced(pd.DataFrame({"likelihood": list(likelihoods), "items": items}), SIMULATED)


@measure(counted={"tasks": counted_samples}, tasks=CYCLE, time_in_status=STAYS)
def forecast_when(
    tasks: pd.DataFrame,
    *,
    now: datetime,
    items: int,
    history: int = 90,
    trials: int = 10_000,
    seed: int = 0,
    likelihoods: tuple[float, ...] = LIKELIHOODS,
    tz: str = "UTC",
    working: WorkingTime | None = None,
    cycle: Cycle = CLICKUP_RULE,
    time_in_status: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Forecast when ``items`` more tasks will be done, as in :func:`forecast_how_many`.

    Each trial draws days until their throughput adds up to ``items``; the date by which 85 in 100 trials had
    got there is 85% likely. A trial that takes more than ten years has no date.

    Columns: ``likelihood``, ``days`` (from tomorrow, working days with ``working``; empty without a date) and
    ``date`` (empty where so many trials had none: there is too little throughput to tell).
    """
    if items < 1:
        raise ValueError(f"items must be 1 or more; it is {items}")
    found = _samples(tasks, now, history, tz, working, cycle, time_in_status)
    took = np.sort(_trials_until(found.done, items, trials, np.random.default_rng(seed)))
    ahead = found.dates(_LONGEST)
    days = [float(took[_enough(likelihood, trials)]) for likelihood in likelihoods]
    when = [ahead[int(each) - 1] if each <= len(ahead) else pd.NaT for each in days]
    table = pd.DataFrame({"likelihood": list(likelihoods), "days": days})
    table["days"] = table["days"].where(table["days"] <= len(ahead))
    return sourced(table.assign(date=pd.Series(when, dtype="datetime64[ms]")), SIMULATED)


def _trials_until(
    samples: _Counts, items: int, trials: int, chance: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Return how many days each trial took; infinite for one that did not get there."""
    took = np.full(trials, np.inf)
    if not samples.any():
        return took
    going, left = np.arange(trials), np.full(trials, items, dtype="int64")
    for start in range(0, _LONGEST, _AT_ONCE):
        reached = chance.choice(samples, (len(going), _AT_ONCE)).cumsum(axis=1)
        there = reached >= left[:, None]
        done = there.any(axis=1)
        took[going[done]] = start + there[done].argmax(axis=1) + 1
        going, left = going[~done], (left - reached[:, -1])[~done]
        if not len(going):
            break
    return took


def _enough(likelihood: float, trials: int) -> int:
    """Return the place, in order of success, of the trial that so large a part of them is as good as."""
    if not 0 < likelihood < 1:
        raise ValueError(f"a likelihood must lie between 0 and 1, such as 0.85; one is {likelihood!r}")
    return int(np.ceil(likelihood * trials - 1e-9)) - 1


def _samples(
    tasks: pd.DataFrame,
    now: datetime,
    history: int,
    tz: str,
    working: WorkingTime | None,
    cycle: Cycle,
    time_in_status: pd.DataFrame | None,
) -> _Samples:
    zone = tz if working is None else working.tz
    found, source = ends(tasks, cycle, time_in_status)
    done = finished_between(found, None, now)
    today = period_of(np.array([instant(now)]), "day", zone).iloc[0]
    begun = period_of(found.created[done | ~is_abandoned(tasks)], "day", zone).min()
    days, first = _days(today, history, working, begun)
    finish = period_of(found.finish[done], "day", zone)
    at = np.searchsorted(days.to_numpy(), finish.to_numpy())
    shown = ((finish >= first) & (at < len(days))).to_numpy()
    counts = np.bincount(at[shown], weights(tasks)[done][shown], minlength=len(days))
    return _Samples(days, counts.astype("int64"), today, working, source)


def _days(
    today: pd.Timestamp, history: int, working: WorkingTime | None, begun: pd.Timestamp
) -> tuple[pd.DatetimeIndex, pd.Timestamp]:
    """Return the last ``history`` days before today, or those of them that are worked on, and the first one.

    They begin on the day ``begun`` at the earliest, but where no whole day has passed since.
    """
    days = pd.date_range(today - pd.Timedelta(days=history), today - pd.Timedelta(days=1), unit="ms")
    days = days[days >= begun] if begun < today else days
    worked = days if working is None else days[working.is_working_day(days)]
    if not len(worked):
        raise ValueError(f"there is no working day among the last {len(days)} days")
    return worked, days[0]
