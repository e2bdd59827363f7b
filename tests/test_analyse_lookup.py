"""How ids are looked up: by number where they are of one length, else by hash; always the same answer."""

from __future__ import annotations

import pandas as pd
from hypothesis import example, given
from hypothesis import strategies as st

from clickup_toolkit.analyse.basis import positions

IDS = st.one_of(
    st.text("abc019", min_size=3, max_size=3),  # of one length, as ClickUp's are
    st.text("ab€1", max_size=12),
)
LIKE_CLICKUPS = [f"86a4k{number:04}" for number in range(12)]


@given(st.lists(IDS, max_size=30), st.lists(IDS, max_size=30, unique=True))
@example(["86a4k0001"] * 3 + ["86a4k0000", "86a4k9999"], LIKE_CLICKUPS)
@example(LIKE_CLICKUPS, LIKE_CLICKUPS[::-1])
@example(["a00000000z", "b11111111z"], ["b11111111z", "a00000000z"])
@example([""], ["", "a"])
def test_an_id_is_found_where_it_stands(keys: list[str], among: list[str]) -> None:
    """Whatever the ids look like, however they are ordered or repeated, kept as texts or as categories."""
    expected = [among.index(key) if key in among else -1 for key in keys]
    known = pd.Series(among, dtype="str")
    assert positions(pd.Series(keys, dtype="str"), known).tolist() == expected
    assert positions(pd.Series(keys, dtype="category"), known).tolist() == expected
    middle = pd.Series(["x", *keys, "x"], dtype="str").iloc[1:-1]
    assert positions(middle, known).tolist() == expected
