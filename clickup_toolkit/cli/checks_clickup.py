"""What ``doctor`` asks ClickUp: token, workspace, rights, plan, time in status, rate limit, clock."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TypeVar

import msgspec

from clickup_toolkit.cli.findings import Finding, Remark, checked
from clickup_toolkit.client import Client, Request
from clickup_toolkit.errors import Refused, TokenRejected, WorkspaceUnavailable
from clickup_toolkit.pacing import Pacer
from clickup_toolkit.settings import Settings

__all__ = ["Me", "Team", "ask_clickup", "reached", "token_owner"]

Answered = TypeVar("Answered")
_TRIES = 2  # somebody waits for the answer
_ROLES = {1: "owner", 2: "admin", 3: "member", 4: "guest"}
_READ_ALL_TIME = frozenset({1, 2})
_LEAST_LEFT = 10  # requests of a window; with less, somebody else uses the token right now
_MOST_SKEW_S = 60
_TIS_OFF = "TIS_027"


class Me(msgspec.Struct):
    """A person: the token's user, or a member."""

    id: int | str
    username: str | None = None
    role: int = 0


class _Member(msgspec.Struct):
    user: Me


class Team(msgspec.Struct):
    """A workspace that the token reaches."""

    id: int | str
    name: str | None = None
    members: list[_Member] = []


class _User(msgspec.Struct):
    user: Me


class _Teams(msgspec.Struct):
    teams: list[Team]


class _Plan(msgspec.Struct):
    plan_name: str = "unknown"


class _Task(msgspec.Struct):
    id: str


class _Tasks(msgspec.Struct):
    tasks: list[_Task]


def ask_clickup(settings: Settings) -> Iterator[Finding]:
    """Check everything that ClickUp can tell; without a token that it knows, nothing else is asked."""
    doctor = _Questions(settings)
    token = checked("token", doctor.token)
    yield token
    if token.state != "ok":
        yield Finding("workspace", "problem", "not checked", "Put right first what the token's line tells.")
        return
    workspace = checked("workspace", doctor.workspace)
    yield workspace
    if workspace.state == "ok":
        yield checked("rights", doctor.rights)
        yield checked("plan", doctor.plan)
        yield checked("time in status", doctor.time_in_status)
    yield checked("rate limit", doctor.rate_limit)
    yield checked("clock", doctor.clock)


def token_owner(settings: Settings) -> Me:
    """Return whose token it is. Raises :class:`TokenRejected` with what to do where ClickUp refuses it."""
    return _Questions(settings).me()


def reached(settings: Settings) -> list[Team]:
    """Return the workspaces that the token reaches."""
    return _Questions(settings).teams()


class _Questions:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._user: Me | None = None
        self._team: Team | None = None
        self._seen: Client | None = None

    def me(self) -> Me:
        try:
            return self._ask(Request("/user"), _User).user
        except Refused as refusal:
            raise TokenRejected(
                f"ClickUp refuses the token: {refusal.message}",
                "Make a new one in ClickUp (your avatar, Settings, Apps, API Token), and set CLICKUP_TOKEN.",
            ) from refusal

    def teams(self) -> list[Team]:
        return self._ask(Request("/team"), _Teams).teams

    def token(self) -> str:
        self._user = self.me()
        return f"ClickUp knows it as {self._user.username or 'user'} ({self._user.id})"

    def workspace(self) -> str:
        teams = self.teams()
        for team in teams:
            if str(team.id) == self._settings.team_id:
                self._team = team
                return f"{team.name} ({team.id})"
        known = ", ".join(f"{team.id} ({team.name})" for team in teams) or "none"
        raise WorkspaceUnavailable(
            f"The token does not reach the workspace {self._settings.team_id}.",
            f"Set CLICKUP_TEAM_ID to one that it reaches: {known}.",
        )

    def rights(self) -> str:
        assert self._team
        assert self._user
        mine = [each.user for each in self._team.members if str(each.user.id) == str(self._user.id)]
        role = mine[0].role if mine else 0
        name = _ROLES.get(role, "unknown")
        if role not in _READ_ALL_TIME:
            raise Remark(
                f"The token's user is {name} here: other people's time and private places are not read.",
                "Use the token of a workspace owner or admin who was invited to the private places.",
            )
        return f"the token's user is {name}, who may read everybody's time"

    def plan(self) -> str:
        return self._ask(Request(f"/team/{self._settings.team_id}/plan"), _Plan).plan_name

    def time_in_status(self) -> str:
        tasks = self._ask(Request(f"/team/{self._settings.team_id}/task", [("page", "0")]), _Tasks).tasks
        if not tasks:
            return "there is no task to ask about"
        try:
            self._ask(Request(f"/task/{tasks[0].id}/time_in_status"), dict[str, object])
        except Refused as refusal:
            if refusal.code != _TIS_OFF:
                raise
            raise Remark(
                "It is off, or not in the plan: times in a status are seen from export to export alone.",
                "Switch on the Time in Status ClickApp; it needs a plan that has it.",
            ) from refusal
        return "it is on"

    def rate_limit(self) -> str:
        assert self._seen
        pacer = self._seen.pacer
        found = f"{pacer.limit:,} requests a minute, {pacer.remaining:,} left in this one"
        if self._seen.stats.throttled or pacer.remaining < min(_LEAST_LEFT, pacer.limit // 2):
            raise Remark(
                f"{found}: somebody else uses this token.", "Give the export the token of a user of its own."
            )
        return found

    def clock(self) -> str:
        assert self._seen
        ahead = (self._seen.ahead_ms or 0) / 1000
        where = "ahead of" if ahead > 0 else "behind"
        if abs(ahead) > _MOST_SKEW_S:
            raise Remark(
                f"This machine's clock is {abs(ahead):,.0f} s {where} ClickUp's.",
                "Exports allow for that, but ages and schedules are off: set the clock, by NTP at best.",
            )
        return f"within {max(1, round(abs(ahead)))} s of ClickUp's"

    def _ask(self, request: Request, kind: type[Answered]) -> Answered:
        async def ask() -> Answered:
            async with Client(self._settings, Pacer(1)) as client:
                self._seen = client
                decode = msgspec.json.Decoder(kind).decode
                return (await client.get(request, decode, tries=_TRIES))[2]

        return asyncio.run(ask())
