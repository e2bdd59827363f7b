"""Does it run for years? Hundreds of short intervals of the whole service, and everything that goes wrong.

``python -m benchmarks.soak --intervals 200 --seed 7`` runs ``clickup-toolkit up`` against a synthetic ClickUp
whose workspace changes all the time: the scheduler starts papermill for every interval, datasette serves, the
versions lie in the embedded server. In every second interval something goes wrong, by a plan that follows
from the seed: ClickUp fails in all its ways, each process is killed, Redis is restarted, loses its data or
stands still, the disk is full, the clock jumps. The other intervals let it recover. A client reads the export
all the while and looks at every byte.

After ``--calm`` of the intervals the supervisor, the scheduler and the site are not killed any more, so that
what they hold can be followed: it is flat when the last quarter's median is within 10 % of the second's. At
the end an undisturbed full export must hold what the workspace holds, and nothing may stay behind.

The disk is a small tmpfs (root alone can mount it), the clock a library that is preloaded (cc builds it);
where one is missing its trouble is left out, and the last line says so. Jupyter's grammar of addresses, which
costs each process a second of processor time, is hidden from the service: jsonschema does without it.
"""

from __future__ import annotations

import os
import platform
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import httpx

from benchmarks._soak_checks import Check, nothing, show, unlike
from benchmarks._soak_figures import flat, loose_keys, sample, strangers, temporary_files, trend
from benchmarks._soak_scene import TOKEN, Stage, staged
from benchmarks._soak_service import until
from benchmarks._soak_troubles import Trouble, plan, troubles
from benchmarks._tables import machine, table
from clickup_toolkit.store import read_records
from tests.exporting import differences

_PATIENCE = 240.0  # seconds until an interval must have ended
_COMES_BACK = 60.0  # seconds that the site may be away after it was killed
_APART = ("kill -9: up", "kill -9: the scheduler", "kill -9: datasette")
_SLACK = {"MB": 3.0, "descriptors": 3, "threads": 3, "keys that stay": 12}  # a document grows by its tasks


@click.command(context_settings={"show_default": True})
@click.option("--intervals", default=200, help="Scheduled runs to wait for.")
@click.option("--seed", default=7, help="The same seed plans the same troubles.")
@click.option("--calm", default=0.4, help="Part of the intervals after which the long-lived are not killed.")
@click.option("--tasks", default=80, help="Tasks of the workspace.")
@click.option("--full-every", default=60.0, help="Seconds from one full export to the next.")
@click.option("--only", multiple=True, help="Only the troubles whose names begin so. Repeatable.")
def main(
    intervals: int, seed: int, calm: float, tasks: int, full_every: float, only: tuple[str, ...]
) -> None:
    """Run the soak, and print what happened; exit code 1 when something that must hold does not.

    Ctrl-C ends it after the interval that is under way, as if no more had been asked for.
    """
    load = os.getloadavg()[0]
    with staged(tasks, seed, full_every) as stage:
        soak = Soak(stage, only)
        signal.signal(signal.SIGINT, lambda *_: soak.enough.set())
        try:
            checks = soak.run(intervals, round(intervals * calm))
            whole = all(check.met for check in checks)
        except BaseException:
            soak.say_where()
            raise
        if not whole:
            soak.say_where()
        facts = {
            "system": f"{platform.system()} {platform.machine()}",
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "load_before": f"{load:.1f}",
            "load_after": f"{os.getloadavg()[0]:.1f}",
        }
        parts = [machine(facts), soak.story(), *soak.tables(), show(checks), *stage.missing]
        click.echo("\n\n".join(parts))
    sys.exit(0 if whole else 1)


