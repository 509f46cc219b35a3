"""Answers that call tools instead of saying something: checks of words have nothing to look at, and let them pass."""

from __future__ import annotations

from tierline.types.ask import Exchange
from tierline.types.conversation import ToolCall
from tierline.types.outcome import Finding

NOTHING_SAID = Finding(True, "tool calls without words")
"""What a check of words finds in such an answer."""


def says_nothing(exchange: Exchange) -> bool:
    """Whether an answer holds tool calls and no words."""
    if exchange.text.strip():
        return False
    return any(isinstance(part, ToolCall) for choice in exchange.answer.choices[:1] for part in choice.parts)
