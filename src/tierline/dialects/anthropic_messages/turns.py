"""The turns of a conversation → Anthropic's system prompt and messages.

Anthropic takes one system prompt before everything, then user and assistant in turn, the user first, and every tool result in the
user's turn right after the call. What another dialect allows beyond that is brought into this order here.
"""

from __future__ import annotations

import msgspec

from tierline.dialects.anthropic_messages.blocks import Dropped, Wire, block_of, plain
from tierline.dialects.anthropic_messages.generation import ADAPTIVE, Generation
from tierline.dialects.anthropic_messages.wire import NAME
from tierline.types.conversation import Conversation, Media, Part, Text, ToolCall, ToolResult, Turn

OPENING = "(The conversation goes on.)"
"""What the user is made to say before a conversation that the assistant opens."""
GO_ON = "Go on."
"""What the user is made to say after an answer that a model will not go on with by itself."""
_THOUGHTS = ("thinking", "redacted_thinking")


def placed(conversation: Conversation, version: Generation | None, dropped: Dropped) -> tuple[list[Wire], list[Wire]]:
    """The blocks of the system prompt, and the messages with their content as lists of blocks."""
    own = conversation.by == NAME
    system: list[Wire] = []
    messages: list[Wire] = []
    for turn in conversation.turns if own else _with_ids(conversation.turns):
        if turn.name:
            dropped["name"] = None
        blocks = _blocks(turn, own, dropped)
        if turn.role not in ("system", "developer"):
            _add(messages, "assistant" if turn.role == "assistant" else "user", blocks)
        elif messages and own:
            _add(messages, "system", blocks)
        else:
            if messages and blocks:
                dropped["system.position"] = None
            system.extend(blocks)
    if not own:
        _order(system, messages, version, dropped)
    return system, messages


def plainly(messages: list[Wire]) -> list[Wire]:
    """The messages, each that is one text as a string."""
    return [{"role": message["role"], "content": plain(message["content"])} for message in messages]


def open_loop(messages: list[Wire]) -> bool:
    """Whether the last answer called tools without a thinking block before the first call. `messages` as they are sent."""
    for message in reversed(messages):
        if message["role"] == "assistant" and isinstance(message["content"], list):
            kinds = [block.get("type") for block in message["content"]]
            return "tool_use" in kinds and kinds[0] not in _THOUGHTS
        if message["role"] == "assistant":
            return False
    return False


def _add(messages: list[Wire], role: str, blocks: list[Wire]) -> None:
    """A turn; two of one role in a row are one."""
    if not blocks:
        return
    if messages and messages[-1]["role"] == role:
        messages[-1]["content"].extend(blocks)
    else:
        messages.append({"role": role, "content": blocks})


def _blocks(turn: Turn, own: bool, dropped: Dropped) -> list[Wire]:
    blocks: list[Wire] = []
    for part in turn.parts:
        if not own and _misplaced(part, turn, dropped):
            continue
        block = block_of(part, dropped)
        if block is not None:
            blocks.append(block)
    return blocks


def _misplaced(part: Part, turn: Turn, dropped: Dropped) -> bool:
    """Whether Anthropic takes no such part in such a turn: no empty text anywhere, and media from the user only."""
    if isinstance(part, Text):
        return not part.text.strip()
    if isinstance(part, Media) and turn.role not in ("user", "tool"):
        dropped[part.kind] = None
        return True
    return False


def _order(system: list[Wire], messages: list[Wire], version: Generation | None, dropped: Dropped) -> None:
    for message in messages:
        if message["role"] == "user":
            message["content"].sort(key=lambda block: block["type"] != "tool_result")
    if not messages and system:
        dropped["system.position"] = None
        messages.append({"role": "user", "content": [*system]})
        system.clear()
    if messages and messages[0]["role"] == "assistant":
        messages.insert(0, {"role": "user", "content": [{"type": "text", "text": OPENING}]})
    if messages and messages[-1]["role"] == "assistant":
        _end(messages, version, dropped)


def _end(messages: list[Wire], version: Generation | None, dropped: Dropped) -> None:
    """The last word is the assistant's: older models go on from it, newer ones must be asked to."""
    last = messages[-1]["content"][-1]
    if version is not None and version >= ADAPTIVE:
        dropped["prefill"] = None
        messages.append({"role": "user", "content": [{"type": "text", "text": GO_ON}]})
    elif last["type"] == "text":
        last["text"] = last["text"].rstrip()


def _with_ids(turns: tuple[Turn, ...]) -> list[Turn]:
    """The turns with an id for every tool call; results without one belong to the oldest call of their name still open."""
    waiting: list[ToolCall] = []
    return [
        msgspec.structs.replace(turn, parts=tuple([_with_id(part, at, waiting) for part in turn.parts])) for at, turn in enumerate(turns)
    ]


def _with_id(part: Part, at: int, waiting: list[ToolCall]) -> Part:
    if isinstance(part, ToolCall):
        call = part if part.id else msgspec.structs.replace(part, id=f"toolu_{at}_{len(waiting)}")
        waiting.append(call)
        return call
    return _answering(part, waiting) if isinstance(part, ToolResult) else part


def _answering(result: ToolResult, waiting: list[ToolCall]) -> ToolResult:
    for call in waiting:
        if call.id == result.id if result.id else result.name in ("", call.name):
            waiting.remove(call)
            return msgspec.structs.replace(result, id=call.id)
    return result
