"""Header names are looked up in lower case, however they come."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from tierline.server.connection import named
from tierline.types.header_names import USUAL

TOKEN = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", min_size=1, max_size=40)


@given(st.lists(TOKEN, max_size=8))
@example(["Content-Type", "content-type", "CONTENT-TYPE"])
@example([name.decode() for name in USUAL])
def test_a_header_is_known_by_its_name_in_lower_case_and_the_first_counts(names: list[str]) -> None:
    found = named({name.encode(): str(place).encode() for place, name in enumerate(names)})
    places = {name: place for place, name in enumerate(names)}  # as the parser gathers them: one value for each way to write a name
    first: dict[str, str | None] = {}
    for name in dict.fromkeys(names):
        first.setdefault(name.lower(), str(places[name]))
    assert found == first
