"""People: members and guests of the workspace, and those who are met on tasks and entries only."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from clickup_toolkit.normalise.shapes import Text, Time, read
from clickup_toolkit.normalise.values import Scalar, identifier, integer
from clickup_toolkit.records import Member

__all__ = ["Crowd", "Person", "member"]

_ROLES = {1: "owner", 2: "admin", 3: "member", 4: "guest"}


class Person(msgspec.Struct, gc=False):
    """A person as they stand on a task or an entry."""

    id: str | int | float | None = None
    username: Text = None
    email: Text = None
    color: Text = None
    initials: Text = None


class _User(Person, gc=False):
    role: Scalar = None
    role_key: Text = None
    date_joined: Time = None
    date_invited: Time = None
    last_active: Time = None


class _Membership(msgspec.Struct, gc=False):
    user: _User | None = None


def member(body: bytes | msgspec.Raw) -> Member | None:
    """Return the row of one of ``GET /team``'s members; None if no person can be made out.

    Invited people who never joined have neither a name nor a date of joining.
    """
    shape = read(body, _Membership)
    user = shape.user if shape else None
    key = identifier(user.id) if user else None
    if user is None or key is None:
        return None
    joined, name = user.date_joined, user.username or None
    return Member(
        id=key,
        username=name,
        email=user.email or None,
        initials=user.initials or None,
        color=user.color or None,
        role=_ROLES.get(integer(user.role) or 0, user.role_key or None),
        state="active" if name or joined else "invited",
        date_joined=joined,
        date_invited=user.date_invited,
        last_active=user.last_active,
    )


class Crowd:
    """Everybody met on tasks and entries; who is not ``known`` as a member has left."""

    def __init__(self, known: Iterable[str]) -> None:
        self._known = set(known)
        self._ids: dict[str | int | float | None, str | None] = {}
        self._left: dict[str, Member] = {}

    def meet(self, person: Person | None) -> str | None:
        """Return the person's id, and remember who is not known."""
        if person is None:
            return None
        try:
            return self._ids[person.id]
        except KeyError:
            key = self._ids[person.id] = identifier(person.id)
        if key is not None and key not in self._known:
            self._left[key] = Member(
                id=key,
                username=person.username or None,
                email=person.email or None,
                initials=person.initials or None,
                color=person.color or None,
                state="left",
            )
        return key

    def left(self) -> list[Member]:
        """Return the people who were met and are not known, by id."""
        return [self._left[key] for key in sorted(self._left)]
