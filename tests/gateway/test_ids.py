"""Request ids."""

from __future__ import annotations

import re

from tierline.gateway.ids import Ids


def test_ids_sort_by_the_time_at_which_they_were_made() -> None:
    instants = iter([1.0, 2.5, 1_795_340_000.123, 1_795_340_000.124])
    ids = Ids(lambda: next(instants))
    made = [ids() for _ in range(4)]
    assert made == sorted(made)


def test_ids_of_one_instant_differ_also_between_processes() -> None:
    one, other = Ids(lambda: 1.0), Ids(lambda: 1.0)
    made = [make() for make in (one, other) for _ in range(1000)]
    assert len(set(made)) == 2000
    assert all(re.fullmatch("[0-9a-f]{22}", request_id) for request_id in made)
