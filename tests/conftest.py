"""What every test may use; the parts live in ``tests/fixtures``."""

pytest_plugins = [
    "tests.fixtures.valkey",
    "tests.fixtures.demo",
    "tests.fixtures.nginx",
    "tests.fixtures.browser",
    "tests.fixtures.s3",
    "tests.fixtures.jupyterlab",
    "tests.fixtures.ci",
]
