"""Content blocks → the parts of a conversation and of an answer.

What a block says beyond its neutral part stays with the part as `extra`, and returns when the block is written again (see `blocks`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from tierline.dialects.anthropic_messages.carried import Carried, unpacked
from tierline.dialects.anthropic_messages.wire import NAME, Block, Source
from tierline.dialects.json_body import Fields
from tierline.types.conversation import Citation, Foreign, Media, MediaKind, Part, Text, Thinking, ToolCall, ToolResult

CALL_SIGNATURE = "call_signature"
"""The kind of a Foreign part, by nobody, that holds the carried signature of a tool call."""

_block = msgspec.json.Decoder(Block)
_fields = msgspec.json.Decoder(Fields)
_source = msgspec.json.Decoder(Source)
_raws = msgspec.json.Decoder(str | list[msgspec.Raw] | None)
_citations = msgspec.json.Decoder(list[msgspec.Raw] | None)
_DIRECT = {"type": "direct"}
_HELD = {
    "text": {"type", "text", "cache_control", "citations"},
    "image": {"type", "source", "cache_control"},
    "document": {"type", "source", "title", "cache_control", "citations"},
    "search_result": {"cache_control"},
    "tool_use": {"type", "id", "name", "input", "cache_control"},
    "tool_result": {"type", "tool_use_id", "content", "is_error", "cache_control"},
    "thinking": {"type", "thinking", "signature"},
    "redacted_thinking": {"type", "data"},
}


class WireCitation(msgspec.Struct):
    """What is read of a citation of any type."""

    type: str = ""
    cited_text: str | None = None
    url: str | None = None
    source: str | None = None
    title: str | None = None
    document_title: str | None = None
    document_index: int | None = None
    encrypted_index: str | None = None


_citation = msgspec.json.Decoder(WireCitation)


def part_of(raw: bytes) -> Part:
    """A block as a part; what only Anthropic knows becomes Foreign. Raises msgspec.ValidationError for a field of the wrong type."""
    block = _block.decode(raw)
    read = _READERS.get(block.type)
    if read is None:
        return Foreign(NAME, block.type, bytes(raw))
    held = _HELD[block.type]
    own = {key: value for key, value in _fields.decode(raw).items() if key not in held and bytes(value) != b"null"}
    return read(block, own)


def citation_of(raw: bytes) -> Citation:
    """A citation; one that Tierline had made up for the client is again the other dialect's. Raises msgspec.ValidationError."""
    wire = _citation.decode(raw)
    carried = unpacked(wire.encrypted_index or "")
    return Citation(
        url=wire.url or (wire.source or "" if wire.type == "search_result_location" else ""),
        title=wire.title or wire.document_title or "",
        document=-1 if wire.document_index is None else wire.document_index,
        quoted=wire.cited_text or "",
        raw=b"" if carried else bytes(raw),
        by=carried.by if carried else NAME,
    )


def cache_of(raw: msgspec.Raw, own: Fields) -> str:
    """The time to live of a `cache_control`, empty without one; what else it says goes to `own`."""
    if bytes(raw) in (b"", b"null"):
        return ""
    mark = _fields.decode(raw)
    ttl = msgspec.json.decode(mark["ttl"], type=str | None) if "ttl" in mark else None
    if mark.keys() - {"type", "ttl"} or bytes(mark.get("type", b"")) != b'"ephemeral"':
        own["cache_control"] = msgspec.Raw(bytes(raw))
    return ttl or "5m"


def finer(own: Fields) -> dict[str, Any]:
    """`own` as the fields `extra` and `by` of a part."""
    return {"extra": msgspec.json.encode(own), "by": NAME} if own else {}


def _text(block: Block, own: Fields) -> Text:
    cited = _citations.decode(block.citations) if bytes(block.citations) else None
    return Text(
        _needed(block.text, "text"),
        cache_of(block.cache_control, own),
        tuple([citation_of(bytes(raw)) for raw in cited or ()]),
        **finer(own),
    )


