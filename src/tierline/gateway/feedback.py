"""A second try on the same model, which is told what was wrong with its first."""

from __future__ import annotations

import msgspec

from tierline.types.completion import Completion
from tierline.types.conversation import Conversation, Text, ToolCall, ToolResult, Turn


def told(conversation: Conversation, answer: Completion | None, feedback: str) -> Conversation:
    """The conversation with the model's answer and the reason why it was not accepted as further turns.

    Where the model called tools, the reason stands as the result of each call, as its protocol wants it. An answer that says nothing (or
    is not known) is left out."""
    said = f"That answer was not accepted: {feedback}\nGive the whole answer again, with this put right."
    parts = answer.choices[0].parts if answer is not None and answer.choices else ()
    parts = tuple([part for part in parts if not isinstance(part, Text) or part.text])
    calls = [part for part in parts if isinstance(part, ToolCall)]
    turns = [Turn("assistant", parts)] if parts else []
    if calls:
        turns.append(Turn("tool", tuple([ToolResult(call.id, (Text(said),), call.name, failed=True) for call in calls])))
    else:
        turns.append(Turn("user", (Text(said),)))
    return msgspec.structs.replace(conversation, turns=(*conversation.turns, *turns))
