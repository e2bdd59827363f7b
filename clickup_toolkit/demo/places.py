"""Spaces, folders, subfolders and lists: archived, private, shared and unseen ones among them."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from clickup_toolkit.demo.fields import SPACE_FIELDS, WORKSPACE_FIELDS, make_field
from clickup_toolkit.demo.ids import mix
from clickup_toolkit.demo.model import DAY, Field, Folder, Person, Space, Status, Tag, TaskList
from clickup_toolkit.demo.vocabulary import FOLDERS, LISTS, TAGS
from clickup_toolkit.demo.workflows import make_former_statuses, make_statuses

__all__ = ["Places", "make_places"]

_SPACES = (
    # name, kind, private, archived, visible, color
    ("Product Engineering", "engineering", False, False, True, "#5f55ee"),
    ("Customer Success", "support", False, False, True, "#0f9d9f"),
    ("Design Studio", "design", False, False, True, "#e16b16"),
    ("Growth & Marketing 🚀", "marketing", False, False, True, None),
    ("Data", "data", False, False, True, "#1090e0"),
    ("People & Operations", "operations", True, False, True, "#ee5e99"),
    ("Legacy Booking (2021)", "engineering", False, True, True, "#87909e"),
    ("Board", "operations", True, False, False, "#d33d44"),
)
_SHARED_LISTS = 3
_LISTS_A_FOLDER = 5
_TAG_COLORS = ("#800000", "#e50000", "#7c4dff", "#ff7800", "#0231e8", "#2ecd6f", "#f900ea", "#667684")


@dataclass
class Places:
    """Every place of the workspace. ``roles`` tells what each list is for: live, folderless, archived, …"""

    born: int
    now: int
    spaces: list[Space] = field(default_factory=list)
    folders: list[Folder] = field(default_factory=list)
    lists: list[TaskList] = field(default_factory=list)
    statuses: list[Status] = field(default_factory=list)
    former: dict[int, Status] = field(default_factory=dict)
    fields: list[Field] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)
    next_field: int = 0

    def space(self, kind: str, archived: bool = False) -> Space:
        """Return the visible space of a kind."""
        return next(s for s in self.spaces if s.kind == kind and s.visible and s.archived == archived)


def make_places(count: int, people: list[Person], born: int, now: int, rng: Random) -> Places:
    """Return places with ``count`` lists that the token's user can see, and a few unseen ones on top."""
    places = Places(born, now)
    for order, facts in enumerate(_SPACES):
        _add_space(places, order, facts, people)
    places.fields = [
        make_field(template, "workspace", "", born, 100 + order)
        for order, template in enumerate(WORKSPACE_FIELDS)
    ]
    board = places.spaces[-1]
    _add_shared(places, board)
    for role, many in _shares(count - _SHARED_LISTS).items():
        _ROLES[role](places, many, rng)
    _add_list(places, board, None, "Salaries", "unseen")
    _add_list(places, board, None, "Board meetings", "unseen")
    _add_place_fields(places)
    return places


