"""Many workspaces: fanned out over real workers in processes of their own, one of which is killed."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dask
import pytest
import redis

from clickup_toolkit import publish
from clickup_toolkit.demo.many import ManyServer
from clickup_toolkit.fleet import read_plan, workspaces
from clickup_toolkit.fleet.cluster import LOCAL, connected
from clickup_toolkit.fleet.task import Work, export_workspace
from clickup_toolkit.objects import Objects
from clickup_toolkit.publish.keys import Keys
from clickup_toolkit.settings import Settings
from clickup_toolkit.store import lock_folder, read_records
from tests.fixtures.s3 import S3Server
from tests.fixtures.valkey import RedisServer, wait_until
from tests.fleets import bare, clustered, give, make_tokens, variables, write_plan

WORKSPACES, TOKENS = 20, 5
LIMIT, WINDOW_S = 150, 2.0


def memory(pid: int) -> Iterator[bytes]:
    """Yield all that a process has written in its memory."""
    with Path(f"/proc/{pid}/mem").open("rb", 0) as held:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, rights, *_ = line.split()
            begins, ends = (int(part, 16) for part in span.split("-"))
            if rights.startswith("rw"):
                held.seek(begins)
                try:
                    yield held.read(ends - begins)
                except OSError:  # a part that the kernel keeps for itself
                    continue


def holds(pid: int, words: list[str]) -> bool:
    """Tell whether one of these words stands anywhere in a process's memory."""
    known = [word.encode() for word in words]
    return any(word in part for part in memory(pid) for word in known)


def test_every_workspace_is_published_once_though_a_worker_dies(
    tmp_path: Path, redis_server: RedisServer, s3_server: S3Server
) -> None:
    """Twenty workspaces on five tokens: no 429, one version each, no token at the scheduler or in a log."""
    tokens = make_tokens(WORKSPACES, TOKENS)
    with ManyServer(tokens, rate_limit=LIMIT, window=WINDOW_S) as server:
        shared = {**variables(server), **s3_server.environ, "REDIS_URL": redis_server.url}
        machines = [bare({**shared, "CLICKUP_DATA_DIR": str(tmp_path / name)}) for name in ("one", "two")]
        plan = write_plan(tmp_path / "workspaces.toml", server, data_dir="s3://exports/all", concurrency=4)
        with clustered(tmp_path, machines, threads=5) as cluster:
            words = ("--workspaces", str(plan), "--dask", cluster.address, "--json")
            process = give(tmp_path, bare(), "export", *words)
            wait_until(lambda: sum(server.requests.values()) > 300 and (tmp_path / "one").exists(), 120)
            begun = {path.name for path in (tmp_path / "one").iterdir()}
            cluster.workers[0].send_signal(signal.SIGKILL)
            told, said = process.communicate(timeout=240)
            assert not holds(cluster.scheduler.pid, list(tokens))
            assert holds(cluster.workers[1].pid, list(tokens)), "the search finds nothing where they are"
            logs = [log.read_text() for log in cluster.logs]
    assert (said, process.returncode) == ("", 3)
    outcomes = {line["team_id"]: line for line in map(json.loads, told.splitlines())}
    teams = [f"{9001 + number}" for number in range(WORKSPACES)]
    assert sorted(outcomes) == teams
    assert {line["state"] for line in outcomes.values()} == {"gaps"}, "the demo has gaps on purpose"
    assert server.throttled == dict.fromkeys(tokens, 0)
    assert begun, "the killed worker had begun nothing"
    assert {path.name for path in (tmp_path / "two").iterdir()} == set(teams), "they went on elsewhere"
    with redis_server.client() as client:
        versions = {team: [each.version for each in publish.versions(client, team)] for team in teams}
    assert versions == {team: [outcomes[team]["version"]] for team in teams}
    stored = {team: Objects("s3://exports/all", team, s3_server.environ).manifest() for team in teams}
    assert {team: manifest.version for team, manifest in stored.items()} == {
        team: line["version"] for team, line in outcomes.items()
    }
    assert not any(token in text for token in tokens for text in (*logs, told, said))


