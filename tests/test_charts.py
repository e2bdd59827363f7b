"""Charts: what is drawn, that nothing breaks with none or very many tasks, that no foreign host is asked."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from datetime import date, datetime
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Page

from clickup_toolkit import analyse, charts
from clickup_toolkit.charts.colors import DARK, PALETTE, contrast, distinct_colors, legible, written_on
from clickup_toolkit.charts.look import ticks
from clickup_toolkit.charts.offline import PLOTLY_JS_MARK, OfflineRenderer
from tests.histories import DAY, HOUR, Story, believable

WORKFLOW = "to do (open) > doing > review > shipped (closed)"

Tables = dict[str, pd.DataFrame]
Draw = Callable[["Story | Tables", datetime], go.Figure]


def _of(measure: str, chart: str = "", draws: dict[str, object] | None = None, **how: object) -> Draw:
    """Draw a measure by the chart of the same name, or another; each gets of the tables what it takes."""

    def draw(tables: Story | Tables, now: datetime) -> go.Figure:
        return getattr(charts, chart or measure)(
            measured(measure, tables, now, **how), as_of=now, **(draws or {})
        )

    return draw


def measured(measure: str, tables: Story | Tables, now: datetime, **how: object) -> pd.DataFrame:
    """Return what a measure says of some tables."""
    known = {name: tables.table(name) if isinstance(tables, Story) else tables.get(name) for name in USED}
    given = {name: known[name] for name in analyse.COLUMNS[measure] if known.get(name) is not None}
    table: pd.DataFrame = getattr(analyse, measure)(**given, now=now, **how)
    return table


USED = (
    *("tasks", "time_in_status", "statuses", "time_entries", "members", "status_changes", "exports"),
    *("task_assignees", "task_links", "gaps"),
)

CHARTS: dict[str, Draw] = {
    "time in status by list": _of("time_in_status"),
    "time in status by status": _of("time_in_status", by="status"),
    "median and p85": _of("time_in_status", "median_and_p85", by="status"),
    "where work waits": _of("where_work_waits"),
    "where work waits by list": _of("where_work_waits", by="list"),
    "queues": _of("queues"),
    "queues by list": _of("queues", by="list"),
    "waiting now": _of("waiting_now"),
    "throughput": _of("throughput"),
    "throughput by day": _of("throughput", days=60),
    "lead and cycle time": _of("lead_and_cycle_time"),
    "finished work": _of("finished_work"),
    "finished work by lead time": _of("finished_work", draws={"measure": "lead"}),
    "time histogram": _of("finished_work", "time_histogram"),
    "ageing work": _of("ageing_work"),
    "work item age": _of("work_item_age"),
    "service level expectation": _of("service_level_expectation"),
    "work in progress": _of("work_in_progress"),
    "work in progress by list": _of("work_in_progress", by="list"),
    "net flow": _of("net_flow"),
    "cumulative flow": _of("cumulative_flow"),
    "bottleneck": _of("bottleneck"),
    "flow efficiency": _of("flow_efficiency"),
    "rework": _of("rework"),
    "blocked and stale": _of("blocked_and_stale"),
    "forecast how many": _of(
        "forecast_how_many", until=date(2026, 12, 24), likelihoods=charts.MANY_LIKELIHOODS
    ),
    "forecast when": _of("forecast_when", items=12, likelihoods=charts.MANY_LIKELIHOODS),
    "estimate against tracked": _of("estimate_against_tracked"),
    "tracked time": _of("tracked_time", weeks=8),
    "data quality": _of("data_quality"),
}


@pytest.fixture(scope="module")
def company() -> Story:
    """Return a small company's history."""
    return tracked(believable(300))


def tracked(story: Story) -> Story:
    """Let three people track time on the story's tasks, and estimate half of them."""
    tasks = story.rows["tasks"]
    for number, task in enumerate(tasks):
        who = ("Ada", "Bob", "Cleo")[number % 3]
        story.member(who)
        story.tracked(task.id, who, f"{1 + number % 50}d", f"{1 + number % 5}h")
        hours = 3_600_000 * (1 + number % 5)
        estimate = 3_600_000 * (2 + number % 4) if number % 2 else None
        tasks[number] = task._replace(
            tracked_ms=hours, time_estimate_ms=estimate, date_updated=task.status_since, due_date=task.as_of
        )
    return story


