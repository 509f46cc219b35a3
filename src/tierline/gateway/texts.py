"""Whose prompts and answers are kept: a route's `log_text`, which is `none`, `all`, `sample 0.01` or `flagged`."""

from __future__ import annotations

import msgspec

from tierline.config.loaded import Loaded
from tierline.gateway.downstream import Downstream, Opening
from tierline.types.features import Features
from tierline.types.outcome import Answer

FLAGGED = "flagged"
"""Only the words of answers for the review queue are kept."""

MAX_STREAM = 1024 * 1024
"""Bytes of a stream that are kept; what comes after is left out."""

_SPREAD = 1_000_003
"""The draw also decides who explores; its lower digits decide whose text is kept, so that the two do not go together."""


def share(log_text: str) -> float:
    """The share of requests whose text is gathered: 0 for `none`, 1 for `all` and `flagged`, p for `sample p`; raises ValueError
    otherwise."""
    words = log_text.split()
    if words == ["none"]:
        return 0.0
    if words in (["all"], [FLAGGED]):
        return 1.0
    if len(words) == 2 and words[0] == "sample" and 0.0 <= float(words[1]) <= 1.0:
        return float(words[1])
    raise ValueError(f"{log_text!r} is none of: none, all, flagged, sample 0.01")


class Texts:
    """The shares of every route of one spec."""

    def __init__(self, loaded: Loaded) -> None:
        routes = loaded.spec.routes
        self._shares = {name: kept for name, route in routes.items() if (kept := share(route.log_text)) > 0.0}
        self._flagged = frozenset(name for name, route in routes.items() if route.log_text == FLAGGED)

    def of(self, features: Features, client: Downstream | None) -> Text | None:
        """Where the text of this request is gathered, None where it is not to be kept."""
        kept = self._shares.get(features.route)
        if kept is None or (features.draw * _SPREAD) % 1.0 >= kept:
            return None
        return Text(client, only_flagged=features.route in self._flagged)


class Text:
    """The words of one request on their way to the log; it passes a stream on as it comes. `only_flagged`: they are kept only where a
    person is to judge the answer."""

    __slots__ = ("_client", "_only_flagged", "_stream")

    def __init__(self, client: Downstream | None, *, only_flagged: bool = False) -> None:
        self._client = client
        self._only_flagged = only_flagged
        self._stream = bytearray()

    def begin(self, opening: Opening) -> None:
        """The stream is committed."""
        assert self._client is not None
        self._client.begin(opening)

    async def send(self, data: bytes) -> None:
        """Keep a copy, and send on."""
        assert self._client is not None
        if len(self._stream) < MAX_STREAM:
            self._stream += data
        await self._client.send(data)

    def bytes(self, body: bytes, answered: Answer | None, *, flagged: bool) -> bytes | None:
        """`{"request": ..., "answer": ...}` as JSON; a stream's answer is the text of its events. None where it is not to be kept."""
        if self._only_flagged and not flagged:
            return None
        answer: object = None
        if self._client is not None:
            answer = self._stream.decode("utf-8", "replace") or None
        elif answered is not None and answered.body:
            answer = msgspec.Raw(answered.body)
        return msgspec.json.encode({"request": msgspec.Raw(body), "answer": answer})