@pytest.fixture(scope="module")
def pair() -> Iterator[ManyServer]:
    """Give a server with two workspaces of one token, which has no limit to speak of."""
    with ManyServer(make_tokens(2, 1), rate_limit=1_000_000) as server:
        yield server


@pytest.fixture
def work(pair: ManyServer, tmp_path: Path, redis_url: str) -> Work:
    """Give the work on the first of them, with its token in a file and its results in a folder."""
    (token,) = pair.windows
    (tmp_path / "token").write_text(f"{token}\n")
    path = write_plan(
        tmp_path / "workspaces.toml",
        pair,
        data_dir=str(tmp_path / "data"),
        redis_url=redis_url,
        concurrency=4,
    )
    path.write_text(path.read_text().replace("env:CLICKUP_TOKEN_0", f"file:{tmp_path}/token"))
    return Work(read_plan(path).entries[0], "run-1")


def test_a_task_that_is_done_again_does_nothing(
    work: Work, pair: ManyServer, redis_client: redis.Redis
) -> None:
    """The same work of the same run finds its version and asks for nothing; another run exports again."""
    first = export_workspace(work)
    asked = pair.requests["9001"]
    again = export_workspace(work)
    assert (first.state, first.again, first.tasks) == ("gaps", False, 60)
    assert (again.state, again.again, again.tasks) == ("gaps", True, 60)
    assert again.version == first.version
    assert pair.requests["9001"] == asked
    other = export_workspace(Work(work.entry, "run-2"))
    assert (other.again, other.mode) == (False, "incremental")
    assert other.version > first.version
    assert len(publish.versions(redis_client, "9001")) == 2


def test_each_export_leaves_its_record_where_the_run_monitor_looks(
    work: Work, tmp_path: Path, redis_client: redis.Redis
) -> None:
    """One for each that exported or failed, as its outcome tells; none for one that had nothing to do."""
    runs = tmp_path / "data" / "9001" / "runs"
    first = export_workspace(work)
    export_workspace(work)
    (record,) = read_records(runs, 9)
    assert (record.outcome, record.exit_code, record.version) == ("gaps", 3, first.version)
    told = ("mode", "tasks", "changed", "requests", "throttled", "gaps")
    assert [getattr(record, name) for name in told] == [getattr(first, name) for name in told]
    assert record.seconds == round((record.finished - record.started) / 1000, 1) > 0
    (tmp_path / "token").write_text("pk_1_NOBODYS0TOKEN")
    failed = export_workspace(Work(work.entry, "run-2"))
    last, *earlier = read_records(runs, 9)
    assert earlier == [record]
    assert (last.outcome, last.exit_code, last.version) == ("failed", 1, "")
    assert (last.message, last.remedy) == (failed.message, failed.remedy)
    assert last.requests > 0


def test_an_export_that_waits_for_another_leaves_one_record(
    work: Work, tmp_path: Path, redis_client: redis.Redis
) -> None:
    """An ordinary export in the same folder is waited for, which is no failure."""
    folder, attempts = tmp_path / "data" / "9001", set[str]()
    folder.mkdir(parents=True)

    def has_tried_twice() -> bool:
        attempts.add(str(redis_client.get(Keys("9001").files)))  # each attempt holds a lock of its own
        return len(attempts - {"None"}) > 1

    with ThreadPoolExecutor(1) as pool:
        with lock_folder(folder):
            waiting = pool.submit(export_workspace, work)
            wait_until(has_tried_twice)
        outcome = waiting.result()
    assert [record.version for record in read_records(folder / "runs", 9)] == [outcome.version]


