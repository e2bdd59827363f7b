"""What the charts of flow, age, forecast, effort and quality draw, asserted on small histories."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
import pytest

from clickup_toolkit import analyse, charts
from clickup_toolkit.charts.colors import ACCENT, ALARM, DARK, INK, MUTED, contrast
from clickup_toolkit.errors import StorageError
from tests.histories import Story
from tests.test_charts import measured, said

WORKFLOW = "to do (open) > doing > review > shipped (closed)"


@pytest.fixture(scope="module")
def story() -> Story:
    """Return the example of docs/measures.md: two finished tasks, two in progress, one to do."""
    made = Story().list("App", WORKFLOW)
    made.task(
        "Login", "App", "to do 10h > doing 20h > review 40h > shipped 4d", time_estimate_ms=3 * 3_600_000
    )
    made.task("Logout", "App", "to do 30h > doing 10h > review 10h > shipped 2d")
    made.task("Search", "App", "to do 20h > doing 30h > review 40h")
    made.task("Menu", "App", "doing 10h > review 20h > doing 5h")
    made.task("Later", "App", "to do 50h")
    made.tracked("Login", "Ada", "8d", "4h").member("Ada").tracked("Logout", "Ada", "1h", "30m")
    made.rows["tasks"][0] = made.rows["tasks"][0]._replace(tracked_ms=4 * 3_600_000)
    return made.watched("21d")


def draw(chart: str, story: Story, measure: str = "", **how: object) -> go.Figure:
    """Draw what a measure says of the story at its now."""
    return getattr(charts, chart)(measured(measure or chart, story, story.now, **how), as_of=story.now)


def told(figure: go.Figure) -> str:
    """Return all that stands in the figure, without breaks."""
    return " | ".join(filter(None, said(figure))).replace("<br>", " ").replace("\u00a0", " ")


def test_the_scatterplot_has_a_point_a_task_and_labelled_percentiles(story: Story) -> None:
    """Points lie at done and cycle time; the 85% line is the expectation, drawn in another colour."""
    figure = draw("finished_work", story)
    points = figure.data[0]
    assert list(zip(points.x, points.y, strict=True)) == [
        ("2026-11-21T10:00", 0.8333),
        ("2026-11-19T10:00", 2.5),
    ]
    assert [row[-1] for row in points.customdata] == ["logout", "login"]
    assert points.meta == {"id": "task"}
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("done on", "cycle time, days")
    assert "Expect 85% within 2.2 days" in told(figure)
    assert {note.text.replace("\u00a0", " ") for note in figure.layout.annotations} == {
        "50% within 40 h",
        "70% within 2 days",
        "85% within 2.2 days",
        "95% within 2.4 days",
    }
    assert [line.line.color for line in figure.layout.shapes].count(ALARM) == 1


def test_the_scatterplot_of_very_many_is_cells_and_the_longest_as_points() -> None:
    """Every task is counted in a cell; those that took very long stay points on the upper edge."""
    story = Story().list("App", WORKFLOW)
    for number in range(1600):
        story.task(f"T{number}", "App", f"doing {5 + number % 60}h > shipped {1 + number % 90}d")
    story.task("Slow", "App", "doing 900d > shipped 3d")
    cells, points = draw("finished_work", story).data
    assert sum(count or 0 for row in cells.z for count in row) == 1601
    assert len(points.x) == 250
    assert (points.customdata[0][-1], points.marker.symbol[0]) == ("slow", "triangle-up")
    assert "1 that took longer on the upper edge" in told(draw("finished_work", story))


def test_the_histogram_counts_every_finished_task(story: Story) -> None:
    """Bars add up to what was finished; the axis has the unit."""
    figure = draw("time_histogram", story, "finished_work")
    assert sum(figure.data[0].y) == 2
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("days", "tasks")
    assert "85% within 2.2 days" in told(figure)


def test_ageing_work_stands_in_the_columns_of_its_workflow_over_the_pace(story: Story) -> None:
    """Columns are in the workflow's order with counts; bands are percentiles; late tasks have other marks."""
    figure = draw("ageing_work", story)
    assert list(figure.layout.xaxis.ticktext) == ["doing (1)", "review (1)"]
    bands = {trace.name: [round(y * 24, 1) for y in trace.y] for trace in figure.data[:4]}
    assert bands == {
        "95% of finished": [19.5, 58.0],
        "85% of finished": [18.5, 54.0],
        "70% of finished": [17.0, 48.0],
        "50% of finished": [15.0, 40.0],
    }
    marks = {trace.name: [row[-1] for row in trace.customdata] for trace in figure.data[4:]}
    assert marks == {"within the pace": [], "older than 85%": [], "older than 95%": ["search", "menu"]}
    assert len({trace.marker.symbol for trace in figure.data[4:]}) == 3
    assert (figure.layout.yaxis.type, figure.layout.yaxis.title.text) == ("log", "age")


