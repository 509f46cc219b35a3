"""The model's name in an answer that passes through: the client reads the name that it wrote; the real one is in the headers.

Only the member `model` (`modelVersion` in Gemini's dialect) is rewritten, and only where its value is the id that the upstream gave.
In JSON a quote inside a text is escaped, so these bytes cannot stand inside one.
"""

from __future__ import annotations

import functools

import msgspec

from tierline.gateway.downstream import Downstream, Opening
from tierline.interfaces import StreamReader
from tierline.types.outcome import Answer

_MEMBERS = (b'"model":', b'"model": ', b'"modelVersion":', b'"modelVersion": ')


def renamed(answer: Answer, model: str) -> Answer:
    """The answer under the name that its client used."""
    old, new = _members(answer.body, answer.served_model, model)
    return msgspec.structs.replace(answer, body=answer.body.replace(old, new, 1)) if old else answer


def renamed_events(events: bytes, served: str, model: str) -> bytes:
    """A whole stream under the name that its client used; `served` is the id that the upstream gave."""
    old, new = _members(events, served, model)
    return events.replace(old, new) if old else events


def _members(data: bytes, served: str, model: str) -> tuple[bytes, bytes]:
    """How this upstream writes the member in `data`, and how the client is to read it; empty where it does not stand there."""
    if served and served != model:
        for old, new in _ways(served, model):
            if old in data:
                return old, new
    return b"", b""


@functools.lru_cache(256)
def _ways(served: str, model: str) -> tuple[tuple[bytes, bytes], ...]:
    """Every way in which the member may be written, and how the client is to read it."""
    old, new = msgspec.json.encode(served), msgspec.json.encode(model)
    return tuple((member + old, member + new) for member in _MEMBERS)


class Renamed:
    """A `Downstream` that renames the model in every event of one stream; `reader` knows the id that the upstream gives."""

    __slots__ = ("_client", "_model", "_new", "_old", "_reader")

    def __init__(self, client: Downstream, reader: StreamReader, model: str) -> None:
        self._client = client
        self._reader = reader
        self._model = model
        self._old = self._new = b""

    def begin(self, opening: Opening) -> None:
        """The stream is committed."""
        self._client.begin(opening)

    async def send(self, data: bytes) -> None:
        """Send on under the client's name."""
        if not self._old:
            self._old, self._new = _members(data, self._reader.served_model, self._model)
        await self._client.send(data.replace(self._old, self._new) if self._old else data)
