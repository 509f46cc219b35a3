"""How often the chores look that watch experiments and releases."""

from __future__ import annotations

import asyncio
import threading
import time

from tierline.server.looks import Looks


def test_what_a_look_waits_for_does_not_count_as_work() -> None:
    looks, began = Looks(), time.perf_counter()
    asyncio.run(looks.at(lambda: threading.Event().wait(0.05)))
    assert looks.spent < (time.perf_counter() - began) / 2


def test_what_a_look_works_counts() -> None:
    looks = Looks()
    assert asyncio.run(looks.at(lambda: sum(range(200_000)))) == 19_999_900_000
    assert looks.spent > 0
