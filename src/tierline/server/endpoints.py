"""The endpoints that answer with a model, one set of handlers for each wire format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import msgspec

from tierline.dialects.anthropic_messages import AnthropicMessages
from tierline.dialects.gemini import Gemini
from tierline.interfaces import Dialect
from tierline.server.completions import Completions
from tierline.server.gemini import GeminiCalls
from tierline.server.messages import Messages


class Endpoints(msgspec.Struct, frozen=True):
    """The handlers of every wire format."""

    chat: Completions
    responses: Completions
    messages: Messages
    gemini: GeminiCalls


def endpoints(dialects: Mapping[str, Dialect]) -> Endpoints:
    """Handlers that speak these dialects."""
    return Endpoints(
        Completions(dialects["openai_chat"]),
        Completions(dialects["openai_responses"]),
        Messages(cast(AnthropicMessages, dialects["anthropic_messages"])),
        GeminiCalls(cast(Gemini, dialects["gemini"])),
    )
