"""Faults that the server commits on purpose, the same every time."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

import msgspec

__all__ = ["Fault", "Faults", "make_odd", "without_last_page"]

KINDS = (
    "429", "429_bare", "500", "502", "reset", "hang", "truncate", "broken_json", "error_in_200", "repeat",
    "no_last_page", "odd", "refuse",
)  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """One kind of fault, and when it happens to requests whose path and query match ``path``.

    ``every=3``: every third of them; ``times=2``: the first two; ``probability=0.1``: by chance, the same
    for the same ``seed``; none of these: always. Kinds:

    - ``429``: the rate limit is spent, with the usual headers; ``429_bare``: without any
    - ``500``: an error of the server as JSON; ``502``: a gateway's HTML
    - ``reset``: the connection is dropped; ``hang``: no answer until the client gives up
    - ``truncate``: the connection is dropped in the middle of the body; ``broken_json``: whole, but not JSON
    - ``error_in_200``: a 200 with ``err`` and ``ECODE`` inside
    - ``repeat``: the first page, whichever page or span of dates was asked for
    - ``no_last_page``: without ``last_page``
    - ``odd``: nulls, strings for numbers and missing keys in tasks, lists, members, entries (ids stay)
    - ``refuse``: ``status`` with ``code``
    """

    kind: str
    path: str = ""
    every: int = 0
    times: int = 0
    probability: float = 0.0
    status: int = 401
    code: str = "OAUTH_027"
    message: str = "Team not authorized"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"There is no fault {self.kind!r}; there are {', '.join(KINDS)}.")


class Faults:
    """Decides which request meets which fault: the first that wants it."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self._all = [(fault, re.compile(fault.path), _Count(fault)) for fault in faults]

    def pick(self, target: str) -> Fault | None:
        """Return the fault that the request for ``target`` (path and query) meets, or None."""
        for fault, path, count in self._all:
            if path.search(target) and count.strikes():
                return fault
        return None


class _Count:
    def __init__(self, fault: Fault) -> None:
        self._fault, self._met, self._rng = fault, 0, Random(fault.seed)

    def strikes(self) -> bool:
        self._met += 1
        fault = self._fault
        if fault.every:
            return self._met % fault.every == 0 and (
                not fault.times or self._met <= fault.every * fault.times
            )
        if fault.times:
            return self._met <= fault.times
        return not fault.probability or self._rng.random() < fault.probability


_KEYS = ("tasks", "lists", "folders", "spaces", "members", "fields", "data")
_STRANGE: tuple[object, ...] = (None, "", "unexpected", "12", 12, [], {}, False)


def make_odd(body: bytes, seed: int) -> bytes:
    """Return the JSON with some values of its items null, of another type, or missing; ids stay."""
    decoded = msgspec.json.decode(body)
    rng = Random(seed)
    for item in list(_items(decoded)):
        for key in [key for key in item if key != "id" and rng.random() < 0.15]:
            if rng.random() < 0.4:
                del item[key]
            else:
                item[key] = _STRANGE[int(rng.random() * len(_STRANGE))]
    return msgspec.json.encode(decoded)


def _items(value: object) -> Iterable[dict[str, object]]:
    if not isinstance(value, dict):
        return
    for key in _KEYS:
        found = value.get(key)
        for item in found if isinstance(found, list) else ():
            if isinstance(item, dict):
                yield from _items(item)
                yield _bearer(item)
    for key in ("teams", "shared", "user"):
        found = value.get(key)
        for item in found if isinstance(found, list) else [found]:
            yield from _items(item)


def _bearer(item: dict[str, object]) -> dict[str, object]:
    """Return what bears the id: of a member that is the person inside."""
    person = item.get("user")
    return person if isinstance(person, dict) and "id" not in item else item


def without_last_page(body: bytes) -> bytes:
    """Return a page of tasks without its ``last_page``."""
    return re.sub(rb',"last_page":(true|false)}$', b"}", body)
