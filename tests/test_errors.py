"""The exception tree: drawn in its docstring as it is, every error with its exit code."""

from __future__ import annotations

import ast
import inspect
import pickle
import re
from pathlib import Path

import pytest

from clickup_toolkit import errors
from clickup_toolkit.errors import ClickUpError, SettingsError, ToolkitError, Unanswered

CLASSES = [value for value in vars(errors).values() if inspect.isclass(value)]
LINE = re.compile(r"^    (?P<indent>[│├└─ ]*)(?P<name>[A-Z]\w+) *(?P<exit>\d?)\b", re.MULTILINE)


def drawn_tree() -> list[tuple[str, str, int]]:
    """Return (class, class above, exit code) of each line of the docstring's tree."""
    tree = []
    above: list[str] = [""]
    codes: dict[str, int] = {}
    for line in LINE.finditer(errors.__doc__ or ""):
        depth = len(line["indent"]) // 4
        name, parent = line["name"], above[depth]
        codes[name] = int(line["exit"]) if line["exit"] else codes[parent]
        above[depth + 1 :] = [name]
        tree.append((name, parent, codes[name]))
    return tree


def _is_ours(error: type[ToolkitError]) -> bool:
    return error.__module__ == errors.__name__


def real_tree(error: type[ToolkitError] = ToolkitError, parent: str = "") -> list[tuple[str, str, int]]:
    """Return the same of the classes themselves."""
    tree = [(error.__name__, parent, error.exit_code)]
    for below in sorted(filter(_is_ours, error.__subclasses__()), key=CLASSES.index):
        tree += real_tree(below, error.__name__)
    return tree


def test_the_docstring_draws_the_real_tree() -> None:
    """Names, order, places in the tree and exit codes are those of the classes."""
    assert drawn_tree() == real_tree()


def test_every_error_is_exported() -> None:
    """``__all__`` names every class of the module, and nothing else."""
    assert sorted(errors.__all__) == sorted(error.__name__ for error in CLASSES)


def test_exit_codes_are_those_of_the_command_line() -> None:
    """1 failed, 2 settings to change, 4 another export is running; 0 and 3 are no errors."""
    codes = {error.__name__: error.exit_code for error in CLASSES}
    assert {name: code for name, code in codes.items() if code != 1} == {
        "SettingsError": 2,
        "WorkspaceUnavailable": 2,
        "ExportRunning": 4,
        "SchedulerRunning": 4,
    }


def test_the_type_alone_says_whether_asking_again_makes_sense() -> None:
    """What had no usable answer may be asked again; everything else may not."""
    retryable = {error for error in CLASSES if error.retryable}
    assert retryable == {error for error in CLASSES if issubclass(error, Unanswered)}


@pytest.mark.parametrize("error", CLASSES)
def test_an_error_reads_as_what_happened_and_what_to_do(error: type[ToolkitError]) -> None:
    """The text is the message followed by the remedy, or the message alone."""
    assert str(error("The disk is full.", "Make room.")) == "The disk is full. Make room."
    assert str(error("The disk is full.")) == "The disk is full."


def test_a_clickup_error_carries_status_and_code() -> None:
    """The code is ClickUp's own, else the status, else our word: the class."""
    assert vars(ClickUpError("no", status=401, code="OAUTH_025")) == {
        "message": "no",
        "remedy": "",
        "status": 401,
        "code": "OAUTH_025",
    }
    assert ClickUpError("no", status=502).code == "HTTP_502"
    assert errors.ApiUnreachable("no").code == "ApiUnreachable"


@pytest.mark.parametrize("error", CLASSES)
def test_an_error_crosses_a_process_border_whole(error: type[ToolkitError]) -> None:
    """A pickled error comes back with its message, remedy and facts."""
    sent = error("The disk is full.", "Make room.")
    arrived = pickle.loads(pickle.dumps(sent))
    assert (type(arrived), vars(arrived)) == (error, vars(sent))


def test_every_error_is_raised_or_caught_somewhere() -> None:
    """No class stands in the tree for show: each concrete one is used by the package."""
    used: set[str] = set()
    for path in (Path(errors.__file__).parent).rglob("*.py"):
        if path.name != "errors.py":
            tree = ast.parse(path.read_text())
            used |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
            used |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    leaves = {error.__name__ for error in CLASSES if not error.__subclasses__()}
    assert leaves - used == set()


def test_wrong_settings_are_no_clickup_errors() -> None:
    """A reader who catches what ClickUp did does not swallow what the user did."""
    assert not issubclass(SettingsError, ClickUpError)