def test_two_attempts_at_once_publish_once(work: Work, redis_client: redis.Redis) -> None:
    """The second waits for the first, and takes its success for its own."""
    together = threading.Barrier(2)

    def attempt() -> bool:
        together.wait()
        return export_workspace(work).again

    with ThreadPoolExecutor(2) as pool:
        agains = sorted(each.result() for each in [pool.submit(attempt) for _ in range(2)])
    assert agains == [False, True]
    assert len(publish.versions(redis_client, "9001")) == 1


def test_another_machine_goes_on_from_object_storage(
    work: Work, pair: ManyServer, tmp_path: Path, s3_server: S3Server
) -> None:
    """An export after one on another machine reads what changed since, and drops its own old journal."""

    def on(machine: str, run: str) -> Work:
        entry = type(work.entry)(
            "9001", "Company", work.entry.settings, "s3://exports/all", str(tmp_path / machine)
        )
        return Work(entry, run)

    first = export_workspace(on("one", "run-1"), s3_server.environ)
    assert (first.state, first.mode, first.message) == ("gaps", "full", "")
    journal = tmp_path / "two" / "9001" / "journal.db"
    journal.parent.mkdir(parents=True)
    journal.write_bytes(b"left by an export that was cut off long before")
    second = export_workspace(on("two", "run-2"), s3_server.environ)
    assert (second.state, second.mode, second.message) == ("gaps", "incremental", "")
    assert second.requests < first.requests
    manifest = Objects("s3://exports/all", "9001", s3_server.environ).manifest()
    assert manifest.version == second.version > first.version
    assert second.stored_bytes == sum(each.bytes for each in manifest.objects.values())
    assert workspaces("s3://exports/all", s3_server.environ) == ["9001"]


def test_files_that_a_worker_had_not_stored_are_stored_by_its_next_attempt(
    work: Work,
    tmp_path: Path,
    s3_server: S3Server,
    monkeypatch: pytest.MonkeyPatch,
    redis_client: redis.Redis,
) -> None:
    """Published and killed before its files were stored: the attempt after it on that machine stores them."""
    missing = type(work.entry)(
        "9001", "Company", work.entry.settings, "s3://nowhere/all", str(tmp_path / "one")
    )
    failed = export_workspace(Work(missing, "run-1"), s3_server.environ)
    assert failed.state == "failed"
    assert failed.message.startswith("The object storage s3://nowhere/all/9001 cannot be ")
    there = type(work.entry)(
        "9001", "Company", work.entry.settings, "s3://exports/all", str(tmp_path / "one")
    )
    again = export_workspace(Work(there, "run-1"), s3_server.environ)
    (version,) = publish.versions(redis_client, "9001")
    assert (again.again, again.version) == (True, version.version)
    (record,) = read_records(tmp_path / "one" / "9001" / "runs", 9)
    assert (record.outcome, record.version) == ("failed", version.version), "published, and yet it failed"
    assert (record.message, record.remedy) == (failed.message, failed.remedy)
    assert Objects("s3://exports/all", "9001", s3_server.environ).manifest().version == version.version


def test_what_a_worker_lacks_is_one_clear_failure(work: Work, tmp_path: Path) -> None:
    """A token that is not on the worker, or is none, fails that workspace alone and is never repeated."""
    (tmp_path / "token").write_text("two words")
    outcome = export_workspace(work)
    assert (outcome.state, outcome.remedy[:20]) == ("failed", "Make one in ClickUp:")
    assert outcome.message == f"What file:{tmp_path}/token refers to must not contain blanks or line breaks."
    (tmp_path / "token").unlink()
    assert export_workspace(work).message == f"The file {tmp_path}/token is not set or empty on the worker."


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return what Dask's variables say of one certificate for all, which is its own authority."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("openssl is needed: apt-get install openssl")
    folder = tmp_path_factory.mktemp("tls")
    key, made = folder / "key.pem", folder / "cert.pem"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=cluster"
    command = [program, *words.split(), "-keyout", str(key), "-out", str(made)]
    subprocess.run(command, check=True, capture_output=True)
    told = {"DEFAULT_SCHEME": "tls", "REQUIRE_ENCRYPTION": "true", "TLS__CA_FILE": str(made)}
    for role in ("SCHEDULER", "WORKER", "CLIENT"):
        told |= {f"TLS__{role}__CERT": str(made), f"TLS__{role}__KEY": str(key)}
    return {f"DASK_DISTRIBUTED__COMM__{name}": value for name, value in told.items()}


