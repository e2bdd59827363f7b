"""The routes of the API over a workspace: a path and a query in, a reply out. No network here."""

from __future__ import annotations

from collections.abc import Callable

from clickup_toolkit.demo.behaviour import Behaviour
from clickup_toolkit.demo.http import ApiError, Query, Reply, bad_id, not_authorized
from clickup_toolkit.demo.render import TaskBytes, js
from clickup_toolkit.demo.routes_extra import EXTRA_ROUTES
from clickup_toolkit.demo.routes_places import PLACE_ROUTES
from clickup_toolkit.demo.routes_tasks import TASK_ROUTES
from clickup_toolkit.demo.routes_time import TIME_ROUTES
from clickup_toolkit.demo.routes_workspace import WORKSPACE_ROUTES
from clickup_toolkit.demo.select import Selections
from clickup_toolkit.demo.state import State

__all__ = ["Api"]

Route = Callable[["Api", tuple[str, ...], Query], Reply]

_ROUTES: dict[str, Route] = {**TASK_ROUTES, **TIME_ROUTES, **WORKSPACE_ROUTES, **PLACE_ROUTES, **EXTRA_ROUTES}
_BY_LENGTH: dict[int, list[tuple[list[str], Route]]] = {}
for _path, _route in _ROUTES.items():
    _BY_LENGTH.setdefault(_path.count("/"), []).append((_path.split("/"), _route))

_PREFIXES = ("/api/v2/", "/api/v3/")


class Api:
    """Answers requests about a workspace, as one that may read it."""

    def __init__(self, world: State, behaviour: Behaviour) -> None:
        self.world, self.behaviour = world, behaviour
        self.bytes = TaskBytes(world)
        self.selections = Selections(world, behaviour)
        self.other_team = "9019999999"
        self._users: dict[int, str] = {}

    def answer(self, path: str, query: Query) -> Reply:
        """Return the reply to ``GET path``."""
        with self.world.lock:
            try:
                return self._route(path, query)
            except ApiError as error:
                return error.reply()

    def _route(self, path: str, query: Query) -> Reply:
        version, parts = path[:8], path[8:].split("/")
        if version in _PREFIXES:
            parts = parts if version == "/api/v2/" else ["v3", *parts]
            for pattern, route in _BY_LENGTH.get(len(parts) - 1, ()):
                ids = _match(pattern, parts)
                if ids is not None:
                    if "{team}" in pattern:
                        self._check_team(ids[0])
                    return route(self, ids, query)
        return Reply(404, b"404 page not found", "text/plain; charset=utf-8")

    def _check_team(self, id_: str) -> None:
        if not id_.isdigit():
            raise bad_id()
        if id_ == self.other_team:
            raise not_authorized("Workspace", "OAUTH_192")
        if id_ != self.world.team_id:
            raise not_authorized()

    def user_text(self, person: int) -> str:
        """Return a person as time entries name them."""
        if person not in self._users:
            keys = "id username email color initials profilePicture"
            self._users[person] = js(self.world.person_json(self.world.people[person], keys))
        return self._users[person]


def _match(pattern: list[str], parts: list[str]) -> tuple[str, ...] | None:
    """Return what stands for the pattern's blanks, or None when the path is another."""
    blanks = []
    for wanted, part in zip(pattern, parts, strict=True):
        if wanted[0] == "{":
            blanks.append(part)
        elif wanted != part:
            return None
    return tuple(blanks)
