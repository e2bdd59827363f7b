"""The way to the server of versions: what is said when there is none."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import anyio
import pytest

from clickup_toolkit.errors import RedisError, RedisUnreachable
from clickup_toolkit.publish import ExportLock, async_connect, connect, server_address, stop
from clickup_toolkit.settings import Settings
from tests.fixtures.valkey import RedisServer


def settings(url: str) -> Settings:
    """Settings with nothing but the address."""
    return Settings(team_id="9001", redis_url=url)


def free_port() -> int:
    """A port where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def open_port(server: RedisServer, **options: str) -> int:
    """Make the server listen on a loopback port, with further options; return the port."""
    port = free_port()
    with server.client() as client:
        client.config_set("bind", "127.0.0.1")
        client.config_set("port", port)
        for name, value in options.items():
            client.config_set(name, value)
    return port


def said(url: str) -> tuple[str, str]:
    """What connecting to ``url`` raises."""
    with pytest.raises(RedisUnreachable) as met:
        connect(settings(url))
    return met.value.message, met.value.remedy


def test_the_named_server_is_used_and_never_stopped(redis_url: str) -> None:
    """``REDIS_URL`` is taken as it is; stopping is for the embedded server alone."""
    assert server_address(settings(redis_url)) == redis_url
    with connect(settings(redis_url)) as client:
        client.set("clickup:9001:x", b"\xff")
        assert client.get("clickup:9001:x") == b"\xff"
        assert stop(settings(redis_url)) is False
        assert client.ping() is True


def test_an_event_loop_gets_a_client_of_its_own(redis_url: str) -> None:
    """``async_connect`` answers from a coroutine what ``connect`` answers elsewhere."""

    async def roundtrip() -> bytes | None:
        async with await async_connect(settings(redis_url)) as client:
            await client.set("clickup:9001:x", b"\xff")
            return await client.get("clickup:9001:x")

    assert anyio.run(roundtrip) == b"\xff"


def test_a_dead_address_is_noticed_at_once() -> None:
    """Where nobody listens, one sentence says so, without a second try, without the password."""
    port = free_port()
    began = time.monotonic()
    message, remedy = said(f"redis://ada:s3cret@127.0.0.1:{port}/0?health_check_interval=0")
    assert time.monotonic() - began < 5
    assert message.startswith(f"Redis at 127.0.0.1:{port} cannot be reached: ")
    assert "s3cret" not in message
    assert remedy == "Start it, correct REDIS_URL, or unset REDIS_URL to use the embedded server."


def test_a_missing_socket_is_named(tmp_path: Path) -> None:
    """A unix address without a server names the socket."""
    message, _ = said(f"unix://{tmp_path}/none.sock")
    assert message.startswith(f"Redis at unix://{tmp_path}/none.sock cannot be reached: ")


def test_an_unknown_host_is_named() -> None:
    """A name that does not resolve is a wrong address."""
    message, _ = said("redis://nowhere.invalid:6379/0")
    assert message.startswith("Redis at nowhere.invalid:6379 cannot be reached: ")


@pytest.mark.parametrize("url", ["redis://host:port/0", "redis://127.0.0.1:1/0?no_such_option=1"])
def test_what_is_no_address_is_said(url: str) -> None:
    """An address that cannot be read is explained by its form."""
    message, remedy = said(url)
    assert message == "REDIS_URL is not an address of Redis."
    assert "redis://user:password@host:port/0" in remedy


def test_a_stranger_at_the_address_is_recognised() -> None:
    """A web server, say, is not Redis."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        port = listener.getsockname()[1]
        message, remedy = said(f"redis://127.0.0.1:{port}/0")
        thread.join()
    assert message == f"What answers at 127.0.0.1:{port} is not Redis."
    assert remedy == "Correct host and port in REDIS_URL."


@pytest.mark.parametrize("user", ["", ":wrong@", "ada:wrong@"])
def test_a_rejected_password_is_said(redis_server: RedisServer, user: str) -> None:
    """No password, a wrong one or an unknown user: the same clear sentence, without the password."""
    port = open_port(redis_server, requirepass="right")
    message, remedy = said(f"redis://{user}127.0.0.1:{port}/0")
    assert message == f"Redis at 127.0.0.1:{port} refuses the password."
    assert remedy == "Put the right one into REDIS_URL: redis://user:password@host:port/0."


def test_a_user_without_rights_is_said(redis_server: RedisServer) -> None:
    """A user who may not run scripts learns which rights are needed."""
    port = open_port(redis_server)
    with redis_server.client() as client:
        client.execute_command("ACL", "SETUSER", "ada", "on", ">pw", "~*", "+@all", "-eval")
    with (
        connect(settings(f"redis://ada:pw@127.0.0.1:{port}/0")) as client,
        pytest.raises(RedisError) as met,
        ExportLock(client, "9001", 1800),
    ):
        pass
    assert met.value.message.startswith(
        f"The user of REDIS_URL may not do what is needed at 127.0.0.1:{port}: "
    )
    assert "clickup:" in met.value.remedy


def test_a_read_only_replica_is_said(redis_server: RedisServer) -> None:
    """A replica can be read; whoever wants to export there is sent to the primary."""
    with redis_server.client() as client:
        client.replicaof("127.0.0.1", str(free_port()))
    with (
        connect(settings(redis_server.url)) as client,
        pytest.raises(RedisError) as met,
        ExportLock(client, "9001", 1800),
    ):
        pass
    assert met.value.message == (
        f"Redis at {redis_server.url} is a read-only replica, so nothing can be stored there."
    )
    assert met.value.remedy == "Set REDIS_URL to the primary server."


def test_a_full_server_still_gives_the_lock(redis_server: RedisServer) -> None:
    """Only an export can free what is too much in a server that takes no more."""
    with connect(settings(redis_server.url)) as client:
        client.config_set("maxmemory", 1)
        with ExportLock(client, "9001", 1800) as lock:
            lock.check()
        assert client.exists(lock.key) == 0
