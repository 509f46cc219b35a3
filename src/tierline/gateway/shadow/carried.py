"""The request as a shadow is asked it: whole, not streamed, storing nothing; and why it is not asked at all.

A shadow asks twice what the client asked once. So nothing may happen by asking: a tool that the provider runs, a conversation that it
keeps, or an answer in the background would be the client's doing a second time."""

from __future__ import annotations

from typing import Literal

import msgspec

from tierline.interfaces import Dialect
from tierline.types.errors import BadRequest
from tierline.types.features import Features
from tierline.types.request import Request

Obstacle = Literal["", "sealed", "provider_tools", "held_upstream"]
"""Why a request is not asked twice: it holds reasoning signed for one model, tools that the provider itself runs, or leans on what an
upstream keeps."""

_PROVIDER_RUNS = frozenset({"mcp_servers", "container", "web_search_options"})
_HELD = frozenset({"conversation", "prompt", "background", "previous_interaction_id", "cachedContent", "cached_content"})
_STREAMING = frozenset({"stream", "stream_options"})
_STORING = frozenset({"store", "metadata"})


def obstacle(request: Request, features: Features, dialect: Dialect) -> Obstacle:
    """What stands against asking another model the same, where something does."""
    if features.sealed:
        return "sealed"
    try:
        conversation = dialect.expand(request)
    except BadRequest:
        return "held_upstream"
    if conversation.foreign_tools or not _PROVIDER_RUNS.isdisjoint(request.raw):
        return "provider_tools"
    if conversation.previous or not _HELD.isdisjoint(request.raw):
        return "held_upstream"
    return ""


def quietly(request: Request) -> Request:
    """The request without its stream, for an answer that no upstream keeps."""
    gone = _STREAMING | (_STORING if request.dialect == "openai_chat" else frozenset())
    raw = {name: value for name, value in request.raw.items() if name not in gone}
    if request.dialect == "openai_responses":
        raw["store"] = msgspec.Raw(b"false")
    return msgspec.structs.replace(request, stream=False, raw=raw)