class Soak:
    """One soak: the scene, what is done in it, what was seen."""

    def __init__(self, stage: Stage, only: tuple[str, ...]) -> None:
        self.stage = stage
        self.scene, self.reader = stage.scene, stage.reader
        every = troubles(stage.scene)
        self.troubles: dict[str, Trouble] = {
            name: one for name, one in every.items() if not only or name.startswith(only)
        }
        self.done: Counter[str] = Counter()
        self.failing: Counter[str] = Counter()
        self.unexplained: list[str] = []
        self.samples: list[dict[str, float]] = []
        self.intervals, self.calm, self.seconds = 0, 0, 0.0
        self.enough = threading.Event()

    def run(self, intervals: int, calm: int) -> list[Check]:
        """Go through all intervals and the end; return what must hold."""
        began = time.monotonic()
        self.calm = calm
        planned = plan([*self.troubles], _APART, intervals, calm, self.scene.rng)
        self.scene.kills.append(time.monotonic())  # nobody is there yet
        self.scene.service.start()
        self.reader.start()
        for number, name in enumerate(planned):
            if self.enough.is_set():
                break
            self._interval(name)
            self.intervals += 1
            self._sample(number)
            _note_progress(number, intervals, name, self)
        checks = self._end()
        self.seconds = time.monotonic() - began
        return checks

    def _interval(self, name: str) -> None:
        """Change the workspace, do what is planned, and wait for the run that ends behind it."""
        service = self.scene.service
        self.scene.change()
        since, before = time.monotonic(), self.scene.ended()
        if name:
            self.done[name] += 1
            with self.troubles[name](self.scene):
                self._wait_for_run()
        else:
            self._wait_for_run()
        for run in service.runs[before:]:
            if run.failed and name:
                self.failing[name] += 1
            elif run.failed and run.began > since:
                self.unexplained.append(run.failed)

    def _wait_for_run(self) -> None:
        if not self.scene.service.wait_for_runs(self.scene.ended() + 1, _PATIENCE):
            raise RuntimeError(f"no run ended within {_PATIENCE:g} s")

    def _sample(self, number: int) -> None:
        found = sample(self.scene.service, self.scene.server.team_id, self.stage.folder / "home")
        if number >= self.calm:
            self.samples.append(found)

    # the end

    def _end(self) -> list[Check]:
        """Let an undisturbed full export pass, end everything, and look at what is left."""
        scene, data = self.scene, self.scene.service.folder
        quiet = time.time() * 1000
        full = until(lambda: self._full_since(quiet), 2 * _PATIENCE)
        until(lambda: not (data / "notified.json").exists(), 30)
        ledger = scene.server.world.ledger()
        differing = differences(data, ledger) if full else {"export": ["no full export came"]}
        wrong = unlike(self._document(), ledger) if full else ["no full export came"]
        broken = [said for said in scene.service.sentences if "Traceback" in said]
        loose = loose_keys(data, scene.server.team_id)
        self.reader.stop()
        code = scene.service.stop()
        until(lambda: not scene.service.family(), 30)
        left = scene.service.family()
        return [
            nothing("differences of the database and the workspace", differing),
            nothing("differences of the served document and the workspace", wrong),
            nothing("runs that failed without a trouble", self.unexplained),
            *self._seen(),
            Check("notices of failures and recoveries", *self._told()),
            nothing("tracebacks in the log", broken),
            Check("exit code of `up` after SIGTERM", str(code), code == 0),
            nothing("processes left", left),
            nothing("keys left that nothing needs", loose),
            nothing("files left that do not belong there", strangers(data)),
            nothing("temporary files left", temporary_files(self.stage.folder / "home")),
            *self._flat(),
        ]

    def _full_since(self, quiet: float) -> bool:
        records = read_records(self.scene.service.folder / "runs", 1000)
        return any(one.mode == "full" and one.version and one.started > quiet for one in records)

    def _document(self) -> list[dict[str, Any]]:
        """Return the tasks of the document that is served now."""
        address = f"http://127.0.0.1:{self.reader.port}/api/v1/export/"
        answer = httpx.get(address, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30)
        tasks: list[dict[str, Any]] = answer.json()["data"]
        return tasks

    def _seen(self) -> Iterator[Check]:
        wrong = self.reader.wrong
        yield nothing(f"wrong answers among {sum(self.reader.answers.values()):,}", wrong)
        away = [moment for moment in self.reader.away if not self._killed_before(moment)]
        yield Check("moments at which the site was away unkilled", str(len(away)), not away)

    def _killed_before(self, moment: float) -> bool:
        return any(killed - 1 <= moment <= killed + _COMES_BACK for killed in self.scene.kills)

    def _told(self) -> tuple[str, bool]:
        """Failures and recoveries take turns, and the last is a recovery."""
        turns = all(
            one != other for one, other in zip(self.stage.notices, self.stage.notices[1:], strict=False)
        )
        counts = Counter(self.stage.notices)
        said = f"{counts['failed']} and {counts['recovered']}"
        return said, turns and counts["failed"] == counts["recovered"]

    def _flat(self) -> Iterator[Check]:
        grown = []
        for name in _names(self.samples):
            found = trend(self.samples, name)
            slack = _SLACK.get(name.rpartition(": ")[2], 2.0)
            if found and not flat(found[1], found[2], slack):
                grown.append(f"{name}: {found[1]:.1f} → {found[2]:.1f}")
        yield nothing("figures that grew", grown)

    # telling

    def story(self) -> str:
        """Return in a sentence or two what happened."""
        service, answers = self.scene.service, self.reader.answers
        failed = sum(bool(run.failed) for run in service.runs)
        served = ", ".join(f"{count:,} times {what}" for what, count in sorted(answers.items()))
        return (
            f"{self.intervals} intervals in {self.seconds / 60:.0f} minutes: {len(service.runs)} runs ended, "
            f"{failed} of them failed; `up` was started {service.starts} times, its children "
            f"{service.events.get('up.child_started', 0)} times. The client got {served}; "
            f"{len(self.reader.bodies)} different bodies; nobody was there {len(self.reader.away)} times."
        )

    def tables(self) -> Iterator[str]:
        """Return the tables of troubles and of figures."""
        rows = [
            [name, str(self.done[name]), str(self.failing[name])] for name in self.troubles if self.done[name]
        ]
        yield table(["trouble", "times", "runs failed"], rows)
        found = {name: trend(self.samples, name) for name in _names(self.samples)}
        figures = [[name, *(f"{value:,.1f}" for value in row)] for name, row in found.items() if row]
        yield table(["figure, the long-lived unkilled", "first", "second quarter", "last quarter"], figures)

    def say_where(self) -> None:
        """Keep the log, for whoever wants to know what was wrong."""
        kept = Path(tempfile.gettempdir()) / f"soak-{os.getpid()}.log"
        shutil.copy(self.scene.service.log, kept)
        click.echo(f"What the service said: {kept}", err=True)


def _names(samples: list[dict[str, float]]) -> list[str]:
    return list(dict.fromkeys(name for one in samples for name in one))


def _note_progress(number: int, intervals: int, name: str, soak: Soak) -> None:
    failed = soak.scene.service.runs[-1].failed
    said = f" ({failed[:100]})" if failed else ""
    wrong = f", wrong: {len(soak.reader.wrong)}" if soak.reader.wrong else ""
    click.echo(f"{time.strftime('%H:%M:%S')} {number + 1}/{intervals} {name or '-'}{said}{wrong}", err=True)


if __name__ == "__main__":
    main()
