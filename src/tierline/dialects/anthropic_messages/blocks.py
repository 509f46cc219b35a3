"""The parts of a conversation and of an answer → content blocks, with the names of what Anthropic has no block for.

The other way is `parts`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from typing import Any

import msgspec

from tierline.dialects.anthropic_messages.wire import NAME
from tierline.dialects.json_body import Fields
from tierline.types.conversation import Foreign, Media, Part, Refusal, Text, Thinking, ToolCall, ToolResult

Wire = dict[str, Any]
Dropped = dict[str, None]
"""The names of what could not be carried, each once and in the order they were met."""

_fields = msgspec.json.Decoder(Fields)
_TOOL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")


def block_of(part: Part, dropped: Dropped) -> Wire | None:
    """A part as a block for an upstream; None, and its name in `dropped`, where Anthropic has no such block or did not sign it."""
    match part:
        case Text():
            return _over(part, _cached(part.cache, {"type": "text", "text": part.text, **_cited(part, dropped)}))
        case Media():
            return _media_block(part, dropped)
        case ToolCall():
            if part.signature and part.by != NAME:
                dropped["thinking.signature"] = None
            wire = {"type": "tool_use", "id": tool_id(part.id), "name": part.name, "input": _input(part.arguments, dropped)}
            return _over(part, _cached(part.cache, wire))
        case ToolResult():
            return _result_block(part, dropped)
        case Thinking():
            return _thinking_block(part, dropped)
        case Refusal():
            return {"type": "text", "text": part.text}
        case Foreign():
            return _foreign(part, dropped)


def mark_of(cache: str) -> Wire:
    """A `cache_control` of that time to live."""
    return {"type": "ephemeral"} if cache == "5m" else {"type": "ephemeral", "ttl": cache}


def tool_id(given: str) -> str:
    """The id of a tool call as Anthropic takes it: another dialect's stranger id becomes a stable one of letters and digits."""
    if _TOOL_ID.match(given):
        return given
    return "toolu_" + hashlib.blake2b(given.encode(errors="replace"), digest_size=12).hexdigest()


def _cached(cache: str, wire: Wire) -> Wire:
    if cache:
        wire["cache_control"] = mark_of(cache)
    return wire


def _over(part: Text | Media | ToolCall | ToolResult, wire: Wire) -> Wire:
    """The block with what this dialect had written beyond the neutral part."""
    if part.extra and part.by == NAME:
        wire.update(_fields.decode(part.extra))
    return wire


def _cited(part: Text, dropped: Dropped) -> Wire:
    own = [msgspec.Raw(citation.raw) for citation in part.citations if citation.by == NAME and citation.raw]
    if len(own) < len(part.citations):
        dropped["citations"] = None
    return {"citations": own} if own else {}


def _thinking_block(part: Thinking, dropped: Dropped) -> Wire | None:
    if part.by == NAME and part.sealed and not part.text:
        return {"type": "redacted_thinking", "data": part.sealed}
    if part.by == NAME and part.signature:
        return {"type": "thinking", "thinking": part.text, "signature": part.signature}
    if part.text:
        dropped["thinking"] = None
    if part.signature or part.sealed:
        dropped["thinking.signature"] = None
    return None


def _foreign(part: Foreign, dropped: Dropped) -> Wire | None:
    if part.by == NAME:
        return dict(_fields.decode(part.raw))
    dropped[f"foreign:{part.kind}"] = None
    return None


def _result_block(part: ToolResult, dropped: Dropped) -> Wire:
    wire: Wire = {"type": "tool_result", "tool_use_id": tool_id(part.id)}
    inside = [piece for piece in part.parts if len(part.parts) == 1 or not isinstance(piece, Text) or piece.text]
    content = [block for piece in inside if (block := block_of(piece, dropped)) is not None]
    if content:
        wire["content"] = plain(content)
    if part.failed:
        wire["is_error"] = True
    return _over(part, _cached(part.cache, wire))


def plain(content: list[Wire]) -> str | list[Wire]:
    """One text and nothing else as a string, as most clients write it."""
    if len(content) == 1 and content[0]["type"] == "text" and len(content[0]) == 2:
        words: str = content[0]["text"]
        return words
    return content


def _media_block(part: Media, dropped: Dropped) -> Wire | None:
    if part.detail not in ("", "auto"):
        dropped["detail"] = None
    if part.extra and part.by == NAME and part.kind == "document":
        return _over(part, _described(part, {"type": "document", "source": _source_of(part)}))
    source = _source_of(part) if part.kind in ("image", "document") else None
    if source is None:
        dropped["file_id" if part.file_id else part.kind] = None
        return None
    return _over(part, _described(part, {"type": part.kind, "source": source}))


def _described(part: Media, wire: Wire) -> Wire:
    if part.kind == "document" and part.name:
        wire["title"] = part.name
    if part.kind == "document" and part.cite:
        wire["citations"] = {"enabled": True}
    return _cached(part.cache, wire)


def _source_of(part: Media) -> Wire | None:
    """Where Anthropic finds it: by file id if it is its own, by https, in text, or inline as an image or a PDF."""
    if part.file_id:
        return {"type": "file", "file_id": part.file_id} if part.by == NAME else None
    if part.url:
        return {"type": "url", "url": part.url} if part.url.startswith(("https://", "http://")) else None
    if not part.data:
        return {"type": "text", "media_type": "text/plain", "data": part.text} if part.kind == "document" else None
    if part.kind == "image" or part.mime in ("application/pdf", ""):
        mime = part.mime or ("image/png" if part.kind == "image" else "application/pdf")
        return {"type": "base64", "media_type": mime, "data": part.data}
    return _decoded_text(part)


def _decoded_text(part: Media) -> Wire | None:
    if not part.mime.startswith("text/") and part.mime not in ("application/json", "application/xml"):
        return None
    try:
        words = base64.b64decode(part.data, validate=False).decode()
    except (binascii.Error, ValueError):
        return None
    return {"type": "text", "media_type": "text/plain", "data": words}


def _input(arguments: str, dropped: Dropped) -> Any:
    """The arguments as an object; a model's broken JSON stays readable, as one string in an object."""
    if not arguments.strip():
        return {}
    try:
        if isinstance(msgspec.json.decode(arguments), dict):
            return msgspec.Raw(arguments.encode())
    except (msgspec.DecodeError, RecursionError):
        pass
    try:
        if isinstance(found := json.loads(arguments), dict):
            return found
    except (ValueError, RecursionError):
        pass
    dropped["arguments"] = None
    return {"arguments": arguments}
