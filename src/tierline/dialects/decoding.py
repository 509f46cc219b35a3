"""An upstream's stream on its way to a client of another dialect: its bytes become neutral events."""

from __future__ import annotations

from tierline.dialects.sse import Framer, Framing, events
from tierline.types.completion import Broken, Event
from tierline.types.errors import ProviderFailure


class EventDecoder:
    """What the decoders of all dialects share. It holds no more than the piece of an event that has not ended."""

    __slots__ = ("_framer", "_over")

    def __init__(self, framer: Framing | None = None) -> None:
        self._framer = framer or Framer()
        self._over = False

    def feed(self, chunk: bytes) -> list[Event]:
        """Takes a piece of the bytes (cut anywhere); the events that are complete. Nothing after the end or after Broken."""
        if self._over:
            return []
        found: list[Event] = []
        try:
            for event in events(self._framer.whole(chunk)):
                if self._over:
                    break
                found += self._read(event)
        except ProviderFailure as failure:
            found += self._broken(failure)
        return found

    def _last(self, held: bytes) -> list[Event]:
        """The events of what was held at the end of file; half an event is none."""
        try:
            return self._read(held) if held.strip() else []
        except ProviderFailure as failure:
            return [] if failure.kind == "malformed" else self._broken(failure)

    def _read(self, event: bytes) -> list[Event]:
        """The neutral events of one event; raises ProviderFailure for one that is malformed or tells an error."""
        raise NotImplementedError

    def _broken(self, failure: ProviderFailure) -> list[Event]:
        self._over = True
        return [Broken(failure.kind, failure.message)]