def test_ageing_work_draws_one_workflow_and_says_so() -> None:
    """Of several workflows the one with most started tasks is drawn, or the one that is named."""
    story = Story().list("App", WORKFLOW).list("Web", "new (open) > building > live (closed)")
    story.task("Login", "App", "doing 1d").task("Menu", "App", "doing 2d").task("Page", "Web", "building 1d")
    table = measured("ageing_work", story, story.now)
    assert "App: 2 of 3 started tasks" in told(charts.ageing_work(table))
    assert list(charts.ageing_work(table, place="Web").layout.xaxis.ticktext) == ["building (1)"]
    pace = pd.concat([table.iloc[:1]]).assign(status="review", status_key="app:review", orderindex=2, tasks=4)
    drawn = charts.ageing_work(table, pace)
    assert list(drawn.layout.xaxis.ticktext) == ["doing (2)", "review (0)"]


def test_the_oldest_tasks_are_bars_that_lead_to_them(story: Story) -> None:
    """Each bar is as long as the task is old, says its status, and ends in its id."""
    bars = draw("work_item_age", story).data[0]
    assert [round(x * 24) for x in bars.x] == [70, 35]
    assert (list(bars.text), [row[-1] for row in bars.customdata]) == (
        ["review", "doing"],
        ["search", "menu"],
    )


def test_what_to_promise_counts_those_beyond(story: Story) -> None:
    """The bar says the time and how many have passed it; the label how many it rests on."""
    figure = draw("service_level_expectation", story)
    assert [text.replace("\u00a0", " ") for text in figure.data[0].text] == ["2.2 days; 1 beyond"]
    assert list(figure.layout.yaxis.ticktext) == ["App (2)"]
    assert figure.data[0].meta == {"id": "list"}
    assert figure.data[0].customdata[0][-1] == "app"


def test_days_without_any_are_marked(story: Story) -> None:
    """A day on which nothing was finished has a ring; they are counted below the title."""
    figure = draw("throughput", story, days=5)
    bars, rings = figure.data
    assert list(zip(bars.x, bars.y, strict=True)) == [
        ("2026-11-19", 1),
        ("2026-11-20", 0),
        ("2026-11-21", 1),
        ("2026-11-22", 0),
        ("2026-11-23", 0),
    ]
    assert list(rings.x) == ["2026-11-20", "2026-11-22"]
    assert "per day; 2 of 5 had none" in told(figure)
    assert figure.layout.yaxis.title.text == "tasks per day"
    assert "median 0.5" in told(figure)


def test_work_in_progress_is_a_line_for_all_or_one_for_each_group(story: Story) -> None:
    """Lines of groups differ in colour and dash, and lead to their group."""
    assert list(draw("work_in_progress", story, last=4).data[0].y) == [2, 2, 2, 2]
    story = Story().list("App", WORKFLOW).list("Web", WORKFLOW)
    story.task("Login", "App", "doing 2d").task("Menu", "App", "doing 9d").task("Page", "Web", "doing 1d")
    lines = draw("work_in_progress", story, last=3, by="list").data
    assert [(line.name, list(line.y)) for line in lines] == [("App", [2, 2, 2]), ("Web", [0, 1, 1])]
    assert len({line.line.dash for line in lines}) == len({line.line.color for line in lines}) == 2
    assert lines[0].customdata[0][-1] == "app"


def test_the_observed_part_is_told_from_the_approximated_one(story: Story) -> None:
    """A line stands where observation begins, and the subtitle says since when."""
    figure = draw("work_in_progress", story, last=40)
    assert "observed since 02 Nov 2026, before that approximated" in told(figure)
    assert "observed from here" in told(figure)
    assert "observed from here" not in told(draw("work_in_progress", story, last=4))
    assert "exact figures" in told(draw("throughput", story))
    assert "approximated from ClickUp's sums" in told(
        charts.work_item_age(analyse.work_item_age(story.table("tasks"), now=story.now))
    )