def _media(block: Block, own: Fields) -> Media:
    kind: MediaKind = "image" if block.type == "image" else "document"
    source = _source.decode(block.source) if bytes(block.source) else Source()
    text = source.data if source.type == "text" else ""
    if source.type == "content":
        own["source"] = msgspec.Raw(bytes(block.source))
        text = _words(source.content)
    cache = cache_of(block.cache_control, own)
    finest = finer(own)
    if source.file_id:
        finest["by"] = NAME
    return Media(
        kind,
        url=source.url,
        file_id=source.file_id,
        text=text,
        data="" if source.type == "text" else source.data,
        mime=source.media_type,
        name=block.title or "",
        cite=_enabled(block.citations),
        cache=cache,
        **finest,
    )


def _search_result(block: Block, own: Fields) -> Media:
    """A found page is a document in plain text to every other dialect."""
    cache = cache_of(block.cache_control, own)
    cite = _enabled(block.citations)
    return Media("document", text=_words(block.content), mime="text/plain", name=block.title or "", cite=cite, cache=cache, **finer(own))


def _tool_use(block: Block, own: Fields) -> ToolCall:
    if "caller" in own and msgspec.json.decode(own["caller"]) == _DIRECT:
        del own["caller"]
    cache = cache_of(block.cache_control, own)
    arguments = bytes(block.input).decode() if bytes(block.input) not in (b"", b"null") else "{}"
    return ToolCall(_needed(block.id, "id"), _needed(block.name, "name"), arguments, cache=cache, **finer(own))


def _tool_result(block: Block, own: Fields) -> ToolResult:
    given = _raws.decode(block.content) if bytes(block.content) else None
    found = (Text(given),) if isinstance(given, str) else tuple([part_of(bytes(raw)) for raw in given or ()])
    parts = tuple([part for part in found if isinstance(part, Text | Media)])
    if len(parts) < len(found):
        own["content"] = msgspec.Raw(bytes(block.content))
    cache = cache_of(block.cache_control, own)
    return ToolResult(_needed(block.tool_use_id, "tool_use_id"), parts, failed=block.is_error is True, cache=cache, **finer(own))


def _thinking(block: Block, own: Fields) -> Thinking:  # noqa: ARG001  # Anthropic refuses a thinking block with more fields
    carried = unpacked(block.signature or "")
    if carried is not None:
        return Thinking(block.thinking or "", carried.signature, carried.sealed, carried.id, carried.by)
    return Thinking(block.thinking or "", block.signature or "", by=NAME if block.signature else "")


def _redacted(block: Block, own: Fields) -> Part:  # noqa: ARG001  # as above
    carried = unpacked(block.data or "")
    if carried is None:
        return Thinking(sealed=block.data or "", by=NAME)
    if carried.call:
        return Foreign("", CALL_SIGNATURE, msgspec.json.encode(carried))
    return Thinking("", carried.signature, carried.sealed, carried.id, carried.by)


_READERS: dict[str, Callable[[Block, Fields], Part]] = {
    "text": _text,
    "image": _media,
    "document": _media,
    "search_result": _search_result,
    "tool_use": _tool_use,
    "tool_result": _tool_result,
    "thinking": _thinking,
    "redacted_thinking": _redacted,
}


def signed(parts: list[Part]) -> tuple[Part, ...]:
    """The parts with carried signatures given back to the tool calls they belong to."""
    carriers = [part for part in parts if isinstance(part, Foreign) and not part.by and part.kind == CALL_SIGNATURE]
    if not carriers:
        return tuple(parts)
    by_call = {(carried := msgspec.json.decode(part.raw, type=Carried)).call: carried for part in carriers}
    return tuple([_with_signature(part, by_call) for part in parts if part not in carriers])


def _with_signature(part: Part, by_call: dict[str, Carried]) -> Part:
    if not isinstance(part, ToolCall) or part.id not in by_call:
        return part
    carried = by_call[part.id]
    return msgspec.structs.replace(part, signature=carried.signature, by=carried.by)


def _words(raw: msgspec.Raw) -> str:
    given = _raws.decode(raw) if bytes(raw) else None
    if given is None or isinstance(given, str):
        return given or ""
    return "\n".join([block.text for raw in given if (block := _block.decode(raw)).text])


def _enabled(raw: msgspec.Raw) -> bool:
    if bytes(raw) in (b"", b"null"):
        return False
    return bytes(_fields.decode(raw).get("enabled", b"")) == b"true"


def _needed(value: str | None, field: str) -> str:
    if value is None:
        raise msgspec.ValidationError(f"Object missing required field `{field}`")
    return value
