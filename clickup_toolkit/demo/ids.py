"""Ids that follow from an index, and random draws that need no state."""

from __future__ import annotations

__all__ = ["entry_id", "entry_index", "mix", "stir", "task_id", "task_index"]

_MASK = (1 << 64) - 1
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_FIRST_TASK = int("86a4k0001", 36)
_TASK_STEP = 23
_FIRST_ENTRY = 4_381_920_000_000_000_000
_ENTRY_STEP = 1_003


def mix(*numbers: int) -> int:
    """Return 63 well-stirred bits of the numbers: a random draw that needs no state."""
    state = 0x9E3779B97F4A7C15
    for number in numbers:
        state = ((state ^ number) * 0xBF58476D1CE4E5B9) & _MASK
        state ^= state >> 29
    return (state * 0x94D049BB133111EB & _MASK) >> 1


def stir(base: int, salt: int) -> int:
    """Return 63 bits from a base that is stirred already: a cheaper :func:`mix`."""
    state = (base + salt * 0x9E3779B97F4A7C15) & _MASK
    state = (state ^ state >> 29) * 0xBF58476D1CE4E5B9 & _MASK
    return (state ^ state >> 32) >> 1


def task_id(index: int) -> str:
    """Return the id of the task at ``index``: nine characters, as ClickUp's look."""
    number = _FIRST_TASK + index * _TASK_STEP
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text


def task_index(text: str) -> int:
    """Return the index that belongs to a task's id, or -1 for an id that no task can have."""
    try:
        offset, rest = divmod(int(text, 36) - _FIRST_TASK, _TASK_STEP)
    except ValueError:
        return -1
    return offset if rest == 0 and text.islower() else -1


def entry_id(index: int) -> str:
    """Return the id of the time entry at ``index``: nineteen digits, as ClickUp's."""
    return str(_FIRST_ENTRY + index * _ENTRY_STEP)


def entry_index(text: str) -> int:
    """Return the index that belongs to an entry's id, or -1."""
    if not text.isdigit():
        return -1
    offset, rest = divmod(int(text) - _FIRST_ENTRY, _ENTRY_STEP)
    return offset if rest == 0 and offset >= 0 else -1
