"""A request as a face hands it over to the gateway."""

from __future__ import annotations

import msgspec

from tierline.gateway.arms import Given
from tierline.gateway.trace import Trace
from tierline.state.rates import Turn
from tierline.types.access import ANYONE, Key
from tierline.types.hints import NO_HINTS, Hints
from tierline.types.request import Request


class Asked(msgspec.Struct, frozen=True):
    """A request as a face hands it over: parsed, with who asks, what they hinted, the body's bytes and the reading of `perf_counter`
    at which it came. `headers` are those of the client's that upstreams of its dialect read too; they go to no other. `turn` is its
    part of its key's limits; `given`: the arm of another spec's experiment that it was given to this one for. `trace` is there where
    it is traced."""

    request: Request
    key: Key = ANYONE
    hints: Hints = NO_HINTS
    body: bytes = b""
    started: float = 0.0
    headers: tuple[tuple[str, str], ...] = ()
    turn: Turn | None = None
    given: Given | None = None
    trace: Trace | None = None
