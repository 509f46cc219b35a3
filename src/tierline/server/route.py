"""What stands at a path: who answers it, and what a key needs for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import msgspec

from tierline.server.auth import Scope
from tierline.server.exchange import Exchange


class Route(msgspec.Struct, frozen=True):
    """Who answers a path, the scope that a key needs for it, and the dialect that is spoken there: empty where the headers tell."""

    handler: Callable[[Exchange], Awaitable[None]]
    scope: Scope = ""
    dialect: str = ""


class Routes(msgspec.Struct, frozen=True):
    """Routes by method and path: `exact` paths, and those that go on `below` one that ends in `/`."""

    exact: Mapping[tuple[str, str], Route] = {}
    below: Mapping[tuple[str, str], Route] = {}
