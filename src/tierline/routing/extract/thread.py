"""Where a conversation stands: whether the model is in a tool loop, what went wrong in it, and which session it belongs to."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from tierline.types.request import Message, Request, Text, ToolResult

_BYTES = 12
"""Length of a session's digest: among a billion sessions, two share one with a chance of one in a hundred billion."""
_OPENING = 4_096
"""Characters of the first user turn that tell one session from another."""


def in_tool_loop(messages: Sequence[Message]) -> bool:
    """Results of the tools that the model asked for have come since its last turn."""
    for message in reversed(messages):
        if message.role == "assistant":
            return False
        if any(type(part) is ToolResult for part in message.parts):
            return True
    return False


def tool_failures(messages: Sequence[Message]) -> int:
    """Results marked as failed, from the end backwards over the rounds of a tool loop, up to one that went well or to the user's words."""
    count, answered = 0, False
    for message in reversed(messages):
        answered = answered or message.role == "assistant"
        if answered and message.role == "user":
            return count
        for part in reversed(message.parts):
            if type(part) is ToolResult:
                if not part.failed:
                    return count
                count += 1
    return count


def session(request: Request, key: str, fingerprint: str) -> str:
    """A digest of what holds a session's requests together: the id that the client gave, or else how its conversation began: the
    fingerprint of its system prompt, and its first user turn. Sessions of different keys are never the same one."""
    given = request.hints.session
    opening = given or f"{fingerprint}\n{_first_words(request.messages)}"
    what = f"{key}\n{'given' if given else 'begun'}\n{opening}"
    return hashlib.blake2b(what.encode("utf-8", "surrogatepass"), digest_size=_BYTES).hexdigest()


def _first_words(messages: Sequence[Message]) -> str:
    first = next((message for message in messages if message.role == "user"), None)
    words = "" if first is None else "\n".join([part.text for part in first.parts if type(part) is Text])
    return words[:_OPENING]
