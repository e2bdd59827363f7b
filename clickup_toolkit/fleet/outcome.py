"""What came of a workspace, and of all of them."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from clickup_toolkit.errors import ToolkitError
from clickup_toolkit.export import Report
from clickup_toolkit.fleet.plan import Entry
from clickup_toolkit.publish import StoredVersion

__all__ = ["Outcome", "exit_code"]


class Outcome(msgspec.Struct, kw_only=True, frozen=True):
    """What came of one workspace; a line of ``export --workspaces … --json``.

    ``state`` is complete, gaps or failed. ``again`` says that the version was there already when this task
    came to it: an earlier attempt, or another process, had published it since the run began. ``seconds``
    is wall time on the worker, ``stored_bytes`` what object storage holds of the workspace (0: none is
    used), ``peak_rss_mb`` the most memory that the worker held up to then, with all its threads.
    """

    team_id: str
    name: str
    state: str
    version: str = ""
    mode: str = ""
    again: bool = False
    tasks: int = 0
    changed: int = 0
    deleted: int = 0
    requests: int = 0
    throttled: int = 0
    resumed: int = 0
    gaps: int = 0
    stored_bytes: int = 0
    seconds: float = 0.0
    peak_rss_mb: float = 0.0
    worker: str = ""
    message: str = ""
    remedy: str = ""

    @classmethod
    def of_report(cls, entry: Entry, report: Report) -> Outcome:
        """Return what an export did."""
        shared = ("version", "mode", "tasks", "changed", "deleted", "requests", "throttled", "resumed")
        return cls(
            team_id=entry.team_id,
            name=entry.name,
            state="complete" if report.complete else "gaps",
            gaps=len(report.gaps),
            peak_rss_mb=report.peak_rss_mb,
            **{name: getattr(report, name) for name in shared},
        )

    @classmethod
    def of_version(cls, entry: Entry, stored: StoredVersion) -> Outcome:
        """Return what is known of a version that was there already; its requests were told before."""
        return cls(
            team_id=entry.team_id,
            name=entry.name,
            state="complete" if stored.complete else "gaps",
            version=stored.version,
            mode=str(stored.facts.get("mode", "")),
            again=True,
            tasks=stored.tasks,
            gaps=int(str(stored.facts.get("gaps", 0))),
        )

    @classmethod
    def of_error(cls, entry: Entry, error: BaseException) -> Outcome:
        """Return what a failure says; what the toolkit did not foresee is named by its type, too."""
        if not isinstance(error, ToolkitError):
            error = ToolkitError(f"{type(error).__name__}: {error}")
        failed = cls(team_id=entry.team_id, name=entry.name, state="failed")
        return msgspec.structs.replace(failed, message=error.message, remedy=error.remedy)


def exit_code(outcomes: Iterable[Outcome]) -> int:
    """Return 0 when all are complete, 3 when some have gaps, 1 when some failed."""
    states = {outcome.state for outcome in outcomes}
    return 1 if "failed" in states else 3 if "gaps" in states else 0
