"""Ids of function calls: many Gemini upstreams and clients give none, every other dialect needs one.

Ids made here begin with a mark and are not sent back to Gemini, which then matches calls and responses by name and order.
"""

from __future__ import annotations

import hashlib

import msgspec

from tierline.dialects.gemini.wire import told

MADE = "tlcall_"


def made_for(answer: str, choice: int, number: int, name: str, arguments: str) -> str:
    """A stable id for the call `number` of an answer: the same whether it is read whole or as a stream."""
    told = f"{answer}\0{choice}\0{number}\0{name}\0{arguments}"
    return MADE + hashlib.blake2b(told.encode(errors="replace"), digest_size=12).hexdigest()


def compact(value: msgspec.Raw | bytes) -> str:
    """Arguments or a response as short JSON: Google writes it over many lines, and otherwise whole than in a stream."""
    return msgspec.json.format(bytes(value), indent=-1).decode() if told(value) else "{}"


def given(id_: str) -> dict[str, str]:
    """The field `id`, for an id that a client or an upstream gave."""
    return {"id": id_} if id_ and not id_.startswith(MADE) else {}


class OpenCalls:
    """Names the calls of one request as they come, and finds the call that a response without an id belongs to."""

    __slots__ = ("_count", "_waiting")

    def __init__(self) -> None:
        self._count = 0
        self._waiting: list[tuple[str, str]] = []

    def called(self, id_: str | None, name: str) -> str:
        """The id of a call."""
        self._count += 1
        known = id_ or f"{MADE}{self._count}"
        self._waiting.append((known, name))
        return known

    def answered(self, id_: str | None, name: str) -> str:
        """The id of the call that a response belongs to: by its own id, or the oldest open one of that name."""
        for call in self._waiting:
            if call[0] == id_ if id_ else call[1] == name:
                self._waiting.remove(call)
                return call[0]
        self._count += 1
        return id_ or f"{MADE}{self._count}"
