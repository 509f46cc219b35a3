"""What the tests of this dialect share: models, requests, golden data, and bodies at random."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import strategies as st

from tierline.dialects.anthropic_messages import AnthropicMessages
from tierline.types.catalog import Model
from tierline.types.completion import AnswerPart, Cited, Event, PartDelta, PartStarted, Signed
from tierline.types.conversation import Foreign, Text, Thinking, ToolCall
from tierline.types.request import Request

DIALECT = AnthropicMessages()
CASES = Path(__file__).parent.parent / "cases" / "anthropic_messages"
MODEL = Model("sonnet", "balanced", "anthropic", "claude-sonnet-4-6")
HAIKU = Model("haiku", "fast", "anthropic", "claude-haiku-4-5")
OPUS = Model("opus", "best", "anthropic", "claude-opus-4-7")


def case(name: str, file: str) -> Any:
    return json.loads((CASES / name / file).read_bytes())


def named(*prefixes: str) -> list[str]:
    return sorted(folder.name for folder in CASES.iterdir() if folder.name.startswith(prefixes))


def parsed(body: Any) -> Request:
    return DIALECT.parse(json.dumps(body).encode())


def rendered(body: Any, model: Model = MODEL) -> Any:
    return json.loads(DIALECT.render_body(DIALECT.expand(parsed(body)), model).body)


def shown(value: Any) -> Any:
    """A struct as plain data, bytes as text marked `json:`."""
    return _marked(msgspec.to_builtins(value, builtin_types=(bytes,)))


def struct(kind: Any, plain: Any) -> Any:
    """What `shown` made plain, as a struct again."""
    return msgspec.convert(_unmarked(plain), kind, builtin_types=(bytes,))


def _marked(value: Any) -> Any:
    if isinstance(value, bytes):
        return "json:" + value.decode()
    if isinstance(value, dict):
        return {key: _marked(inner) for key, inner in value.items()}
    return [_marked(inner) for inner in value] if isinstance(value, list | tuple) else value


def _unmarked(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("json:"):
        return value[5:].encode()
    if isinstance(value, dict):
        return {key: _unmarked(inner) for key, inner in value.items()}
    return [_unmarked(inner) for inner in value] if isinstance(value, list) else value


def canonical(body: Any) -> Any:
    """A body with its shorthands written out and its defaults left out: two that mean the same become equal."""
    body = {key: value for key, value in body.items() if value is not None and (key, value) != ("stream", False)}
    if "system" in body:
        body["system"] = _blocks(body["system"])
    messages: list[Any] = []
    for message in body["messages"]:
        content = _blocks(message["content"])
        if messages and messages[-1]["role"] == message["role"]:
            messages[-1]["content"] += content
        elif content:
            messages.append({"role": message["role"], "content": content})
    body["messages"] = messages
    body["tools"] = sorted([_plain(tool) for tool in body.get("tools", ())], key=lambda tool: tool.get("type", "custom") != "custom")
    if body.get("tool_choice") == {"type": "auto"}:
        del body["tool_choice"]
    return {key: value for key, value in body.items() if value not in ([], {})}


def _blocks(content: Any) -> list[Any]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return [_plain(block) for block in content]


def _plain(block: Any) -> Any:
    block = {key: value for key, value in block.items() if value is not None}
    defaults = {"caller": {"type": "direct"}, "is_error": False, "citations": {"enabled": False}, "description": ""}
    block = {key: value for key, value in block.items() if key not in defaults or value != defaults[key]}
    if block.get("cache_control", {}).get("ttl") == "5m":
        block["cache_control"] = {key: value for key, value in block["cache_control"].items() if key != "ttl"}
    if block.get("type") == "tool_result":
        block["content"] = _blocks(block.get("content") or [])
    return {key: value for key, value in block.items() if value != [] or key != "content"}


def joined(events: list[Event]) -> tuple[AnswerPart, ...]:
    """The parts that a stream's events make when they are put together."""
    parts: dict[int, AnswerPart] = {}
    for event in events:
        match event:
            case PartStarted():
                parts[event.index] = event.part
            case PartDelta():
                parts[event.index] = _longer(parts[event.index], event.text)
            case Signed():
                parts[event.index] = msgspec.structs.replace(parts[event.index], signature=event.signature)
            case Cited():
                part = parts[event.index]
                assert isinstance(part, Text)
                parts[event.index] = msgspec.structs.replace(part, citations=(*part.citations, event.citation))
    return tuple([_ended(parts[index]) for index in sorted(parts)])


def _longer(part: AnswerPart, text: str) -> AnswerPart:
    match part:
        case Text() | Thinking():
            return msgspec.structs.replace(part, text=part.text + text)
        case ToolCall():
            return msgspec.structs.replace(part, arguments=part.arguments + text)
        case Foreign():
            held = json.loads(part.raw)
            held["input"] = (held["input"] or "") + json.loads(text)["partial_json"]
            return msgspec.structs.replace(part, raw=json.dumps(held).encode())
    raise AssertionError(part)


