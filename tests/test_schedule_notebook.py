"""One run of a notebook: in its own process, kept, ended in order, its outcome carried out."""

from __future__ import annotations

import dataclasses
import html
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import nbformat
import psutil
import pytest

from clickup_toolkit.errors import NotebookFailed, SettingsError
from clickup_toolkit.export import Report
from clickup_toolkit.records import Gap
from clickup_toolkit.schedule import (
    check_parameters,
    describe,
    environment,
    find_notebook,
    gaps_table,
    notebook_settings,
    read_report,
    run_notebook,
)
from clickup_toolkit.schedule.notebook import _close_pipes, _start
from clickup_toolkit.schedule.processes import kill_family
from clickup_toolkit.settings import SETTINGS, Secret, Settings
from clickup_toolkit.store import RunRecord, read_record, read_records

TOKEN = "pk_1_" + "S3CR3T" * 4
GAP = Gap("time_entries", "7", "TIMEENTRY_059", "Not shown.", "Use an admin's token.")
REPORT = Report(
    version="20261123T101500Z",
    complete=False,
    mode="full",
    tasks=1204,
    changed=1200,
    deleted=4,
    time_entries=980,
    time_in_status=1203,
    requests=61,
    throttled=2,
    retries=3,
    resumed=5,
    seconds=12.34,
    peak_rss_mb=123.4,
    gaps=[GAP],
)
WAITING = """
import asyncio, pathlib
pathlib.Path(folder, "begun").touch()
try:
    await asyncio.sleep(600)
finally:
    pathlib.Path(folder, "ended in order").touch()
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return settings with a token and a data folder of their own."""
    return Settings(token=Secret(TOKEN), team_id="1", data_dir=tmp_path / "data")


