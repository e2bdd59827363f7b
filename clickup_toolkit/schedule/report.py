"""What the export notebook calls around the export: its settings, its report, its gaps.

The report travels out of the executed notebook beside what people read: :func:`note_report` puts it there,
:func:`read_report` takes it out.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from clickup_toolkit.schedule.executed import read_outputs
from clickup_toolkit.settings import Settings

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

    from clickup_toolkit.export import Report
    from clickup_toolkit.records import Gap

__all__ = [
    "as_json",
    "describe",
    "gaps_table",
    "note_report",
    "notebook_settings",
    "read_facts",
    "read_report",
]

_MIME = "application/vnd.clickup-toolkit.report+json"
_MOST_GAPS = 20  # shown one by one; all of them stand in the table `gaps`


def describe(report: Report) -> str:
    """Return the report as lines for a terminal."""
    return "\n".join([*_counts(report), *_gaps(report.gaps)])


def as_json(report: Report) -> str:
    """Return the report as one line of JSON, the gaps as objects."""
    gaps = [gap._asdict() for gap in report.gaps]
    return msgspec.json.encode({**msgspec.structs.asdict(report), "gaps": gaps}).decode()


def _counts(report: Report) -> Iterator[str]:
    count = len(report.gaps)
    found = "complete" if report.complete else f"with {count} gap{'s' * (count > 1)}"
    yield f"Published version {report.version}, {found}"
    moved = f"{report.changed:,} new or changed, {report.deleted:,} deleted"
    yield f"  tasks           {report.tasks:,} ({moved})"
    yield f"  time entries    {report.time_entries:,}"
    yield f"  time in status  {report.time_in_status:,} tasks"
    again = f"{report.throttled:,} throttled, {report.retries:,} sent again"
    kept = f", {report.resumed:,} more answered by an interrupted run's journal" if report.resumed else ""
    yield f"  requests        {report.requests:,} ({again}{kept})"
    yield f"  {report.mode + ' export':14}  {report.seconds:,.1f} s, {report.peak_rss_mb:,.0f} MB of memory"


def _gaps(gaps: list[Gap]) -> Iterator[str]:
    if gaps:
        yield ""
        yield "Could not be read:"
    for gap in gaps[:_MOST_GAPS]:
        yield f"  {gap.what} {gap.id}".rstrip() + f" ({gap.code}): {gap.message}"
        if gap.remedy:
            yield f"    → {gap.remedy}"
    if len(gaps) > _MOST_GAPS:
        yield f"  and {len(gaps) - _MOST_GAPS:,} more; the table `gaps` holds them all"


def notebook_settings(data_dir: str = "") -> Settings:
    """Return what an export needs from the environment; ``data_dir`` is the notebook's parameter."""
    settings = Settings.read(need=("token", "team_id"))
    if not data_dir:
        return settings
    return dataclasses.replace(settings, data_dir=Path(data_dir).expanduser().absolute())


def gaps_table(report: Report) -> Styler:
    """Return the gaps as a table to read; one without rows when nothing is missing."""
    import pandas as pd

    from clickup_toolkit.records import Gap

    table = pd.DataFrame(report.gaps, columns=list(Gap._fields))
    style = table.style.hide(axis="index").format(escape="html")  # the messages are other people's
    return style.set_table_styles(
        [
            {"selector": "", "props": "width: 100%"},
            {"selector": "th, td", "props": "text-align: left; vertical-align: top; overflow-wrap: anywhere"},
            {"selector": ".col0, .col1, .col2", "props": "overflow-wrap: normal"},
        ]
    )


def note_report(report: Report) -> None:
    """Show the counts in a notebook, and leave the whole report there for :func:`read_report`."""
    from IPython.display import display

    bundle = {"text/plain": "\n".join(_counts(report)), _MIME: msgspec.to_builtins(report)}
    display(bundle, raw=True)  # type: ignore[no-untyped-call]  # IPython's


def read_report(executed: Path) -> Report | None:
    """Return the report that an executed notebook holds; None where it holds none."""
    noted = read_facts(executed)
    if not noted:
        return None
    from clickup_toolkit.export import Report

    return msgspec.convert(noted, Report)


def read_facts(executed: Path) -> dict[str, object]:
    """Return what :func:`read_report` does as it was noted, without loading what an export needs."""
    for output in reversed(list(read_outputs(executed))):
        noted = output.get("data", {}).get(_MIME)
        if isinstance(noted, dict):
            return noted
    return {}