def test_net_flow_goes_up_and_down(story: Story) -> None:
    """What was started stands above the line, what was done below it, the difference is a line of its own."""
    figure = draw("net_flow", story, last=2)
    assert [(trace.name, list(trace.y)) for trace in figure.data] == [
        ("started", [4, 0]),
        ("done", [-2, 0]),
        ("net", [2, 0]),
    ]
    assert figure.data[1].marker.pattern.shape == "/"
    assert figure.layout.yaxis.title.text == "tasks per week"


def test_the_bands_of_the_flow_lie_upon_each_other_with_their_names(story: Story) -> None:
    """Done is below, to do on top; what was done before is left out and counted."""
    figure = draw("cumulative_flow", story, last=2)
    assert [(trace.name, list(trace.y)) for trace in figure.data] == [
        ("done", [0, 0]),
        ("in progress", [2, 2]),
        ("to do", [1, 1]),
    ]
    assert "2 done before are left out" in told(figure)
    assert {"in progress", "to do"} <= {note.text for note in figure.layout.annotations}


def test_the_bottleneck_says_its_signs(story: Story) -> None:
    """The status with all three signs bears the colour of alarm and their words."""
    bars = draw("bottleneck", story).data[0]
    assert bars.text[0] == "57% largest share<br> slowest<br> grows most"
    assert bars.marker.color[0] == ALARM != bars.marker.color[1]
    assert bars.customdata[0][-1] == "app:review"


def test_flow_efficiency_adds_up_to_the_whole(story: Story) -> None:
    """Active and waiting time are two bars that make one, told apart by a pattern too."""
    figure = draw("flow_efficiency", story, waiting=("review",))
    assert [(bar.name, list(bar.x)) for bar in figure.data] == [("active", [0.375]), ("waiting", [0.625])]
    assert [bar.marker.pattern.shape for bar in figure.data] == ["", "/"]
    assert list(figure.layout.yaxis.ticktext) == ["App (2)"]


def test_rework_is_a_part_of_the_tasks_that_moved(story: Story) -> None:
    """One of four went back."""
    figure = draw("rework", story)
    assert (list(figure.data[0].x), list(figure.data[0].text)) == ([0.25], ["25%"])
    assert list(figure.layout.yaxis.ticktext) == ["App (4)"]


def test_small_groups_do_not_lead_the_ranking_of_rework() -> None:
    """One of two that went back is no reason to look there before one of twelve: such groups stand last."""
    story = (
        Story().list("Tiny", "to do (open) > doing > shipped (closed)").list("Large", "to do (open) > doing")
    )
    back = "to do 1d > doing 1d > to do 1d > doing 1d"
    story.task("A", "Tiny", back).task("B", "Tiny", "to do 1d > doing 1d").task("C", "Large", back)
    for number in range(11):
        story.task(f"T{number}", "Large", "to do 1d > doing 1d")
    figure = draw("rework", story.watched("20d"))
    assert list(figure.layout.yaxis.ticktext) == ["Large (12)", "Tiny (2)"]
    assert list(figure.data[0].marker.color) == [ACCENT, MUTED]
    assert "grey: fewer than 10 tasks" in told(figure)


def test_what_needs_attention_says_why() -> None:
    """Blocked, stale and overdue are words in the bars, and colours by the gravest."""
    story = Story().list("App", "to do (open) > doing > blocked > shipped (closed)")
    now = int(story.now.timestamp() * 1000)
    story.task("Stuck", "App", "blocked 20d", date_updated=now - 86_400_000)
    story.task("Old", "App", "doing 30d", date_updated=now - 20 * 86_400_000, due_date=now - 1)
    figure = draw("blocked_and_stale", story)
    assert list(figure.data[0].text) == ["stale, overdue", "blocked"]
    assert figure.data[0].marker.color[1] == ALARM
    assert "1 blocked, 1 stale, 1 overdue" in told(figure)


