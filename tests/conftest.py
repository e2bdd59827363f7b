"""What every test may use; the parts live in ``tests/fixtures``."""

from __future__ import annotations

import signal

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
    """Heed Ctrl-C, and let what tests start do so, also where a script runs the tests in its background."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
