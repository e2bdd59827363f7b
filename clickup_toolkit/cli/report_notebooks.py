"""The notebooks that ``report`` may run: their names and parameters, and a run that leaves nothing behind."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias

import clickup_toolkit
from clickup_toolkit.errors import NotebookFailed, SettingsError, StorageError
from clickup_toolkit.schedule import check_parameters, run_notebook
from clickup_toolkit.schedule.executed import read_cells
from clickup_toolkit.settings import Settings

__all__ = ["chosen", "listed", "run"]

Value: TypeAlias = bool | int | float | str
_TRUE, _FALSE = ("true", "yes", "1", "on"), ("false", "no", "0", "off")


def listed() -> str:
    """Tell the notebooks, each with its question and its parameters."""
    told = []
    for name, path in _notebooks().items():
        heading = next((line for line in _first_text(path) if line.startswith("#")), "").lstrip("# ")
        parameters = [
            f"    {name} = {about['default']}  {about['help']}" for name, about in _known(path).items()
        ]
        told.append("\n".join([f"{name}: {heading}", *(line.rstrip() for line in parameters)]))
    return "\n\n".join(told)


def chosen(name: str, params: Sequence[str]) -> tuple[Path, dict[str, Value]]:
    """Return where a notebook lies, and its parameters as typed values.

    ``params`` are texts such as ``weeks=13``. Raises :class:`SettingsError`, with the choice, for a notebook
    or a parameter that is not there, and for a value of another type.
    """
    path = _find(name)
    pairs = [param.partition("=") for param in params]
    for key, equals, _ in pairs:
        if not equals or not key:
            raise SettingsError(f"{key} is no parameter with a value.", "Write --param name=value.")
    given = {key.strip(): value.strip() for key, _, value in pairs}
    check_parameters(path, given)
    known = _known(path)
    return path, {key: _typed(key, value, known[key]) for key, value in given.items()}


def _find(name: str) -> Path:
    own = Path(name).expanduser()
    if own.suffix == ".ipynb" and own.is_file():
        return own.absolute()
    there = _notebooks()
    path = there.get(_short(name.removesuffix(".ipynb")))
    if path is None:
        choice = f"Choose one of {', '.join(there)}, or the path of a notebook of your own."
        raise SettingsError(f"There is no notebook {name}.", choice)
    return path


@contextmanager
def run(settings: Settings, notebook: Path, parameters: dict[str, Value], out: Path) -> Iterator[Path]:
    """Execute the notebook aside, away from the runs of the schedule, and give the executed one.

    Where it fails, the executed notebook stays beside ``out``. Raises :class:`NotebookFailed` with the cause.
    """
    if "data_dir" in _known(notebook):
        parameters = {"data_dir": str(settings.data_dir), **parameters}
    with tempfile.TemporaryDirectory(prefix="clickup-report-", ignore_cleanup_errors=True) as aside:
        try:
            executed = run_notebook(
                dataclasses.replace(settings, data_dir=Path(aside)), parameters, notebook=notebook
            )
        except NotebookFailed as failed:
            kept = _keep(Path(aside), out)
            failed.remedy = f"The executed notebook shows where: {kept}" if kept else failed.remedy
            raise
        yield executed


def _keep(aside: Path, out: Path) -> Path | None:
    """Save the notebook that failed beside the page that was to be; None where that cannot be."""
    kept = out.with_suffix(".failed.ipynb")
    with suppress(OSError, StopIteration):
        shutil.copyfile(next((aside / "runs").glob("*.ipynb")), kept)
        return kept
    return None


def _notebooks() -> dict[str, Path]:
    """Return the notebooks by their names without the number, in reading order."""
    package = Path(clickup_toolkit.__file__).parent
    for folder in (package / "_notebooks" / "notebooks", package.parent / "notebooks"):
        found = sorted(folder.glob("*.ipynb"))
        if found:
            return {_short(path.stem): path for path in found}
    raise StorageError("The notebooks are missing.", "Install the toolkit again, or check it out again.")


def _short(name: str) -> str:
    """Return a notebook's name without the number that puts it in order: flow-and-forecast."""
    number, _, rest = name.strip().partition("-")
    return rest if number.isdigit() else name.strip()


def _first_text(path: Path) -> list[str]:
    texts = (cell["source"] for cell in read_cells(path) if cell["cell_type"] == "markdown")
    source = next(texts, "")
    return ("".join(source) if isinstance(source, list) else str(source)).splitlines()


def _known(path: Path) -> dict[str, dict[str, Any]]:
    """Return what the parameters cell tells of each parameter: type, default and help."""
    from papermill import inspect_notebook

    known: dict[str, dict[str, Any]] = inspect_notebook(str(path).replace("{", "{{").replace("}", "}}"))
    return known


def _typed(key: str, text: str, about: dict[str, Any]) -> Value:
    kind = about.get("inferred_type_name") or "str"
    try:
        if kind == "bool":
            return _flag(text)
        if kind == "int":
            return int(text)
        return float(text) if kind == "float" else text
    except ValueError:
        names = {"int": "a whole number", "float": "a number", "bool": "true or false"}
        raise SettingsError(
            f"{key} must be {names[kind]}; it is {text!r}.", about.get("help") or ""
        ) from None


def _flag(text: str) -> bool:
    if text.casefold() not in (*_TRUE, *_FALSE):
        raise ValueError(text)
    return text.casefold() in _TRUE