def test_a_forecast_is_a_histogram_of_the_futures_with_four_lines(story: Story) -> None:
    """Bars add up to all futures; each likelihood has a line and its figure; 85% is the strong one."""
    until = date(2026, 12, 23)
    how = {"until": until, "history": 5, "seed": 7}
    figure = draw("forecast_how_many", story, likelihoods=charts.MANY_LIKELIHOODS, **how)
    assert sum(figure.data[0].y) == pytest.approx(1, abs=0.01)
    lines = {
        note.text: line.line.width
        for note, line in zip(figure.layout.annotations, figure.layout.shapes, strict=True)
    }
    assert lines == {"50%: 12 or more": 1, "70%: 11 or more": 1, "85%: 9 or more": 2, "95%: 8 or more": 1}
    few = draw("forecast_how_many", story, **how)
    assert [note.text for note in few.layout.annotations] == list(lines)
    assert (
        charts.forecast_how_many(
            measured("forecast_how_many", story, story.now, **how), until=until
        ).layout.title.text
        == "<b>How many will be done by 23 Dec?</b>"
    )


def test_a_forecast_of_dates_tells_them(story: Story) -> None:
    """The same of when so many will be done, on an axis of days."""
    how = {"items": 8, "history": 5, "seed": 7, "likelihoods": charts.MANY_LIKELIHOODS}
    figure = draw("forecast_when", story, **how)
    assert "85%: by 19 Dec 2026" in [note.text for note in figure.layout.annotations]
    assert "85% by 19 Dec 2026" in told(figure)
    assert figure.layout.shapes[2].x0 == "2026-12-19T00"


def test_estimates_stand_beside_tracked_time_with_the_ratio(story: Story) -> None:
    """Hours of the tasks that have both, and tracked by estimated."""
    figure = draw("estimate_against_tracked", story)
    assert [(bar.name, list(bar.x), list(bar.text)) for bar in figure.data] == [
        ("estimated", [3.0], [""]),
        ("tracked", [4.0], [" × 1.3"]),
    ]
    assert "(1 of 2)" in told(figure)


def test_tracked_time_is_a_cell_for_each_member_and_week(story: Story) -> None:
    """Hours stand in the cells; a week without any is blank."""
    heat = draw("tracked_time", story, weeks=3).data[0]
    assert list(heat.x) == ["2026-11-09", "2026-11-16", "2026-11-23"]
    assert [list(row) for row in heat.z] == [[4.0, None, 0.5]]
    assert [list(row) for row in heat.text] == [["4", "", "<1"]]
    assert heat.customdata[0][0][-1] == "ada"


def test_the_checks_that_fail_are_bars_and_the_others_are_counted(story: Story) -> None:
    """The largest part stands on top, with how many; gaps are counted apart, for they have no whole."""
    figure = draw("data_quality", story.gap("lists", "Not on this plan."))
    assert figure.data[0].text[0] == "100% (3)"
    assert list(figure.data[0].x) == sorted(figure.data[0].x, reverse=True)
    assert "1 thing could not be read" in told(figure)
    assert "checks pass" in told(figure)


@pytest.mark.parametrize("chart", ["ageing_work", "bottleneck", "work_item_age", "cumulative_flow"])
def test_the_dark_theme_leaves_the_figure_and_shows_on_dark(chart: str, story: Story) -> None:
    """Ink is light there, marks stand out from the ground by 3 to 1, ids and names are the same."""
    figure = draw(chart, story)
    before = figure.to_json()
    dark = charts.themed(figure, "dark")
    assert figure.to_json() == before
    assert INK not in dark.to_json()
    assert dark.layout.template.layout.paper_bgcolor == DARK["white"]
    for light_trace, trace in zip(figure.data, dark.data, strict=True):
        assert light_trace.customdata == trace.customdata
        color = getattr(trace, "marker", None) and trace.marker.color
        if trace.type == "scatter" and isinstance(color, str):
            assert contrast(color, DARK["white"]) >= 3
    assert charts.themed(figure, "light").to_dict() == figure.to_dict()


@pytest.mark.browser
@pytest.mark.usefixtures("browser")
def test_a_chart_is_written_as_a_picture(story: Story, tmp_path: Path) -> None:
    """A PNG of twice the width that was asked for; where it cannot be written, that is said."""
    figure = draw("bottleneck", story)
    path = charts.to_png(figure, tmp_path / "chart.png", width=600)
    head = path.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    assert (int.from_bytes(head[16:20]), int.from_bytes(head[20:24])) == (1200, 2 * figure.layout.height)
    with pytest.raises(StorageError, match=r"cannot be written: .* Name another file\."):
        charts.to_png(figure, tmp_path / "none" / "chart.png")
