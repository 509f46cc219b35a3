"""Server-sent events as bytes: where an event ends, and what data it carries.

Events end at a blank line; lines end in LF or CRLF. Nothing is decoded here, so that events can be passed on untouched.
"""

from __future__ import annotations

import re

import msgspec

from tierline.types.errors import ProviderFailure

MAX_EVENT = 1024 * 1024
"""The longest event that is taken, in bytes: what one stream may hold in memory."""

_skim = msgspec.json.Decoder(msgspec.Raw).decode
_BLANK_LINE = re.compile(rb"\n\r?\n")


def last_end(data: bytes, start: int = 0) -> int:
    """The offset behind the last whole event of `data`, 0 when no event ends in it; looks no further back than `start`."""
    plain = data.rfind(b"\n\n", start)
    carriage = data.rfind(b"\n\r\n", start)
    if plain > carriage:
        return plain + 2
    return carriage + 3 if carriage >= 0 else 0


def events(data: bytes) -> list[bytes]:
    """Cuts `data`, which ends with a whole event, into its events, each with its closing blank line."""
    found: list[bytes] = []
    start = 0
    for blank in _BLANK_LINE.finditer(data):
        found.append(data[start : blank.end()])
        start = blank.end()
    if start < len(data):
        found.append(data[start:])
    return found


def data_of(event: bytes) -> bytes:
    """The data of one event, its lines joined by LF; empty for comments, pings and events without data."""
    if event.startswith(b"data: ") and event.find(b"\n", 6) >= len(event) - 3:
        return event[6:].rstrip(b"\r\n")
    lines = [line.removesuffix(b"\r") for line in event.split(b"\n")]
    return b"\n".join(line[5:].removeprefix(b" ") for line in lines if line.startswith(b"data:"))


def sound(data: bytes) -> bool:
    """Whether every event of `data`, which ends with a whole one, carries JSON, `[DONE]` or nothing."""
    try:
        if data.startswith(b"data:") and data.find(b"\n") == len(data) - 2:
            _skim(data[5:])
            return True
        for line in data.split(b"\n"):
            if line.startswith(b"data:"):
                _skim(line[5:])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return all(is_json(data_of(event)) for event in events(data))
    return True


def is_json(data: bytes) -> bool:
    """Whether the data of one event is JSON, `[DONE]` or nothing. It is skimmed, not decoded."""
    if not data or data == b"[DONE]":
        return True
    try:
        _skim(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


class Framer:
    """Holds back the piece of an event that has not ended yet."""

    __slots__ = ("held",)

    def __init__(self) -> None:
        self.held = b""

    def whole(self, chunk: bytes) -> bytes:
        """Takes bytes cut anywhere and returns every event that is whole by now, untouched and in one piece.

        Raises ProviderFailure(malformed) when one event grows past `MAX_EVENT`."""
        held = self.held
        if not held and (chunk.endswith((b"\n\n", b"\n\r\n"))):
            return chunk
        data = held + chunk
        end = last_end(data, max(len(held) - 2, 0))
        self.held = data[end:]
        if len(self.held) > MAX_EVENT:
            raise ProviderFailure("malformed", f"the upstream sent an event of more than {MAX_EVENT} bytes")
        return data[:end]
