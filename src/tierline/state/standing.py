"""What a process tells the others of itself: which spec it runs, which doors have failed it, how busy its models are, its pins; and, as
news, which model answered a session. Names are the spec's, so a standing is as large as the fleet at most; sessions are digests."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

MOST_SESSIONS = 500
"""Sessions that one piece of news tells of; of more, the newest."""
LEAST_REST = 1.0
"""Seconds of rest that are worth telling."""


class Standing(msgspec.Struct, frozen=True, array_like=True):
    """One process, now. `since` is when it took its spec (Unix seconds); `rests` are the seconds that doors (model, then door) still rest
    that it has found failing itself, `pauses` those that providers asked for; `load` is calls in flight, `pins` are of its own ledger."""

    policy: str = ""
    since: float = 0.0
    rests: Mapping[str, Mapping[str, float]] = {}
    pauses: Mapping[str, Mapping[str, float]] = {}
    load: Mapping[str, int] = {}
    pins: Mapping[str, str] = {}


class Answered(msgspec.Struct, frozen=True, array_like=True):
    """A session was answered by a model, which is to be remembered for `ttl` seconds."""

    session: str
    model: str
    ttl: float


encode = msgspec.msgpack.Encoder().encode
_standing = msgspec.msgpack.Decoder(Standing)
_news = msgspec.msgpack.Decoder(list[Answered])


def standing_of(said: bytes) -> Standing:
    """What another process said; one of another release that cannot be read stands for nothing."""
    try:
        return _standing.decode(said)
    except msgspec.DecodeError:
        return Standing()


def answered_of(said: bytes) -> list[Answered]:
    """The sessions that another process told of; none where it cannot be read."""
    try:
        return _news.decode(said)
    except msgspec.DecodeError:
        return []
