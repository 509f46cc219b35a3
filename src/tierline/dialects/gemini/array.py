"""The other form of a stream: without `alt=sse` Google sends one JSON array, its elements as they come.

Inside Tierline a stream is server-sent events; here the array becomes events, and events become the array.
"""

from __future__ import annotations

import re

from tierline.dialects.sse import MAX_EVENT, Framer, data_of, events
from tierline.types.errors import ProviderFailure

_NOTABLE = re.compile(rb'["\\{}]')
_BLANK = b" \t\r\n\xef\xbb\xbf"


class _Elements:
    """Cuts the objects out of a JSON array whose bytes come in pieces."""

    __slots__ = ("_depth", "_escaped", "_held", "_quoted")

    def __init__(self) -> None:
        self._depth = 0
        self._quoted = False
        self._escaped = False
        self._held = b""

    def feed(self, chunk: bytes) -> list[bytes]:
        """The objects that are whole by now. Raises ProviderFailure(malformed) when one grows past `sse.MAX_EVENT`."""
        found: list[bytes] = []
        start = 0
        at = 0
        if self._escaped and chunk:
            self._escaped, at = False, 1
        while (mark := _NOTABLE.search(chunk, at)) is not None:
            at = mark.end()
            if mark[0] == b"\\" and self._quoted:
                self._escaped = at == len(chunk)
                at += 1
            elif mark[0] == b'"':
                self._quoted = not self._quoted
            elif not self._quoted and mark[0] == b"{":
                if self._depth == 0:
                    start = mark.start()
                self._depth += 1
            elif not self._quoted and mark[0] == b"}" and self._depth:
                self._depth -= 1
                if self._depth == 0:
                    found.append(self._held + chunk[start:at])
                    self._held, start = b"", at
        if self._depth:
            self._held += chunk[start:]
        if len(self._held) > MAX_EVENT:
            raise ProviderFailure("malformed", f"the upstream sent an event of more than {MAX_EVENT} bytes")
        return found


class Frames:
    """Holds back the piece of an event that has not ended; an array of responses comes out as events."""

    __slots__ = ("_elements", "_framer", "_known")

    def __init__(self) -> None:
        self._framer = Framer()
        self._elements: _Elements | None = None
        self._known = False

    def whole(self, chunk: bytes) -> bytes:
        """Takes bytes cut anywhere and returns every event that is whole by now. Raises ProviderFailure(malformed) for one too long."""
        if not self._known:
            opening = (self._framer.held + chunk).lstrip(_BLANK)
            if opening[:1] == b"[":
                self._elements, self._known = _Elements(), True
                self._framer.held = b""
                chunk = opening
            elif opening:
                self._known = True
        if self._elements is None:
            return self._framer.whole(chunk)
        return b"".join([_event(element) for element in self._elements.feed(chunk)])

    def rest(self) -> bytes:
        """What never became a whole event; of an array, nothing."""
        return self._framer.rest()


class ArrayWriter:
    """Turns this dialect's events into the JSON array that a client without `alt=sse` expects."""

    __slots__ = ("_begun", "_framer")

    def __init__(self) -> None:
        self._framer = Framer()
        self._begun = False

    def feed(self, chunk: bytes) -> bytes:
        """Takes event bytes cut anywhere and returns the elements that are whole by now."""
        said = b""
        for event in events(self._framer.whole(chunk)):
            if data := data_of(event):
                said += (b",\r\n" if self._begun else b"[") + data
                self._begun = True
        return said

    def finished(self) -> bytes:
        """The end of the array; called once, behind the last event."""
        return b"]" if self._begun else b"[]"


def _event(element: bytes) -> bytes:
    """One element as one event; Google breaks its lines, and an event's data stands on one."""
    return b"data: " + element.replace(b"\r", b"").replace(b"\n", b"") + b"\n\n"