def test_a_cluster_with_tls_lets_nobody_in_without_a_certificate(
    pair: ManyServer, tmp_path: Path, redis_url: str, certificate: dict[str, str]
) -> None:
    """By Dask's variables all is encrypted; without them, or by tcp, the remedy says what to do."""
    machine = bare({**variables(pair), **certificate, "REDIS_URL": redis_url})
    machine["CLICKUP_DATA_DIR"] = str(tmp_path / "data")
    plan = write_plan(tmp_path / "workspaces.toml", pair, concurrency=4)

    def ask(environ: dict[str, str], address: str) -> tuple[int, str, list[str]]:
        process = give(tmp_path, environ, "export", "--workspaces", str(plan), "--dask", address, "--json")
        told, said = process.communicate(timeout=120)
        return process.returncode, told, said.splitlines()

    with clustered(tmp_path, [machine], threads=2, more=certificate) as cluster:
        assert cluster.address.startswith("tls://")
        stranger = ask(bare(), cluster.address)
        plain = ask(bare(certificate), cluster.address.replace("tls:", "tcp:"))
        code, told, said = ask(bare(certificate), cluster.address)
    assert (code, said) == (3, [])
    assert [json.loads(line)["state"] for line in told.splitlines()] == ["gaps", "gaps"]
    for failed, remedy in ((stranger, "Start one with certificates"), (plain, "Start one (dask scheduler)")):
        assert failed[:2] == (2, "")
        assert failed[2][0].startswith("Error: No Dask scheduler answers at t")
        assert failed[2][1].startswith(remedy)


def test_workers_of_this_machine_are_not_profiled(pair: ManyServer, tmp_path: Path) -> None:
    """Dask's profiler would spend as much on threads that wait for ClickUp as all else of an idle worker."""
    plan = read_plan(write_plan(tmp_path / "workspaces.toml", pair))
    with connected(LOCAL, plan) as client:
        found = client.run(dask.config.get, "distributed.worker.profile.enabled")
    assert set(found.values()) == {False}


def test_a_local_cluster_tells_each_workspace_and_the_worst(pair: ManyServer, tmp_path: Path) -> None:
    """Without a scheduler's address processes are started here, with the embedded server; a failure is 1."""
    plan = write_plan(tmp_path / "workspaces.toml", pair, concurrency=4)
    plan.write_text(plan.read_text() + "\n[[workspaces]]\nteam_id = '9003'\ntoken = 'env:NOT_THERE'\n")
    environ = bare({**variables(pair), "CLICKUP_DATA_DIR": str(tmp_path / "data")})
    process = give(tmp_path, environ, "export", "--workspaces", str(plan))
    told, said = process.communicate(timeout=120)
    assert publish.stop(Settings(data_dir=tmp_path / "data")), "there was no embedded server for all"
    head, *rows = told.splitlines()
    columns = ("workspace", "id", "outcome", "version", "tasks", "changed", "requests", "seconds")
    assert tuple(head.split()) == columns
    assert [re.split(r"\s{2,}", row)[:3] for row in rows[:3]] == [
        ["9003", "9003", "failed"],
        ["Company 9001", "9001", "1 gaps"],
        ["Company 9002", "9002", "1 gaps"],
    ]
    assert rows[4].startswith("3 workspaces: 0 complete, 2 with gaps, 1 failed; ")
    assert rows[5:] == [
        "  9003: The environment variable NOT_THERE is not set or empty on the worker.",
        "    → Give it to every worker that may export the workspace, and start the workers again.",
    ]
    assert (process.returncode, said) == (1, "")
    assert workspaces(str(tmp_path / "data")) == ["9001", "9002"]