def _shares(count: int) -> dict[str, int]:
    """Divide the lists among what they are for; the rest are live ones in folders."""
    parts = {
        "folderless": max(2, count // 12),
        "subfolder": max(2, count // 10),
        "archived list": max(2, count // 12),
        "archived folder": max(2, count // 14),
        "archived space": max(2, count // 10),
    }
    return {"live": max(6, count - sum(parts.values())), **parts}


def _add_space(
    places: Places, order: int, facts: tuple[str, str, bool, bool, bool, str | None], people: list[Person]
) -> None:
    name, kind, private, archived, visible, color = facts
    id_ = f"9012{order * 317 + 100_204:07}"
    statuses = make_statuses(kind, f"p{id_}", len(places.statuses))
    places.statuses += statuses
    former = make_former_statuses(kind, f"p{id_}", len(places.statuses))
    places.statuses += former.values()
    places.former |= {status.index: former[status.name] for status in statuses if status.name in former}
    creator = people[order % max(1, len(people) - 2)].id
    tags = [
        Tag(name, _TAG_COLORS[place % 8], _TAG_COLORS[(place + order) % 8], creator)
        for place, name in enumerate(TAGS[kind])
    ]
    members = tuple(range(0, len(people) - 2, 3)) if private else ()
    prefix = "HL" if order == 0 else None
    places.spaces.append(
        Space(
            id_,
            name,
            kind,
            color,
            private,
            archived,
            visible,
            statuses,
            places.born,
            members,
            tags,
            prefix=prefix,
        )
    )


def _add_folder(
    places: Places,
    space: Space,
    name: str,
    *,
    parent: Folder | None = None,
    archived: bool = False,
    shared: bool = False,
) -> Folder:
    order = len(places.folders)
    folder = Folder(f"9012{order * 83 + 5_503_118:07}", name, space, order, archived, parent, shared)
    places.folders.append(folder)
    return folder


def _add_list(
    places: Places, space: Space, folder: Folder | None, name: str, role: str, *, archived: bool = False
) -> TaskList:
    order = len(places.lists)
    id_ = f"9012{order * 131 + 40_117_309:08}"
    list_ = TaskList(
        order, id_, name, space, folder, f"9012{order * 61 + 7_700_021:07}", order % 9, space.statuses,
        archived=archived, shared=role == "shared list",
    )  # fmt: skip
    if name.startswith("Bugs"):
        list_.override_statuses = True
        list_.statuses = make_statuses("bugs", f"sc{id_}", len(places.statuses))
        places.statuses += list_.statuses
    if name.startswith("Sprint"):
        list_.start_date = places.now - (order % 40) * 14 * DAY
        list_.due_date = list_.start_date + 12 * DAY
    if order % 5 == 1:
        list_.content = "What we promised, in the order in which we do it."
    places.lists.append(list_)
    places.roles.append(role)
    return list_


def _add_shared(places: Places, board: Space) -> None:
    folder = _add_folder(places, board, "Due diligence", shared=True)
    _add_list(places, board, folder, "Data room", "shared folder")
    _add_list(places, board, folder, "Questions of investors", "shared folder", archived=True)
    _add_list(places, board, None, "Partnerships (confidential)", "shared list")


def _live_spaces(places: Places) -> list[Space]:
    """Return the live spaces, engineering four times: most of the work is done there."""
    spaces = [space for space in places.spaces if space.visible and not space.archived]
    return [spaces[0], *spaces[:3], spaces[0], *spaces[3:], spaces[0]]


def _list_name(kind: str, order: int) -> str:
    name = LISTS[kind][order % len(LISTS[kind])]
    numbered = {"Sprint": f"Sprint {order + 7}", "Release": f"Release 2{order % 5}.{order % 12}"}
    return numbered.get(name, name)


def _add_live(places: Places, many: int, rng: Random) -> None:
    spaces = _live_spaces(places)
    open_folders: dict[str, Folder] = {}
    used: dict[str, int] = {}
    for order in range(many):
        space = spaces[order % len(spaces)]
        count = used[space.id] = used.get(space.id, -1) + 1
        if count % _LISTS_A_FOLDER == 0:
            names = FOLDERS[space.kind]
            turn = count // _LISTS_A_FOLDER
            again = f" {turn // len(names) + 1}" if turn >= len(names) else ""
            open_folders[space.id] = _add_folder(places, space, names[turn % len(names)] + again)
        _add_list(places, space, open_folders[space.id], _list_name(space.kind, count), "live")


def _add_folderless(places: Places, many: int, rng: Random) -> None:
    spaces = _live_spaces(places)
    for order in range(many):
        space = spaces[order % len(spaces)]
        _add_list(
            places, space, None, ("Inbox", "Ideas 💡", "Parking lot", "This week")[order % 4], "folderless"
        )


def _add_subfolders(places: Places, many: int, rng: Random) -> None:
    parents = [folder for folder in places.folders if folder.space.visible]
    below = parents[0]
    for order in range(many):
        # chains of four: folders nest to any depth
        parent = below if order % 4 else parents[order // 4 % len(parents)]
        below = _add_folder(places, parent.space, f"Decisions of {2022 + order % 4}", parent=parent)
        _add_list(places, below.space, below, _list_name(below.space.kind, order), "live")


def _add_archived_lists(places: Places, many: int, rng: Random) -> None:
    folders = [folder for folder in places.folders if folder.space.visible and not folder.archived]
    for order in range(many):
        folder = None if order % 5 == 4 else folders[order * 3 % len(folders)]
        space = folder.space if folder else places.space("marketing")
        _add_list(places, space, folder, f"{_list_name(space.kind, order)} 2022", "archived", archived=True)


def _add_archived_folders(places: Places, many: int, rng: Random) -> None:
    spaces = _live_spaces(places)
    folder = places.folders[0]
    for order in range(many):
        space, turn = spaces[order // 3 % len(spaces)], order % 3
        if turn == 0:
            folder = _add_folder(places, space, f"Old: {FOLDERS[space.kind][order % 4]}", archived=True)
        elif turn == 1:  # a folder that is not archived itself, in one that is
            folder = _add_folder(places, space, "Left over", parent=folder)
        _add_list(places, space, folder, _list_name(space.kind, order), "archived", archived=turn == 2)


def _add_archived_space(places: Places, many: int, rng: Random) -> None:
    space = places.space("engineering", archived=True)
    folders = [
        _add_folder(places, space, "Monolith"),
        _add_folder(places, space, "Prototypes", archived=True),
    ]
    for order in range(many):
        folder = (None, folders[0], folders[1])[order % 3]
        _add_list(
            places,
            space,
            folder,
            f"{_list_name('engineering', order)} (old)",
            "archived",
            archived=order % 2 == 1,
        )


_ROLES = {
    "live": _add_live,
    "folderless": _add_folderless,
    "subfolder": _add_subfolders,
    "archived list": _add_archived_lists,
    "archived folder": _add_archived_folders,
    "archived space": _add_archived_space,
}


def _add_place_fields(places: Places) -> None:
    """Give every space two fields, and some folders and lists one, in turn."""
    for space in places.spaces[:-1]:  # the unseen one would hide its types
        space.fields += [_next_field(places, "space", space.id) for _ in range(2)]
    for folder in places.folders[:15:3] + places.folders[15::12]:
        folder.fields.append(_next_field(places, "folder", folder.id))
    for list_ in places.lists[:36:3] + places.lists[36::12]:
        list_.fields.append(_next_field(places, "list", list_.id))


def _next_field(places: Places, scope: str, scope_id: str) -> Field:
    places.next_field += 1
    template = SPACE_FIELDS[(places.next_field - 1) % len(SPACE_FIELDS)]
    created = places.born + mix(places.next_field) % (200 * DAY)
    return make_field(template, scope, scope_id, created, 1_000 + places.next_field)