@pytest.fixture
def notebook(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a notebook of these cells, the first of them its parameters."""

    def write(*sources: str) -> Path:
        cells = [nbformat.v4.new_code_cell(source, id=f"cell-{at}") for at, source in enumerate(sources)]
        cells[0].metadata["tags"] = ["parameters"]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        path = tmp_path / "a {notebook}.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
        return path

    return write


def wait_for(path: Path, seconds: float = 60) -> None:
    """Poll until the file is there."""
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Tell whether the process lives; one that nobody waited for yet is dead all the same."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_run_is_kept_with_its_report_and_without_secrets(
    settings: Settings, notebook: Callable[..., Path]
) -> None:
    """The kernel gets the settings and parameters; the executed notebook holds the report, and no token."""
    source = notebook(
        "word: str = 'none'  # any word",
        "from clickup_toolkit.schedule import note_report, notebook_settings\n"
        "from clickup_toolkit.export import Report\n"
        "import msgspec, os\n"
        "settings = notebook_settings()\n"
        "print(word, settings, len(settings.token.reveal()))",
        f"note_report(msgspec.json.decode({msgspec.json.encode(REPORT)!r}, type=Report))",
    )
    lines: list[str] = []
    executed = run_notebook(settings, {"word": "spelled"}, notebook=source, on_line=lines.append)
    assert re.fullmatch(r"\d{8}T\d{6}Z\.ipynb", executed.name)
    assert executed.parent == settings.data_dir / "runs"
    assert lines == [f"spelled {settings} {len(TOKEN)}", *describe(REPORT).splitlines()[:6]]
    assert read_report(executed) == REPORT
    assert TOKEN not in executed.read_text()
    record = read_record(executed.with_suffix(".json"))
    assert record
    assert record.seconds == round((record.finished - record.started) / 1000, 1) > 0
    assert record == RunRecord(
        name=executed.stem,
        started=record.started,
        finished=record.finished,
        seconds=record.seconds,
        outcome="gaps",
        exit_code=3,
        version="20261123T101500Z",
        mode="full",
        tasks=1204,
        changed=1200,
        deleted=4,
        requests=61,
        throttled=2,
        retries=3,
        resumed=5,
        gaps=1,
    )
    assert read_records(executed.parent, 5) == [record]


def test_a_misspelled_parameter_is_refused(settings: Settings, notebook: Callable[..., Path]) -> None:
    """Nothing is executed with a parameter that the notebook does not have; the known ones are named."""
    source = notebook("full: bool = False  # all\ndata_dir: str = ''", "open(data_dir, 'w')")
    with pytest.raises(SettingsError) as refused:
        run_notebook(settings, {"ful": True, "full": True}, notebook=source)
    assert (
        str(refused.value) == "a {notebook}.ipynb has no parameter ful. Its parameters are: full, data_dir."
    )
    assert list((settings.data_dir / "runs").iterdir()) == []


def test_the_export_notebook_has_its_parameters() -> None:
    """The notebook that comes with the toolkit takes `full` and `data_dir`, each with its help."""
    import papermill

    known = papermill.inspect_notebook(str(find_notebook()))
    assert known == {
        "full": {
            "name": "full",
            "inferred_type_name": "bool",
            "default": "False",
            "help": "read everything again, even what did not change",
        },
        "data_dir": {
            "name": "data_dir",
            "inferred_type_name": "str",
            "default": '""',
            "help": "folder for everything written locally; empty: CLICKUP_DATA_DIR",
        },
    }
    check_parameters(find_notebook(), {"full": True, "data_dir": ""})


def test_the_export_notebook_is_thin() -> None:
    """It defines nothing, was stored without outputs, and names no secret."""
    book = nbformat.read(find_notebook(), as_version=4)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert not [cell.source for cell in code if re.search(r"^\s*(async )?(def|class) ", cell.source, re.M)]
    assert [cell.outputs for cell in code] == [[] for _ in code]
    assert not re.search("token", "".join(cell.source for cell in code), re.I)


def test_any_other_error_fails_the_run_with_its_cell(
    settings: Settings, notebook: Callable[..., Path]
) -> None:
    """An error that nobody designed is told with its type and its cell, and exits with 1."""
    source = notebook("x: int = 1", "1 / x", "1 / (x - 1)")
    with pytest.raises(NotebookFailed) as failed:
        run_notebook(settings, {"x": 1}, notebook=source)
    # Number four: papermill puts the parameters into a cell of their own.
    assert failed.value.message == "The notebook stopped at cell 4: ZeroDivisionError: division by zero"
    assert failed.value.exit_code == 1
    (record,) = read_records(settings.data_dir / "runs", 5)
    assert (record.outcome, record.exit_code, record.version) == ("failed", 1, "")
    assert (record.message, record.remedy) == (failed.value.message, failed.value.remedy)


def test_a_run_that_fails_tells_what_it_had_sent(settings: Settings, notebook: Callable[..., Path]) -> None:
    """Requests count also where the export failed or was killed; a run that sent none has none."""
    exporting = (
        "import os\nfrom pathlib import Path\nfrom clickup_toolkit.store import LiveRun, Traffic\n"
        "with LiveRun(Path(folder)) as run:\n"
        "    run.note(mode='full')\n"
        "    run.traffic = lambda: Traffic(41, 2, 3)\n"
    )
    killed = (
        "    while b'\"requests\":41' not in Path(folder, 'runs/current.json').read_bytes(): pass\n"
        "    os.kill(os.getpid(), 9)"
    )
    for end in (exporting + "    1 / 0", exporting + killed, "1 / 0"):
        with pytest.raises(NotebookFailed):
            run_notebook(
                settings, {"folder": str(settings.data_dir)}, notebook=notebook("folder: str = ''", end)
            )
    records = reversed(read_records(settings.data_dir / "runs", 5))
    found = [(one.outcome, one.mode, one.requests, one.throttled, one.retries) for one in records]
    assert found == [("failed", "full", 41, 2, 3), ("failed", "full", 41, 2, 3), ("failed", "", 0, 0, 0)]


@pytest.mark.parametrize("most", [0, 100])  # bytes in a file: none, or half a notebook
def test_a_full_disk_is_told_in_one_sentence(settings: Settings, most: int) -> None:
    """Where the notebook finds no room, that is said, with its remedy, and no piece of it stays."""
    script = (
        "import resource, sys; from clickup_toolkit.cli import main\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop()),) * 2)\n"
        "main()"
    )
    process = subprocess.run(
        [sys.executable, "-B", "-c", script, "schedule", "--once", str(most)],
        env=environment(settings),
        capture_output=True,
        text=True,
        check=False,
    )
    runs = settings.data_dir / "runs"
    message, remedy = process.stderr.splitlines()
    assert (process.returncode, process.stdout) == (1, "")
    assert message.startswith(f"Error: There is no space left to write {runs}/2")
    assert message.endswith(".ipynb ([Errno 27] File too large).")
    assert remedy == (
        f"Free disk space where {runs} lies, or set CLICKUP_DATA_DIR to a folder with more, and run the "
        "export again: it goes on where it stopped."
    )
    assert list(runs.iterdir()) == []


def test_the_newest_runs_are_kept(settings: Settings, notebook: Callable[..., Path]) -> None:
    """KEEP_RUNS notebooks stay, the new one among them, with their records; what others put there stays."""
    runs = settings.data_dir / "runs"
    runs.mkdir(parents=True)
    names = [
        f"202501{day:02}T{hour:02}0000Z{copy}"
        for day in range(1, 6)
        for hour in range(12)
        for copy in ("", "-2")
    ]
    for name in (*names, "mine"):
        (runs / f"{name}.ipynb").write_text("{}")
        (runs / f"{name}.json").write_text("{}")
    settings = dataclasses.replace(settings, keep_runs=20)
    executed = run_notebook(settings, notebook=notebook("x: int = 1", "x"))
    kept = {*names[-19:], executed.stem, "mine"}
    assert {path.name for path in runs.iterdir()} == {
        f"{name}.{end}" for name in kept for end in ("ipynb", "json")
    }


def test_a_stopped_run_ends_in_order(
    tmp_path: Path, settings: Settings, notebook: Callable[..., Path]
) -> None:
    """Stopping cancels the running cell, which tidies up; the notebook is saved as far as it came."""
    source = notebook("folder: str = ''", WAITING)
    stop = threading.Event()
    begun = threading.Thread(target=lambda: (wait_for(tmp_path / "begun"), stop.set()))
    begun.start()
    with pytest.raises(NotebookFailed) as failed:
        run_notebook(settings, {"folder": str(tmp_path)}, notebook=source, stop=stop)
    begun.join()
    assert failed.value.message == "The run was stopped before its end."
    assert (tmp_path / "ended in order").exists()
    (executed,) = (settings.data_dir / "runs").glob("*.ipynb")
    assert '"CancelledError"' in executed.read_text()
    record = read_record(executed.with_suffix(".json"))
    assert record
    assert (record.outcome, record.exit_code) == ("stopped", 1)


def test_a_run_that_takes_too_long_is_ended(settings: Settings, notebook: Callable[..., Path]) -> None:
    """The limit holds for the whole run, from its first moment."""
    source = notebook("x: int = 1", "import time\ntime.sleep(600)")
    began = time.monotonic()
    with pytest.raises(NotebookFailed) as failed:
        run_notebook(settings, notebook=source, timeout=0.5)
    assert failed.value.message == "The run took longer than 0.5 seconds and was ended."
    assert time.monotonic() - began < 30


def test_a_run_that_heeds_nothing_is_killed_with_all_it_started(
    tmp_path: Path, settings: Settings, notebook: Callable[..., Path]
) -> None:
    """A runner and a kernel that ignore every signal are killed when the grace is over."""
    deaf = (
        "import os, pathlib, signal, subprocess, sys\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN); signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'],"
        " start_new_session=True)\n"
        "pathlib.Path(folder, 'begun').write_text(f'{os.getpid()} {child.pid}')\n"
        "child.wait()"
    )
    run = _start(
        notebook("folder: str = ''", deaf), tmp_path / "out.ipynb", {"folder": str(tmp_path)}, settings
    )
    wait_for(tmp_path / "begun")
    kill_family(run.pid)
    assert run.wait(60) == -signal.SIGKILL
    _close_pipes(run)
    for pid in (tmp_path / "begun").read_text().split():
        deadline = time.monotonic() + 60
        while is_alive(int(pid)):
            assert time.monotonic() < deadline, f"{pid} lives on"
            time.sleep(0.02)


def test_a_run_does_not_outlive_whoever_started_it(
    tmp_path: Path, settings: Settings, notebook: Callable[..., Path]
) -> None:
    """When the starting process is killed, the run ends in order by itself."""
    source = notebook("folder: str = ''", WAITING)
    script = (
        "import sys; from pathlib import Path\n"
        "from clickup_toolkit.schedule import notebook_settings, run_notebook\n"
        "run_notebook(notebook_settings(), {'folder': sys.argv[1]}, notebook=Path(sys.argv[2]))"
    )
    starter = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path), str(source)], env=environment(settings)
    )
    wait_for(tmp_path / "begun")
    os.kill(starter.pid, signal.SIGKILL)
    starter.wait()
    wait_for(tmp_path / "ended in order")


def test_a_killed_papermill_leaves_no_temporary_file(
    tmp_path: Path, settings: Settings, notebook: Callable[..., Path]
) -> None:
    """What a run puts into the folder for temporary files goes with it, however papermill ended."""
    source = notebook("x: int = 1", "import os, time\nos.kill(os.getppid(), 9)\ntime.sleep(60)")
    script = (
        "import sys; from pathlib import Path\n"
        "from clickup_toolkit.schedule import notebook_settings, run_notebook\n"
        "run_notebook(notebook_settings(), notebook=Path(sys.argv[1]))"
    )
    (tmp_path / "temporary").mkdir()
    process = subprocess.run(
        [sys.executable, "-c", script, str(source)],
        env={**environment(settings), "TMPDIR": str(tmp_path / "temporary")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "The notebook did not come to its end: exit code -9." in process.stderr
    assert list((tmp_path / "temporary").iterdir()) == []


def test_the_environment_carries_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process reads exactly the given settings, whatever its .env says about the others."""
    (tmp_path / ".env").write_text("REDIS_URL=redis://elsewhere\nCONCURRENCY=9\n")
    given = [
        Settings(data_dir=tmp_path),
        Settings(
            token=Secret(TOKEN),
            team_id="12",
            api_auth_token=Secret("word"),
            concurrency=None,
            initial_backoff=0.25,
            redis_url="unix:///tmp/here",
            data_dir=tmp_path / "else where",
            export_interval_hours=0.5,
            port=0,
            notify_mail_to=("a@example.com", "b@example.com"),
            trusted_proxies=("10.0.0.0/8",),
        ),
        Settings.read({"WORKING_DAYS": "sun-thu", "WORKING_HOURS": "09:00-12:30, 13:30-18:00"}),
        Settings.read({"HOLIDAYS": "2026-12-24, 2026-12-25", "CYCLE_START": "type:custom,status:in review"}),
    ]
    monkeypatch.chdir(tmp_path)
    for settings in given:
        told = environment(settings)
        for setting in SETTINGS.values():
            monkeypatch.setenv(setting.variable, told[setting.variable])
        assert Settings.read() == settings


def test_the_notebooks_parameter_overrides_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`data_dir` of the notebook wins over CLICKUP_DATA_DIR; empty leaves it."""
    for name, value in environment(Settings(token=Secret("t"), team_id="1", data_dir=tmp_path)).items():
        monkeypatch.setenv(name, value)
    folders = [notebook_settings(folder).data_dir for folder in ("", str(tmp_path / "other"))]
    assert folders == [tmp_path, tmp_path / "other"]


def test_the_report_reads_well() -> None:
    """Every count of the report has its place, and each gap comes with what to do."""
    assert describe(REPORT).splitlines() == [
        "Published version 20261123T101500Z, with 1 gap",
        "  tasks           1,204 (1,200 new or changed, 4 deleted)",
        "  time entries    980",
        "  time in status  1,203 tasks",
        "  requests        61 (2 throttled, 3 sent again, 5 more answered by an interrupted run's journal)",
        "  full export     12.3 s, 123 MB of memory",
        "",
        "Could not be read:",
        "  time_entries 7 (TIMEENTRY_059): Not shown.",
        "    → Use an admin's token.",
    ]


def test_gaps_become_a_table() -> None:
    """The notebook's table of gaps shows each of them whole, and what stands in them as text."""
    gap = Gap("lists", "8", "OAUTH_061", "<script>No</script> " * 9, "Ask Ann & Bob.")
    shown = gaps_table(msgspec.structs.replace(REPORT, gaps=[GAP, gap]))
    cells = re.findall(r"<td [^>]*>([^<]*)</td>", shown.to_html())
    assert [html.unescape(cell) for cell in cells] == [*GAP, *gap]