def draw(chart: str, story: Story) -> go.Figure:
    """Draw a chart of the story at its now."""
    return CHARTS[chart](story, story.now)


def said(figure: go.Figure) -> list[str]:
    """Return what stands in the figure as title, subtitle and annotations."""
    title = figure.layout.title
    return [title.text, title.subtitle.text, *(note.text for note in figure.layout.annotations)]


@pytest.mark.parametrize("chart", CHARTS)
def test_the_title_is_a_question_and_the_subtitle_names_the_instant(chart: str, company: Story) -> None:
    """Every chart asks its question and says from which instant it looks."""
    figure = draw(chart, company)
    assert figure.layout.title.text.endswith("?</b>")
    assert figure.layout.title.subtitle.text.endswith("23 Nov 2026 10:00 UTC")
    assert max(len(line) for line in figure.layout.title.subtitle.text.split("<br>")) <= 53
    assert len(figure.data) > 0


@pytest.mark.parametrize("chart", CHARTS)
def test_without_tasks_a_chart_says_why_it_is_empty(chart: str) -> None:
    """An empty workspace gets a sentence, not a blank or an error."""
    figure = draw(chart, Story())
    assert len(figure.data) == 0
    assert said(figure)[2].endswith(".")


@pytest.mark.parametrize("history", ["doing 1d", "doing 0m", "to do 1d > doing 1d > shipped 1d", "to do 1d"])
def test_one_task_is_enough(history: str) -> None:
    """A single task, in whatever state, draws or says why not."""
    story = Story().list("App", WORKFLOW).task("Login", "App", history)
    for chart in CHARTS:
        figure = draw(chart, story)
        assert len(figure.data) > 0 or said(figure)[2].endswith("."), chart
        assert "NaN" not in figure.to_json(), chart


@pytest.fixture(scope="module")
def many() -> tuple[Tables, datetime]:
    """Return the tables of 100,000 tasks: a company's, two hundred times."""
    story = tracked(believable(500))
    keys = {"tasks": "id", "time_in_status": "task_id", "time_entries": "task_id"}
    tables = {name: _many_times(story.table(name), key) for name, key in keys.items()}
    return tables | {name: story.table(name) for name in ("statuses", "members")}, story.now


