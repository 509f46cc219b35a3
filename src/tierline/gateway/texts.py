"""Whose prompts and answers are kept: a route's `log_text`, which is `none`, `all` or `sample 0.01`."""

from __future__ import annotations

import msgspec

from tierline.config.loaded import Loaded
from tierline.gateway.downstream import Downstream, Opening
from tierline.types.features import Features
from tierline.types.outcome import Answer

MAX_STREAM = 1024 * 1024
"""Bytes of a stream that are kept; what comes after is left out."""

_SPREAD = 1_000_003
"""The draw also decides who explores; its lower digits decide whose text is kept, so that the two do not go together."""


def share(log_text: str) -> float:
    """The share of requests whose text is kept: 0 for `none`, 1 for `all`, p for `sample p`; raises ValueError otherwise."""
    words = log_text.split()
    if words == ["none"]:
        return 0.0
    if words == ["all"]:
        return 1.0
    if len(words) == 2 and words[0] == "sample" and 0.0 <= float(words[1]) <= 1.0:
        return float(words[1])
    raise ValueError(f"{log_text!r} is none of: none, all, sample 0.01")


class Texts:
    """The shares of every route of one spec."""

    def __init__(self, loaded: Loaded) -> None:
        self._shares = {name: kept for name, route in loaded.spec.routes.items() if (kept := share(route.log_text)) > 0.0}

    def of(self, features: Features, client: Downstream | None) -> Text | None:
        """Where the text of this request is gathered, None where it is not to be kept."""
        kept = self._shares.get(features.route)
        if kept is None or (features.draw * _SPREAD) % 1.0 >= kept:
            return None
        return Text(client)


class Text:
    """The words of one request on their way to the log; it passes a stream on as it comes."""

    __slots__ = ("_client", "_stream")

    def __init__(self, client: Downstream | None) -> None:
        self._client = client
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

    def bytes(self, body: bytes, answered: Answer | None) -> bytes:
        """`{"request": ..., "answer": ...}` as JSON; a stream's answer is the text of its events."""
        answer: object = None
        if self._client is not None:
            answer = self._stream.decode("utf-8", "replace") or None
        elif answered is not None and answered.body:
            answer = msgspec.Raw(answered.body)
        return msgspec.json.encode({"request": msgspec.Raw(body), "answer": answer})
