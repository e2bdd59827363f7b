"""The parts of the benchmark of serving: versions in an embedded server, the site, nginx before it."""

from __future__ import annotations

import os
import random
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import psutil

from benchmarks._serve_load import Load, Taken
from clickup_toolkit import publish
from clickup_toolkit.publish import StoredVersion
from clickup_toolkit.settings import SETTINGS, Secret, Settings

__all__ = [
    "Fronts",
    "Site",
    "Versions",
    "ask",
    "fronts",
    "needed_programs",
    "site",
    "taken",
    "versions",
    "wrk",
]

TOKEN = "benchmark-token"
TEAM = "9001"
PATH = "/api/v1/export/"
CONFIGURATION = Path(__file__).parents[1] / "deploy" / "nginx.conf"
_HEAD = b'{"status":"success","data":['
_UNITS = {"B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}
_REFERENCE = """
daemon off;
{user}
worker_processes auto;
pid {folder}/nginx.pid;
error_log {folder}/main.log warn;
events {{ worker_connections 1024; }}
http {{
    client_body_temp_path {folder}/temporary/body;
    proxy_temp_path {folder}/temporary/proxy;
    fastcgi_temp_path {folder}/temporary/fastcgi;
    uwsgi_temp_path {folder}/temporary/uwsgi;
    scgi_temp_path {folder}/temporary/scgi;
    {include}
    server {{
        listen 127.0.0.1:{plain};
        listen 127.0.0.1:{secure} ssl http2;
        access_log off;
        sendfile on;
        tcp_nopush on;
        ssl_certificate {folder}/certificate.pem;
        ssl_certificate_key {folder}/key.pem;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_ciphers ECDHE+AESGCM:ECDHE+CHACHA20;
        location / {{
            root {folder}/files;
            default_type application/json;
            add_header Content-Encoding gzip;
        }}
    }}
}}
"""


def needed_programs() -> list[str]:
    """Return the programs that are not installed and cannot be done without."""
    return [name for name in ("nginx", "openssl") if shutil.which(name) is None]


class Versions:
    """The versions in an embedded server, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(team_id=TEAM, data_dir=folder, api_auth_token=Secret(TOKEN))
        self._client = publish.connect(self.settings)
        self._time = datetime(2026, 1, 1, tzinfo=UTC)

    def put(self, megabytes: float, seed: int = 0) -> StoredVersion:
        """Publish a document that has so many MB as gzip, as a newer version than all before."""
        self._time += timedelta(seconds=1)
        with publish.ExportLock(self._client, TEAM, 600) as lock:
            return publish.publish(
                self._client,
                lock,
                team_id=TEAM,
                version=self._time.strftime("%Y%m%dT%H%M%SZ"),
                head=[_HEAD],
                tasks=_tasks(megabytes, seed),
                facts={},
                keep=2,
            ).stored

    def save(self, stored: StoredVersion, path: Path) -> None:
        """Write a version's body to a file."""
        with path.open("wb") as file:
            file.writelines(publish.body(self._client, stored))


def _tasks(megabytes: float, seed: int) -> Iterator[tuple[str, bytes]]:
    """Yield tasks of 3.3 KB that shrink to a fifth; ``seed`` changes one in fifty."""
    dice = random.Random(1)
    words = b'"text":"in review","type":"custom","orderindex":2,"color":"#5f55ee",' * 31
    for number in range(max(1, round(megabytes * 1e6 / 660))):
        chance = dice.randbytes(560) if seed == 0 or number % 50 else random.Random(seed).randbytes(560)
        yield f"86{number:07x}", b'{"id":"86%07x",%s"x":"%s"}' % (number, words, chance.hex().encode())


@contextmanager
def versions(folder: Path) -> Iterator[Versions]:
    """Run an embedded server while the block lasts."""
    made = Versions(folder)
    try:
        yield made
    finally:
        publish.stop(made.settings)


@dataclass(frozen=True)
class Site:
    """``clickup-toolkit serve`` in a process of its own."""

    port: int
    process: psutil.Process

    @property
    def url(self) -> str:
        """The address of the export."""
        return f"http://127.0.0.1:{self.port}{PATH}"

    def megabytes(self) -> float:
        """Return how much memory it holds now, without what it shares with others."""
        return float(self.process.memory_full_info().uss) / 1e6


@contextmanager
def site(settings: Settings) -> Iterator[Site]:
    """Serve while the block lasts."""
    (port,) = _free_ports(1)
    foreign = {setting.variable for setting in SETTINGS.values()}
    environment = {
        **{name: value for name, value in os.environ.items() if name not in foreign},
        "CLICKUP_TEAM_ID": TEAM,
        "CLICKUP_DATA_DIR": str(settings.data_dir),
        "API_AUTH_TOKEN": TOKEN,
        "PORT": str(port),
    }
    command = [sys.executable, "-m", "clickup_toolkit.cli", "serve"]
    with subprocess.Popen(
        command, env=environment, cwd=settings.data_dir, stdout=subprocess.DEVNULL
    ) as process:
        try:
            _wait_for(port)
            yield Site(port, psutil.Process(process.pid))
        finally:
            process.terminate()


@dataclass(frozen=True)
class Fronts:
    """What nginx answers: the file, and the export from its cache; each with TLS and without."""

    file: str
    file_tls: str
    cache: str
    cache_tls: str


@contextmanager
def fronts(folder: Path, site_port: int, file: Path) -> Iterator[Fronts]:
    """Run one nginx that serves a file by itself, and the site by ``deploy/nginx.conf``.

    The cache without TLS is the same configuration with "ssl http2" struck out.
    """
    ports = _free_ports(6)
    for name in ("files", "logs", "temporary", "cache", "cache-tls"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "files" / file.name).symlink_to(file)
    _make_certificate(folder)
    tls = _rendered(folder, site_port, ports[0], ports[1], folder / "cache-tls")
    plain = _rendered(folder, site_port, ports[2], ports[3], folder / "cache").replace(" ssl http2;", ";")
    (folder / "tls.conf").write_text(tls)
    (folder / "plain.conf").write_text(re.sub(r"\bclickup_(\w+)", r"plain_\1", plain))
    user = "user root;" if os.geteuid() == 0 else ""
    include = f"include {folder}/tls.conf; include {folder}/plain.conf;"
    text = _REFERENCE.format(folder=folder, user=user, plain=ports[4], secure=ports[5], include=include)
    (folder / "nginx.conf").write_text(text)
    with subprocess.Popen(
        ["nginx", "-c", str(folder / "nginx.conf"), "-e", str(folder / "main.log")]
    ) as process:
        try:
            _wait_for(ports[5])
            yield Fronts(
                f"http://127.0.0.1:{ports[4]}/{file.name}",
                f"https://127.0.0.1:{ports[5]}/{file.name}",
                f"http://127.0.0.1:{ports[3]}{PATH}",
                f"https://127.0.0.1:{ports[1]}{PATH}",
            )
        finally:
            process.terminate()


def _rendered(folder: Path, site_port: int, plain: int, secure: int, cache: Path) -> str:
    values = {
        "PUBLIC_HOST": f"127.0.0.1:{secure}",
        "SERVER_NAME": "_",
        "UPSTREAM": f"127.0.0.1:{site_port}",
        "HTTP_PORT": f"127.0.0.1:{plain}",
        "HTTPS_PORT": f"127.0.0.1:{secure}",
        "TLS_CERTIFICATE": str(folder / "certificate.pem"),
        "TLS_KEY": str(folder / "key.pem"),
        "CACHE_DIR": str(cache),
        "LOG_DIR": str(folder / "logs"),
    }
    return re.sub(r"\$\{([A-Z_]+)\}", lambda name: values[name[1]], CONFIGURATION.read_text())


def _make_certificate(folder: Path) -> None:
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    subprocess.run(["openssl", *words.split(), *files], check=True, capture_output=True)


def ask(url: str, *, clients: int, seconds: float, check: bool = False) -> subprocess.Popen[str]:
    """Start our own clients; what they found is read by :func:`taken`."""
    load = Load(url, TOKEN, clients, seconds, check)
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks._serve_load"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(msgspec.json.encode(load).decode())
    process.stdin.close()
    return process


def taken(process: subprocess.Popen[str]) -> Taken:
    """Wait for clients that were started and return what they found."""
    assert process.stdout is not None
    with process:
        return msgspec.json.decode(process.stdout.read(), type=Taken)


def wrk(url: str, *, clients: int, seconds: int) -> tuple[float, float]:
    """Return MB and requests a second that wrk gets. Raises RuntimeError for failed answers."""
    headers = ["-H", "Accept-Encoding: gzip", "-H", f"Authorization: Bearer {TOKEN}"]
    command = ["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "--timeout", "30s", *headers, url]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in told or "Socket errors" in told:
        raise RuntimeError(f"{url} failed under load: {told}")
    size, unit = re.findall(r"Transfer/sec:\s+([\d.]+)([KMG]?B)", told)[0]
    rate = re.findall(r"Requests/sec:\s+([\d.]+)", told)[0]
    return float(size) * _UNITS[unit] / 1e6, float(rate)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"nobody listens on port {port}")
