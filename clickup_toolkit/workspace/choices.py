"""What to say about a name that nothing bears: the choice, and which one may have been meant."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from clickup_toolkit.errors import UnknownName

__all__ = ["unknown"]

_SHOWN = 12  # names told when one is not known


def unknown(told: str, word: str, names: Sequence[str], beside: str = "") -> UnknownName:
    """Return the error to raise: ``told`` says what is wrong, ``beside`` what else may be given."""
    shown = ", ".join(names[:_SHOWN])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    known = {name.casefold(): name for name in names}
    close = get_close_matches(word.casefold(), known, n=1)
    meant = f"Did you mean {known[close[0]]!r}?" if close else ""
    return UnknownName(f"{told}: choose one of {shown or 'none'}{more}{beside}.", meant)