def _ended(part: AnswerPart) -> AnswerPart:
    if isinstance(part, ToolCall):
        return msgspec.structs.replace(part, arguments=part.arguments or "{}")
    held = json.loads(part.raw) if isinstance(part, Foreign) else None
    if isinstance(part, Foreign) and isinstance(held, dict) and isinstance(held.get("input"), str):
        held["input"] = json.loads(held["input"])
        return msgspec.structs.replace(part, raw=json.dumps(held).encode())
    return part


def said(value: Any) -> Any:
    """With the JSON inside texts compared by what it says, not how it is spaced."""
    if isinstance(value, str):
        text = value.removeprefix("json:")
        with contextlib.suppress(ValueError):
            return json.loads(text)
        return text
    if isinstance(value, dict):
        return {key: said(inner) for key, inner in value.items()}
    return [said(inner) for inner in value] if isinstance(value, list) else value


# --- bodies at random

WORDS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12)
IDS = st.from_regex(r"toolu_[a-z0-9]{1,6}", fullmatch=True)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | WORDS, lambda inner: st.dictionaries(WORDS, inner, max_size=3), max_leaves=4
)
OBJECTS = st.dictionaries(WORDS, JSON, max_size=3)
CACHE = st.sampled_from(
    [None, {"type": "ephemeral"}, {"type": "ephemeral", "ttl": "1h"}, {"type": "ephemeral", "ttl": "1h", "scope": "global"}]
)


def _with(needed: dict[str, Any], **optional: Any) -> Any:
    return st.fixed_dictionaries(
        {key: _fixed(value) for key, value in needed.items()}, optional={k: _fixed(v) for k, v in optional.items()}
    )


def _fixed(value: Any) -> Any:
    return value if isinstance(value, st.SearchStrategy) else st.just(value)


