"""`cache`: what a model answered to exactly the same request of the same key.

The key of an entry is a digest of who asked, on which route and under which spec, and of everything in the request that can change its
answer. Whether it is streamed, who the end user is and what is noted beside it do not. A new spec begins with an empty cache.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from tierline.config.loaded import Loaded
from tierline.config.tools_first import CacheTool, settings
from tierline.types.ask import Hit
from tierline.types.completion import Completion
from tierline.types.conversation import Foreign, ToolCall
from tierline.types.features import Features
from tierline.types.request import Request

BESIDE = frozenset(
    {
        "labels",
        "metadata",
        "model",
        "prompt_cache_key",
        "prompt_cache_retention",
        "safety_identifier",
        "service_tier",
        "stream",
        "stream_options",
        "user",
    }
)
"""Top-level fields that change nothing about the answer; the model is chosen by the route and the hints, which do count."""

HELD_UPSTREAM = frozenset({"background", "conversation", "previous_response_id", "cachedContent", "container"})
"""Fields that refer to what an upstream keeps, and may change: such requests are neither kept nor answered."""

_DONE = frozenset({"stop", "stop_sequence"})


class Cache:
    """Answers of one route's models, the least recently used given up first. `clock` gives seconds that only grow."""

    name = "cache:exact"

    def __init__(self, entry: Mapping[str, Any], loaded: Loaded, clock: Callable[[], float] = time.monotonic) -> None:
        given: CacheTool = settings(CacheTool, entry)
        self._policy = loaded.fingerprint
        self._ttl, self._most, self._room = float(given.ttl), given.max_entries, int(given.max_bytes)
        self._clock = clock
        self._kept: OrderedDict[bytes, tuple[float, bytes]] = OrderedDict()
        self._size = 0

    async def answer(self, request: Request, features: Features) -> Hit | None:  # noqa: ARG002  # the protocol's
        """The answer that was given before, while it is good."""
        if not _may(request):
            return None
        key = self._digest(request)
        found = self._kept.get(key)
        if found is None:
            return None
        if found[0] <= self._clock():
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        whole = _read.decode(found[1])
        return Hit("", whole)

    def keep(self, request: Request, answer: Completion) -> None:
        """Take an answer that was accepted and is whole; one that calls tools, or is cut short, is not kept."""
        if not _may(request) or not answer.choices or not all(_is_words(choice.finish, choice.parts) for choice in answer.choices):
            return
        written = _write.encode(answer)
        if len(written) > self._room:
            return
        key = self._digest(request)
        self._drop(key)
        self._kept[key] = (self._clock() + self._ttl, written)
        self._size += len(written)
        while len(self._kept) > self._most or self._size > self._room:
            self._drop(next(iter(self._kept)))

    async def close(self) -> None:
        """Forget everything."""
        self._kept.clear()
        self._size = 0

    def _drop(self, key: bytes) -> None:
        gone = self._kept.pop(key, None)
        if gone is not None:
            self._size -= len(gone[1])

    def _digest(self, request: Request) -> bytes:
        hints = msgspec.structs.replace(request.hints, session="", explain=False)
        asked = (self._policy, request.key, request.route, request.dialect, request.kind, hints)
        digest = hashlib.sha256(msgspec.json.encode(asked))
        for name in sorted(request.raw):
            if name not in BESIDE:
                value = bytes(request.raw[name])
                digest.update(f"\n{name}:{len(value)}:".encode())
                digest.update(value)
        return digest.digest()


_write = msgspec.msgpack.Encoder()
_read = msgspec.msgpack.Decoder(Completion)


def _may(request: Request) -> bool:
    """Whether an answer to it could be given again: it refers to nothing that an upstream keeps, nor asks it to keep the answer."""
    if request.kind != "chat" or not HELD_UPSTREAM.isdisjoint(request.raw):
        return False
    return request.dialect != "openai_responses" or bytes(request.raw.get("store", b"true")) == b"false"


def _is_words(finish: str, parts: tuple[object, ...]) -> bool:
    return finish in _DONE and not any(isinstance(part, ToolCall | Foreign) for part in parts)
