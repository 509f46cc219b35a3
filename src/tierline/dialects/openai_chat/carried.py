"""What another dialect signed, carried through a client of this one and back.

This dialect has no place for the signature of a thought or of a call. Clients that return a whole message return the fields they do not
know with it; so a signature travels in `reasoning_details`, the list in which compatible servers keep such things, as an entry of format
`tierline`. It comes back with the next request, reaches the dialect that made it, and is taken out of what goes to an upstream of this one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from tierline.dialects import lenient
from tierline.dialects.openai_chat.finer import NAME, Object
from tierline.types.conversation import Thinking, ToolCall

FIELD = "reasoning_details"
FORMAT = "tierline"
MARK = b'"tierline"'

Wire = dict[str, Any]


class Carried(msgspec.Struct, frozen=True, array_like=True):
    """A thought without its words: these are the `chars` characters of reasoning that come after `skip` others since the entry before. Or
    the signature of the call with the id `call`, in the shape of a thought."""

    thought: Thinking
    skip: int = 0
    chars: int = 0
    call: str = ""


_carried = msgspec.json.Decoder(Carried)
_messages: msgspec.json.Decoder[list[Object]] = msgspec.json.Decoder(list[Object])
_entries: msgspec.json.Decoder[list[Object]] = msgspec.json.Decoder(list[Object])


class Carrier:
    """Counts the reasoning that a client has been told, and makes the entries for what of it was signed."""

    __slots__ = ("_index", "_skipped")

    def __init__(self) -> None:
        self._index = -1
        self._skipped = 0

    def thought(self, part: Thinking, chars: int, signature: str) -> list[Wire]:
        """The entry for a thought of `chars` characters; none where nobody signed it, or this dialect made it."""
        if part.by in ("", NAME) or not (signature or part.sealed):
            self._skipped += chars
            return []
        skipped, self._skipped = self._skipped, 0
        return [self._entry(Carried(msgspec.structs.replace(part, text="", signature=signature), skipped, chars))]

    def call(self, part: ToolCall, id: str, signature: str) -> list[Wire]:
        """The entry for a call that is told under this id; none where nobody signed it."""
        if not signature or part.by in ("", NAME):
            return []
        return [self._entry(Carried(Thinking(signature=signature, by=part.by), call=id))]

    def _entry(self, what: Carried) -> Wire:
        self._index += 1
        return {"type": "reasoning.encrypted", "format": FORMAT, "index": self._index, "data": msgspec.json.encode(what).decode()}


def parted(entries: Sequence[Object]) -> tuple[list[Carried], list[Object]]:
    """What is carried in the entries, and the entries that somebody else made."""
    found: list[Carried] = []
    others: list[Object] = []
    for entry in entries:
        if bytes(entry.get("format", b"")) != MARK:
            others.append(entry)
            continue
        try:
            found.append(_carried.decode(msgspec.json.decode(entry.get("data", b'""'), type=str)))
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            continue
    return found, others


def thoughts(text: str, found: Sequence[Carried]) -> list[Thinking]:
    """The reasoning with each piece's own signature; without signatures where the client has changed the words."""
    signed = [carried for carried in found if not carried.call]
    if sum(carried.skip + carried.chars for carried in signed) > len(text) or any(min(c.skip, c.chars) < 0 for c in signed):
        signed = []
    parts: list[Thinking] = []
    at = 0
    for carried in signed:
        if carried.skip:
            parts.append(Thinking(text[at : at + carried.skip], by=NAME))
        at += carried.skip
        parts.append(msgspec.structs.replace(carried.thought, text=text[at : at + carried.chars]))
        at += carried.chars
    return [*parts, *([Thinking(text[at:], by=NAME)] if text[at:] else [])]


def signed_call(call: ToolCall, found: Sequence[Carried]) -> ToolCall:
    """The call with its signature, where one is carried."""
    carried = next((carried for carried in found if carried.call and carried.call == call.id), None)
    if carried is None:
        return call
    return msgspec.structs.replace(call, signature=carried.thought.signature, by=carried.thought.by, extra=b"")


def without(messages: msgspec.Raw) -> list[Object] | msgspec.Raw:
    """The messages without what is carried in them; as they are where they cannot be read."""
    try:
        return [_stripped(message) for message in lenient.decode(_messages, messages)]
    except msgspec.DecodeError:
        return messages


def _stripped(message: Object) -> Object:
    if FIELD not in message or MARK not in bytes(message[FIELD]):
        return message
    try:
        _, others = parted(_entries.decode(message[FIELD]))
    except msgspec.DecodeError:
        return message
    kept = {name: value for name, value in message.items() if name != FIELD}
    return {**kept, FIELD: msgspec.Raw(msgspec.json.encode(others))} if others else kept