CITATIONS = st.lists(
    st.one_of(
        _with({"type": "char_location", "cited_text": WORDS, "document_index": 0, "start_char_index": 0, "end_char_index": 4}),
        _with({"type": "web_search_result_location", "cited_text": WORDS, "url": WORDS, "title": WORDS, "encrypted_index": WORDS}),
    ),
    min_size=1,
    max_size=2,
)
TEXTS = _with({"type": "text", "text": WORDS}, cache_control=CACHE, citations=CITATIONS)
PLAIN_TEXTS = _with({"type": "text", "text": WORDS}, cache_control=CACHE)
IMAGES = _with(
    {
        "type": "image",
        "source": st.one_of(
            _with({"type": "base64", "media_type": "image/png", "data": "aGk="}),
            _with({"type": "url", "url": "https://x.example/a.png"}),
            _with({"type": "file", "file_id": IDS}),
        ),
    },
    cache_control=CACHE,
    transformations=_with({"downscale": WORDS}),
)
DOCUMENTS = _with(
    {
        "type": "document",
        "source": st.one_of(
            _with({"type": "base64", "media_type": "application/pdf", "data": "aGk="}),
            _with({"type": "url", "url": "https://x.example/a.pdf"}),
            _with({"type": "text", "media_type": "text/plain", "data": WORDS}),
            _with({"type": "content", "content": st.lists(PLAIN_TEXTS, min_size=1, max_size=2)}),
            _with({"type": "file", "file_id": IDS}),
        ),
    },
    title=WORDS,
    context=WORDS,
    citations=_with({"enabled": st.booleans()}),
    cache_control=CACHE,
)
FOUND = _with(
    {"type": "search_result", "source": WORDS, "title": WORDS, "content": st.lists(PLAIN_TEXTS, max_size=2)},
    citations=_with({"enabled": st.booleans()}),
    cache_control=CACHE,
)
STRANGE = _with({"type": st.sampled_from(["container_upload", "mcp_tool_result", "of_tomorrow"])}, other=JSON)
RESULTS = _with(
    {"type": "tool_result", "tool_use_id": IDS},
    content=st.one_of(WORDS, st.lists(st.one_of(PLAIN_TEXTS, IMAGES, DOCUMENTS, FOUND, STRANGE), min_size=1, max_size=2)),
    is_error=st.booleans(),
    cache_control=CACHE,
    toolset_name=WORDS,
)
CALLS = _with(
    {"type": "tool_use", "id": IDS, "name": WORDS, "input": OBJECTS},
    caller=st.sampled_from([{"type": "direct"}, {"type": "code_execution_20250825", "tool_id": "srvtoolu_1"}]),
    cache_control=CACHE,
)
THOUGHTS = st.one_of(
    _with({"type": "thinking", "thinking": st.text(max_size=8), "signature": WORDS}), _with({"type": "redacted_thinking", "data": WORDS})
)
SERVER_CALLS = _with({"type": "server_tool_use", "id": IDS, "name": "web_search", "input": OBJECTS})
MESSAGES = st.lists(
    st.one_of(
        _with(
            {
                "role": "user",
                "content": st.one_of(WORDS, st.lists(st.one_of(TEXTS, IMAGES, DOCUMENTS, FOUND, RESULTS, STRANGE), max_size=3)),
            }
        ),
        _with({"role": "assistant", "content": st.one_of(WORDS, st.lists(st.one_of(TEXTS, CALLS, THOUGHTS, SERVER_CALLS), max_size=3))}),
    ),
    max_size=4,
).map(lambda more: [{"role": "user", "content": "Hello"}, *more])
TOOLS = st.lists(
    st.one_of(
        _with(
            {"name": WORDS, "input_schema": OBJECTS},
            description=WORDS,
            strict=st.booleans(),
            cache_control=CACHE,
            eager_input_streaming=st.booleans(),
            input_examples=st.lists(OBJECTS, max_size=1),
        ),
        _with({"type": "web_search_20250305", "name": "web_search"}, max_uses=st.integers(1, 5)),
    ),
    max_size=3,
)
BODIES = _with(
    {"model": "claude-sonnet-4-6", "max_tokens": st.integers(1, 64000), "messages": MESSAGES},
    system=st.one_of(WORDS, st.lists(PLAIN_TEXTS, min_size=1, max_size=2)),
    tools=TOOLS,
    tool_choice=st.sampled_from(
        [{"type": "auto"}, {"type": "any", "disable_parallel_tool_use": True}, {"type": "none"}, {"type": "tool", "name": "f"}]
    ),
    thinking=st.sampled_from(
        [
            {"type": "enabled", "budget_tokens": 2000},
            {"type": "enabled", "budget_tokens": 2000, "display": "omitted"},
            {"type": "adaptive", "display": "summarized"},
            {"type": "disabled"},
        ]
    ),
    output_config=_with(
        {}, effort=st.sampled_from(["low", "high", "max"]), format=_with({"type": "json_schema", "schema": OBJECTS}), task_budget=OBJECTS
    ),
    temperature=st.floats(0, 1),
    top_k=st.integers(1, 50),
    stop_sequences=st.lists(WORDS, min_size=1, max_size=2),
    stream=st.booleans(),
    metadata=_with({}, user_id=WORDS, team=WORDS),
    service_tier=st.sampled_from(["auto", "standard_only"]),
    container=WORDS,
    context_management=OBJECTS,
    cache_control=CACHE,
)
COUNTS = st.fixed_dictionaries(
    {"input_tokens": st.integers(0, 999), "output_tokens": st.integers(0, 999)},
    optional={
        "cache_read_input_tokens": st.integers(0, 999),
        "cache_creation_input_tokens": st.integers(0, 999),
        "output_tokens_details": st.fixed_dictionaries({"thinking_tokens": st.integers(0, 9)}),
    },
)
ANSWERS = st.fixed_dictionaries(
    {
        "id": IDS,
        "type": st.just("message"),
        "role": st.just("assistant"),
        "model": st.just("claude-sonnet-4-6"),
        "content": st.lists(
            st.one_of(_with({"type": "text", "text": WORDS}, citations=CITATIONS), CALLS, THOUGHTS, SERVER_CALLS), max_size=3
        ),
        "stop_reason": st.sampled_from(["end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn", "refusal"]),
        "stop_sequence": st.none() | WORDS,
        "usage": COUNTS,
    }
)


def streamed(answer: Any) -> bytes:
    """The stream by which Anthropic would have sent that answer, in several pieces a block."""
    start = {**answer, "content": [], "stop_reason": None, "stop_sequence": None, "usage": {**answer["usage"], "output_tokens": 1}}
    events: list[Any] = [{"type": "message_start", "message": start}, {"type": "ping"}]
    for index, block in enumerate(answer["content"]):
        opening, deltas = _pieces(block)
        events.append({"type": "content_block_start", "index": index, "content_block": opening})
        events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        events.append({"type": "content_block_stop", "index": index})
    ending = {"stop_reason": answer["stop_reason"], "stop_sequence": answer["stop_sequence"]}
    events += [{"type": "message_delta", "delta": ending, "usage": answer["usage"]}, {"type": "message_stop"}]
    return b"".join([f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events])


def _pieces(block: Any) -> tuple[Any, list[Any]]:
    kind = block["type"]
    if kind == "text":
        cited = [{"type": "citations_delta", "citation": citation} for citation in block.get("citations", ())]
        return {"type": "text", "text": ""}, [*cited, *[{"type": "text_delta", "text": letter} for letter in block["text"]]]
    if kind == "thinking":
        words = [{"type": "thinking_delta", "thinking": letter} for letter in block["thinking"]]
        return {**block, "thinking": "", "signature": ""}, [*words, {"type": "signature_delta", "signature": block["signature"]}]
    if kind in ("tool_use", "server_tool_use"):
        text = json.dumps(block["input"])
        return {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": part} for part in (text[:1], text[1:])]
    return block, []
