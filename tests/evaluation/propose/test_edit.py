"""A YAML text is changed where it must change: the data are as asked for, and every other line is as it was."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tierline.evaluation.propose.edit import edited

TEXT = """\
# on top
tasks:
  a:   # block
    why: "quoted # no comment"
    models: [x, y]   # flow
    quality:
      x: 0.5   # of x
      # in between
      y: 0.6
    # behind the block
  b: {why: flow, quality: {x: 1}}
  c:
# at the end
"""


def with_value(data: Any, place: tuple[str, ...], value: Any) -> Any:
    if not place:
        return value
    base = dict(data or {})
    base[place[0]] = with_value(base.get(place[0]), place[1:], value)
    return base


PLACES = [
    ("tasks", "a", "quality", "x"),
    ("tasks", "a", "quality", "z"),
    ("tasks", "a", "quality"),
    ("tasks", "a", "models"),
    ("tasks", "a", "tokens", "input"),
    ("tasks", "b", "quality", "y"),
    ("tasks", "b", "tokens", "output"),
    ("tasks", "c", "why"),
    ("routes", "auto", "scorer", "kind"),
]
VALUES = st.one_of(
    st.integers(0, 10_000),
    st.floats(0, 1, allow_nan=False).map(lambda value: round(value, 3)),
    st.lists(st.sampled_from(["mini", "big", "a.b/c-d", "yes", "with space", "null"]), max_size=3),
    st.text(st.characters(codec="ascii", categories=("L", "N", "P", "Zs")), min_size=1, max_size=12),
)


@given(st.lists(st.tuples(st.sampled_from(PLACES), VALUES), min_size=1, max_size=5))
def test_the_data_are_as_asked_for(edits: list[tuple[tuple[str, ...], Any]]) -> None:
    text, wanted = TEXT, yaml.safe_load(TEXT)
    for place, drawn in edits:
        value = {"x": 0.25} if place == ("tasks", "a", "quality") else drawn
        text, wanted = edited(text, place, value), with_value(wanted, place, value)
    assert yaml.safe_load(text) == wanted
    for comment in ("# on top", "# block", "# flow", "# behind the block", "# at the end"):
        assert comment in text


def test_no_other_line_changes() -> None:
    before, after = TEXT.splitlines(), edited(TEXT, ("tasks", "a", "quality", "x"), 0.9).splitlines()
    assert [line for line in after if line not in before] == ["      x: 0.9   # of x"]
    assert len(before) == len(after)


def test_what_is_no_mapping_is_refused() -> None:
    with pytest.raises(ValueError, match=r"tasks\.a\.why is no mapping"):
        edited(TEXT, ("tasks", "a", "why", "x"), 1)
