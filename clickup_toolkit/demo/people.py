"""The people of the workspace: owner, admins, members, guests, one invited, one who left."""

from __future__ import annotations

import unicodedata
from random import Random

from clickup_toolkit.demo.ids import mix
from clickup_toolkit.demo.model import DAY, Person, Role
from clickup_toolkit.demo.vocabulary import DOMAIN, FAMILY_NAMES, FAMOUS_PEOPLE, GIVEN_NAMES

__all__ = ["make_people"]

_COLORS = ("#ff897f", "#81b1ff", "#7c4dff", "#08c7e0", "#827718", "#5f7c8a", "#795548", "#ff5722", "#2ea52c")
_FIRST_ID = 38_204_117


def make_people(count: int, born: int, now: int, rng: Random) -> list[Person]:
    """Return ``count`` people of the workspace and, last, one who left.

    The first is the owner, whose token reads everything; the second of last is a person who was invited and
    never joined; about every eighth is a guest.
    """
    people = [_person(place, count, born, now, rng) for place in range(count)]
    if count > 3:
        people[-1] = _invited(people[-1], now)
    left = _person(count, count, born, now, rng)
    left.state, left.role, left.last_active = "left", Role.MEMBER, now - 60 * DAY
    return [*people, left]


def _person(place: int, count: int, born: int, now: int, rng: Random) -> Person:
    name = _name(place)
    joined = born + int(rng.random() * 0.5 * (now - born)) if place else born
    return Person(
        id=_FIRST_ID + 1_313 * place + mix(place) % 1_000,
        username=name,
        email=f"{_mailbox(name, place)}@{DOMAIN}",
        color=_COLORS[place % len(_COLORS)],
        initials=_initials(name),
        role=_role(place, count),
        state="active",
        invited=joined - int(rng.random() * 3 * DAY),
        joined=joined,
        last_active=now - int(rng.random() ** 3 * 9 * DAY),
        picture=f"https://attachments.clickup.com/profilePictures/{place:03}_demo.jpg" if place % 3 else None,
    )


def _invited(person: Person, now: int) -> Person:
    person.username = person.color = person.picture = person.joined = person.last_active = None
    person.state, person.role, person.invited = "invited", Role.MEMBER, now - 4 * DAY
    return person


def _role(place: int, count: int) -> Role:
    if place == 0:
        return Role.OWNER
    if place == 1:
        return Role.ADMIN
    return Role.GUEST if place % 8 == 6 and place < count else Role.MEMBER


def _name(place: int) -> str:
    if place % 11 == 9:
        return FAMOUS_PEOPLE[place // 11 % len(FAMOUS_PEOPLE)]
    given, family = GIVEN_NAMES[place % len(GIVEN_NAMES)], FAMILY_NAMES[place * 7 % len(FAMILY_NAMES)]
    return f"{given} {family}"


def _initials(name: str) -> str:
    words = name.split()
    return (words[0][0] + words[-1][0]).upper() if len(words) > 1 else name[:1]


def _mailbox(name: str, place: int) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = "".join(sign if sign.isalpha() else " " for sign in plain).split()
    return ".".join(words) if len(words) > 1 and place < 35 else f"colleague{place}"
