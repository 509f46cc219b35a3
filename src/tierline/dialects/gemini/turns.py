"""The turns of a conversation → `systemInstruction` and `contents`.

What came from this dialect is written as it was. From another one, system prompts are gathered in front, turns of one role are joined, and
every call's response stands in the turn behind it, in the order of the calls: so Google wants it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import msgspec

from tierline.dialects.gemini.generation import LEVELLED, SKIP_SIGNATURE, Generation
from tierline.dialects.gemini.parts import Dropped, PartWriter, Wire
from tierline.dialects.gemini.wire import NAME
from tierline.types.conversation import Conversation, Media, Part, ToolCall, ToolResult, Turn

_ROLES = {"assistant": "model", "user": "user", "tool": "user"}
_SYSTEM = ("system", "developer")


def placed(conversation: Conversation, version: Generation | None, dropped: Dropped) -> tuple[list[Wire], list[Wire]]:
    """The parts of the system instruction, and the contents."""
    own = conversation.by == NAME
    if any(turn.name for turn in conversation.turns):
        dropped["name"] = None
    leading = _leading(conversation.turns)
    spoken = [turn for turn in conversation.turns[leading:] if turn.role not in _SYSTEM]
    if leading + len(spoken) < len(conversation.turns):
        dropped["system.position"] = None
    prompts = [turn for turn in conversation.turns if turn.role in _SYSTEM]
    turns = spoken if own else _answered(_joined(_with_ids(spoken)))
    names = {part.id: part.name for turn in turns for part in turn.parts if isinstance(part, ToolCall)}
    signs = version is not None and version >= LEVELLED
    skip = SKIP_SIGNATURE if signs and not own else ""
    contents: list[Wire] = []
    for turn in turns:
        writer = PartWriter(names, dropped, own=own, skip=skip, shows=signs)
        for part in turn.parts:
            writer.write(part)
        if writer.wires or own:
            contents.append({"role": _ROLES[turn.role], "parts": writer.wires})
    system = _instruction([part for turn in prompts for part in turn.parts], own, dropped)
    if not contents and system:
        dropped["system.position"] = None
        return [], [{"role": "user", "parts": system}]
    return system, contents


def _leading(turns: tuple[Turn, ...]) -> int:
    """How many system turns stand in front."""
    return next((at for at, turn in enumerate(turns) if turn.role not in _SYSTEM), len(turns))


def _instruction(parts: Iterable[Part], own: bool, dropped: Dropped) -> list[Wire]:
    writer = PartWriter({}, dropped, own=own, skip="", shows=False)
    for part in parts:
        if own or not isinstance(part, Media):
            writer.write(part)
        else:
            dropped[part.kind] = None
    return writer.wires


def _joined(turns: Iterable[Turn]) -> list[Turn]:
    """Turns of one role in a row are one."""
    joined: list[Turn] = []
    for turn in turns:
        if joined and joined[-1].role == turn.role:
            joined[-1] = Turn(turn.role, joined[-1].parts + turn.parts)
        else:
            joined.append(Turn(turn.role, turn.parts))
    return joined


def _answered(turns: list[Turn]) -> list[Turn]:
    """The results of each turn in the order of the calls before it."""
    ordered: list[Turn] = []
    for turn in turns:
        if turn.role == "tool" and ordered:
            order = {part.id: at for at, part in enumerate(ordered[-1].parts) if isinstance(part, ToolCall)}
            ordered.append(Turn(turn.role, tuple(sorted(turn.parts, key=partial(_place, order)))))
        else:
            ordered.append(turn)
    return ordered


def _place(order: dict[str, int], part: Part) -> int:
    return order.get(part.id, len(order)) if isinstance(part, ToolResult) else len(order)


def _with_ids(turns: list[Turn]) -> list[Turn]:
    """The turns with results that name their call: one without an id belongs to the oldest call of its name still open."""
    waiting: list[ToolCall] = []
    found: list[Turn] = []
    for turn in turns:
        waiting.extend([part for part in turn.parts if isinstance(part, ToolCall)])
        parts = [_matched(part, waiting) if isinstance(part, ToolResult) else part for part in turn.parts]
        found.append(Turn(turn.role, tuple(parts)))
    return found


def _matched(result: ToolResult, waiting: list[ToolCall]) -> ToolResult:
    for call in waiting:
        if call.id == result.id if result.id else result.name in ("", call.name):
            waiting.remove(call)
            return msgspec.structs.replace(result, id=call.id, name=call.name)
    return result
