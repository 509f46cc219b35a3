"""What workers hold in common on a real Valkey: the checks of its kind, and that nothing is counted twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from functools import partial

import pytest

from tierline import plugins
from tierline.state.valkey.engine import ValkeyShared
from tierline.testing.checks import check_shared
from tierline.types.shared import Claim
from valkeys import fresh_prefix, some_valkey

ENDS = time.time() + 3600.0


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with some_valkey() as found:
        yield found


def claim(used: float, hold: float, lease: float = 60.0) -> Claim:
    return Claim("c", "w", 10.0, used, hold, lease, ENDS)


def test_it_keeps_the_laws_of_its_kind_and_is_found_by_its_name(url: str) -> None:
    assert plugins.find("shared", "valkey") is ValkeyShared
    asyncio.run(check_shared(partial(ValkeyShared, url, prefix=fresh_prefix())))