def _many_times(table: pd.DataFrame, key: str) -> pd.DataFrame:
    copies = pd.concat([table] * 200, ignore_index=True)
    copies[key] += "_" + pd.Series(copies.index // len(table)).astype("str")
    return copies


@pytest.mark.parametrize("chart", CHARTS)
def test_a_hundred_thousand_tasks_make_a_figure_no_larger(chart: str, many: tuple[Tables, datetime]) -> None:
    """What a page must carry does not grow with the number of tasks."""
    assert len(CHARTS[chart](*many).to_json()) < 150_000


def test_bars_are_as_long_as_the_statuses_take_in_the_order_of_the_workflow() -> None:
    """Bars are means per task of the list; what lies before the start is left out."""
    story = Story().list("App", WORKFLOW).list("Web", WORKFLOW)
    story.task("Login", "App", "to do 9d > doing 2d > review 8d > shipped 1d")
    story.task("Logout", "App", "to do 9d > doing 2d > review 4d")
    story.task("Menu", "Web", "doing 12d")
    figure = draw("time in status by list", story)
    bars = [
        (list(bar.y), list(bar.x), [text.replace("\u00a0", " ") for text in bar.text])
        for bar in figure.data[:2]
    ]
    assert bars == [
        ([0, 1], [12.0, 2.0], ["doing<br>12 days", "doing<br>2 days"]),
        ([1], [6.0], ["review<br>6 days"]),
    ]
    assert list(figure.layout.yaxis.ticktext) == ["Web", "App"]
    assert figure.layout.xaxis.title.text == "days"
    assert said(figure)[1].startswith("Mean days per task, by list, from start of work to<br>done")


def test_the_unit_of_the_axis_fits_the_durations() -> None:
    """Hours for what takes hours, minutes for what takes minutes."""
    for length, unit in (("30h", "hours"), ("30m", "minutes"), ("30d", "days")):
        story = Story().list("App", WORKFLOW).task("Login", "App", f"doing {length}")
        figure = draw("time in status by list", story)
        assert (list(figure.data[0].x), figure.layout.xaxis.title.text) == ([30.0], unit)


def test_groups_beyond_the_top_are_counted_in_the_subtitle() -> None:
    """Of 20 lists the 15 with most time are drawn, and 5 are said to be missing."""
    story = Story()
    for number in range(20):
        story.list(f"List {number}", WORKFLOW).task(
            f"Task {number}", f"List {number}", f"doing {number + 1}d"
        )
    figure = draw("time in status by list", story)
    assert list(figure.layout.yaxis.ticktext) == [f"List {number}" for number in range(19, 4, -1)]
    assert "5 more not shown" in said(figure)[1].replace("<br>", " ")


def test_places_of_one_name_stay_two_rows() -> None:
    """Rows stand by number, so that two groups whose short names are the same do not fall together."""
    story = Story()
    for number in (1, 2):
        name = f"A list with a very long name indeed, number {number}"
        story.list(name, WORKFLOW).task(f"Task {number}", name, f"doing {number}d")
    figure = draw("time in status by list", story)
    assert (list(figure.data[0].y), list(figure.data[0].x)) == ([0, 1], [2.0, 1.0])


def test_the_ranking_shows_share_and_number_waiting() -> None:
    """The status with the largest part of unfinished work's time is on top."""
    story = Story().list("App", WORKFLOW)
    story.task("Login", "App", "doing 1d > review 6d").task("Logout", "App", "doing 1d")
    bars = draw("where work waits", story).data[0]
    assert (list(bars.y), list(bars.x), list(bars.text)) == ([0, 1], [0.75, 0.25], ["75%", "25%"])
    names = draw("where work waits", story).layout.yaxis.ticktext
    assert [name.split("<br>")[0] for name in names] == ["review (1)", "doing (1)"]


def test_waiting_work_is_a_box_and_the_oldest_tasks_as_dots() -> None:
    """The box has the quartiles of all ages; no more than forty tasks of a status are drawn, the oldest."""
    story = Story().list("App", WORKFLOW)
    for days in range(1, 102):
        story.task(f"Task {days}", "App", f"doing {days}d")
    box, dots = draw("waiting now", story).data
    assert [box.lowerfence[0], box.q1[0], box.median[0], box.q3[0], box.upperfence[0]] == [1, 26, 51, 76, 101]
    assert sorted(dots.x) == list(range(62, 102))
    assert dots.customdata[0][0] == "Task 101"


def test_each_queue_is_a_line_of_its_own_colour_and_mark() -> None:
    """Lines can be told apart without colour, and end at the number waiting now."""
    story = Story().list("App", WORKFLOW)
    story.task("Login", "App", "doing 1d > review 9d").task("Logout", "App", "review 1d").task(
        "Menu", "App", "doing 1d"
    )
    lines = draw("queues", story).data
    assert [(line.name, line.y[-1]) for line in lines] == [("review · App", 2), ("doing · App", 1)]
    assert len({line.marker.symbol for line in lines}) == len({line.line.color for line in lines}) == 2


def test_the_week_that_still_runs_is_pale() -> None:
    """A week that is not over is not compared with whole ones."""
    story = Story().list("App", WORKFLOW).task("Login", "App", "shipped 8d").task("Menu", "App", "shipped 1h")
    bar = draw("throughput", story).data[0]
    assert list(zip(bar.x, bar.y, strict=True)) == [("2026-11-09", 1), ("2026-11-16", 0), ("2026-11-23", 1)]
    assert bar.marker.color[0] == bar.marker.color[1] != bar.marker.color[2]


def test_names_are_no_markup() -> None:
    """A name with tags or placeholders shows as it is written; ids, which nobody sees, stay."""
    story = Story().list("<b>A</b> & %{x}", "a <i>state</i> > shipped (closed)")
    story.task("<script>", "<b>A</b> & %{x}", "a <i>state</i> 1d")
    for chart in CHARTS:
        figure = draw(chart, story)
        for trace in figure.data:
            if trace.meta is not None and trace.type != "heatmap":
                trace.customdata = [row[:-1] for row in trace.customdata]
        told = figure.to_json()
        assert "\\u003cscript" not in told
        assert "\\u003ci\\u003e" not in told
    assert draw("waiting now", story).data[1].customdata[0][0] == "&lt;script&gt;"


@pytest.mark.parametrize(
    ("own", "drawn"),
    [
        (["#5f55ee", "#f8ae00"], ["#5f55ee", legible("#f8ae00")]),
        (["#5f55ee", "#5f55ee"], ["#5f55ee", PALETTE[0]]),
        (["#0070b0", "#fefefe"], ["#0070b0", PALETTE[1]]),
        (["#5f55ee", None, None], ["#5f55ee", PALETTE[0], PALETTE[1]]),
        (["rebeccapurple", "#f8ae00"], [PALETTE[0], legible("#f8ae00")]),
        ([None] * 9, [*PALETTE, PALETTE[0]]),
    ],
)
def test_clickups_colours_are_used_where_they_can_be_told_apart(
    own: list[str | None], drawn: list[str]
) -> None:
    """The same again, missing, nearly white or odd colours give way to unlike ones of a safe palette."""
    assert distinct_colors(pd.DataFrame({"color": own})) == drawn


@given(st.integers(0, 0xFFFFFF))
def test_every_colour_stands_out_from_light_and_dark_ground(number: int) -> None:
    """A colour that hardly shows is made darker on white, lighter on black, until it has 3 to 1."""
    color = f"#{number:06x}"
    for ground in ("#ffffff", DARK["white"]):
        assert contrast(legible(color, ground), ground) >= 3
        if contrast(color, ground) >= 3:
            assert legible(color, ground) == color


@given(st.integers(0, 0xFFFFFF))
def test_text_can_be_read_on_every_colour(number: int) -> None:
    """Black or white, whichever has more contrast: at least 3.8 to 1."""
    color = f"#{number:06x}"
    light, dark = sorted((_luminance(color), _luminance(written_on(color))), reverse=True)
    assert (light + 0.05) / (dark + 0.05) > 3.8


def _luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_the_logarithmic_axis_is_marked_in_words() -> None:
    """Ticks go as far as the data."""
    assert ticks(8 * DAY) == {
        "tickvals": [1 / 1440, 1 / 24, 1, 7],
        "ticktext": ["1 min", "1 h", "1 d", "7 d"],
    }
    assert ticks(HOUR / 2)["ticktext"] == ["1 min"]


def test_the_first_figure_brings_plotly_along_and_so_does_its_cell_when_run_again() -> None:
    """A notebook holds plotly.js once, also after cells have been run again in any order."""
    story = Story().list("App", WORKFLOW).task("Login", "App", "doing 1d")
    figure = draw("where work waits", story).to_dict()
    brought: list[str] = []
    runs = [("a", "1"), ("a", "1"), ("b", "2"), ("a", "3"), ("a", "3"), ("b", "4"), (None, "5")]
    renderer = OfflineRenderer(
        display=lambda _bundle, about: brought.extend(about), running=lambda: runs[len(shown)]
    )
    shown: list[tuple[int, list[str]]] = []
    for _ in runs:
        bundle = copy(renderer).to_mimebundle(figure)
        shown.append((len(brought), sorted(bundle)))
    kinds = ["application/vnd.plotly.v1+json", "text/html", "text/plain"]
    assert shown == [(1, kinds), (1, kinds), (1, kinds), (2, kinds), (2, kinds), (2, kinds), (2, kinds)]
    assert set(brought) == {PLOTLY_JS_MARK}


def test_what_is_written_of_a_figure_cannot_end_its_script() -> None:
    """A task called </script> stays a name."""
    story = Story().list("App", WORKFLOW).task("</script><b>", "App", "doing 1d")
    bundle = OfflineRenderer(lambda *_: None, lambda: (None, None)).to_mimebundle(
        draw("waiting now", story).to_dict()
    )
    assert str(bundle["text/html"]).count("</script>") == 1
    assert bundle["text/plain"] == "How long has work been waiting?"


@pytest.mark.browser
def test_a_figure_is_a_page_of_its_own(page: Page, tmp_path: Path, company: Story) -> None:
    """The HTML shows the figure without asking for anything."""
    path = tmp_path / "chart.html"
    path.write_text(charts.to_html(draw("where work waits", company)), "utf-8")
    page.goto(path.as_uri())
    page.wait_for_selector(".main-svg .bars")
    assert "Where does unfinished work wait?" in page.inner_text("body")
