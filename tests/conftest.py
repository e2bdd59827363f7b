"""What every test may use; the parts live in ``tests/fixtures``."""

from __future__ import annotations

import signal

import httpx
from httpx._config import DEFAULT_TIMEOUT_CONFIG

pytest_plugins = [
    "tests.fixtures.valkey",
    "tests.fixtures.demo",
    "tests.fixtures.nginx",
    "tests.fixtures.browser",
    "tests.fixtures.s3",
    "tests.fixtures.jupyterlab",
    "tests.fixtures.ci",
]


def pytest_configure() -> None:
    """Heed Ctrl-C, also where a script runs the tests in its background, and wait for slow answers.

    The package gives a timeout with each of its own requests; what tests ask for may take a minute on a
    machine that has other things to do.
    """
    vars(DEFAULT_TIMEOUT_CONFIG).update(vars(httpx.Timeout(60)))
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
