"""Requests, answers and streams of this dialect at random."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

WORDS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12)
IDS = st.from_regex(r"call_[a-z0-9]{1,6}", fullmatch=True)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=4,
)
OBJECTS = st.dictionaries(WORDS, JSON, max_size=3)


def _with(needed: dict[str, Any], **optional: Any) -> Any:
    return st.fixed_dictionaries(
        {key: _fixed(value) for key, value in needed.items()}, optional={k: _fixed(v) for k, v in optional.items()}
    )


def _fixed(value: Any) -> Any:
    return value if isinstance(value, st.SearchStrategy) else st.just(value)


_MARKS = {"cache_control": {"type": "ephemeral"}, "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "30m"}}
TEXTS = _with({"type": "text", "text": WORDS}, **_MARKS)
IMAGES = st.sampled_from(["https://x.example/a.png", "data:image/png;base64,aGk="])
MEDIA = st.one_of(
    _with(
        {
            "type": "image_url",
            "image_url": _with({"url": IMAGES}, detail="low"),
        },
        **_MARKS,
    ),
    _with({"type": "input_audio", "input_audio": {"data": "aGk=", "format": "mp3"}}),
    _with({"type": "file", "file": _with({"file_data": "data:application/pdf;base64,aGk="}, filename=WORDS)}),
    _with({"type": "file", "file": {"file_id": "file-1"}}),
    _with({"type": "video_url", "video_url": {"url": "https://x.example/a.mp4"}}, fps=st.integers(1, 9)),
)
STRANGE = _with({"type": st.sampled_from(["of_tomorrow", "thinking"])}, other=WORDS)
CALLS = st.one_of(
    _with({"id": IDS, "type": "function", "function": _with({"name": WORDS, "arguments": OBJECTS.map(json.dumps)})}, extra_content=OBJECTS),
    _with({"id": IDS, "type": "custom", "custom": _with({"name": WORDS, "input": WORDS})}),
)
GIVEN = st.lists(TEXTS | MEDIA | STRANGE, min_size=1, max_size=2)
MESSAGES = st.lists(
    st.one_of(
        _with({"role": st.sampled_from(["system", "developer"]), "content": WORDS | st.lists(TEXTS, min_size=1, max_size=2)}, name=WORDS),
        _with({"role": "user", "content": WORDS | GIVEN}, name=WORDS, weight=WORDS),
        _with(
            {"role": "assistant", "content": WORDS | st.lists(TEXTS, min_size=1, max_size=2)},
            tool_calls=st.lists(CALLS, min_size=1, max_size=2),
            refusal=WORDS,
            reasoning_content=WORDS,
            audio={"id": "audio_1"},
            prefix=True,
        ),
        _with({"role": "tool", "tool_call_id": IDS, "content": WORDS | GIVEN}, name=WORDS),
    ),
    max_size=5,
).map(lambda more: [{"role": "user", "content": "Hello"}, *more])
FUNCTIONS = _with({"name": WORDS, "parameters": OBJECTS}, description=WORDS, strict=st.booleans(), x=WORDS)
CHOICES = [
    *("auto", "none", "required"),
    {"type": "function", "function": {"name": "f"}},
    {"type": "allowed_tools", "allowed_tools": {"tools": []}},
]
TOOLS = st.lists(
    st.one_of(
        _with(
            {
                "type": "function",
                "function": _with({"name": WORDS, "parameters": OBJECTS}, description=WORDS, strict=st.booleans(), x=WORDS),
            },
            cache_control={"type": "ephemeral"},
        ),
        _with({"type": "custom", "custom": _with({"name": WORDS}, description=WORDS, format={"type": "text"})}),
        _with({"type": "of_tomorrow"}, max_uses=st.integers(1, 5)),
    ),
    min_size=1,
    max_size=3,
)
BODIES = _with(
    {"model": "auto", "messages": MESSAGES},
    tools=TOOLS,
    tool_choice=st.sampled_from(CHOICES),
    parallel_tool_calls=st.booleans(),
    response_format=st.one_of(
        st.just({"type": "text"}),
        _with({"type": "json_object"}, schema=OBJECTS),
        _with({"type": "json_schema", "json_schema": _with({"name": WORDS, "schema": OBJECTS}, description=WORDS, strict=st.booleans())}),
    ),
    reasoning_effort=st.sampled_from(["none", "minimal", "low", "high", "xhigh", "max", "default"]),
    reasoning=_with({}, effort="low", max_tokens=st.integers(0, 9999), exclude=st.booleans(), enabled=st.booleans(), summary="auto"),
    max_tokens=st.integers(1, 9999),
    temperature=st.floats(0, 2),
    top_p=st.floats(0, 1),
    top_k=st.integers(1, 50),
    stop=WORDS | st.lists(WORDS, min_size=1, max_size=6),
    seed=st.integers(-(2**60), 2**60),
    frequency_penalty=st.floats(-2, 2),
    presence_penalty=st.floats(-2, 2),
    n=st.integers(2, 4),
    logprobs=True,
    top_logprobs=st.integers(0, 20),
    user=WORDS,
    safety_identifier=WORDS,
    metadata=st.dictionaries(WORDS, WORDS, max_size=2),
    stream=st.booleans(),
    stream_options=_with({}, include_usage=st.booleans(), include_obfuscation=st.booleans()),
    logit_bias=st.dictionaries(st.from_regex("[0-9]{1,4}", fullmatch=True), st.integers(-100, 100), max_size=2),
    of_tomorrow=JSON,
)

ANNOTATIONS = st.lists(
    st.one_of(
        _with({"type": "url_citation", "url_citation": _with({"url": WORDS, "title": WORDS, "start_index": 0, "end_index": 2})}),
        _with({"type": "of_tomorrow"}, other=WORDS),
    ),
    min_size=1,
    max_size=2,
)


def _annotated(message: Any) -> Any:
    return ANNOTATIONS.map(lambda told: {**message, "annotations": told}) | st.just(message)


LOGPROBS = st.lists(_with({"token": WORDS, "logprob": st.integers(-9, 0), "bytes": None, "top_logprobs": []}), min_size=1, max_size=3)
REPLIES = _with(
    {"role": "assistant"},
    reasoning_content=WORDS,
    content=WORDS,
    refusal=WORDS,
    tool_calls=st.lists(CALLS.map(lambda call: {key: call[key] for key in ("id", "type", call["type"])}), min_size=1, max_size=3),
).flatmap(
    lambda message: (
        ANNOTATIONS.map(lambda told: {**message, "annotations": told}) | st.just(message) if "content" in message else st.just(message)
    )
)
COUNTS = st.builds(
    lambda told, cached, written, thought: {
        "prompt_tokens": told[0],
        "completion_tokens": told[1],
        "total_tokens": sum(told),
        "prompt_tokens_details": {"cached_tokens": cached, "cache_write_tokens": written},
        "completion_tokens_details": {"reasoning_tokens": thought},
    },
    st.tuples(st.integers(1, 999), st.integers(1, 999)),
    st.integers(0, 99),
    st.integers(0, 99),
    st.integers(0, 99),
)


def _answer(messages: list[Any], finishes: list[str], logprobs: Any, usage: Any) -> Any:
    choices = [
        {
            "index": at,
            "message": message,
            "finish_reason": finish,
            "logprobs": {"content": logprobs} if "content" in message and logprobs else None,
        }
        for at, (message, finish) in enumerate(zip(messages, finishes, strict=False))
    ]
    return {"id": "chatcmpl-1", "object": "chat.completion", "created": 17, "model": "m-1", "choices": choices, "usage": usage}


ANSWERS = st.builds(
    _answer,
    st.lists(REPLIES, min_size=1, max_size=3),
    st.lists(st.sampled_from(["stop", "length", "tool_calls", "content_filter"]), min_size=3, max_size=3),
    st.none() | LOGPROBS,
    COUNTS,
)


def streamed(answer: Any) -> bytes:
    """The stream by which an upstream would have sent that answer: letter by letter, its choices in turn."""
    head = {"id": answer["id"], "object": "chat.completion.chunk", "created": answer["created"], "model": answer["model"]}
    deltas = [[(choice["index"], delta, told) for delta, told in _pieces(choice)] for choice in answer["choices"]]
    events: list[Any] = []
    for turn in range(max(map(len, deltas))):
        for index, delta, told in [pieces[turn] for pieces in deltas if turn < len(pieces)]:
            events.append({**head, "choices": [{"index": index, "delta": delta, "logprobs": told, "finish_reason": None}]})
    for choice in answer["choices"]:
        events.append({**head, "choices": [{"index": choice["index"], "delta": {}, "finish_reason": choice["finish_reason"]}]})
    events.append({**head, "choices": [], "usage": answer["usage"]})
    return b"".join([b"data: " + json.dumps(event).encode() + b"\n\n" for event in events]) + b"data: [DONE]\n\n"


def _pieces(choice: Any) -> list[tuple[Any, Any]]:
    message = choice["message"]
    found: list[tuple[Any, Any]] = [({"role": "assistant", "content": "", "refusal": None}, None)]
    found += [({"reasoning_content": letter}, None) for letter in message.get("reasoning_content", "")]
    told = choice["logprobs"]
    for at, letter in enumerate(message.get("content", "")):
        found.append(({"content": letter}, told if at == 0 else None))
    found += [({"annotations": [entry]}, None) for entry in message.get("annotations", ())]
    found += [({"refusal": letter}, None) for letter in message.get("refusal", "")]
    for index, call in enumerate(message.get("tool_calls", ())):
        kind = call["type"]
        field = "arguments" if kind == "function" else "input"
        text = call[kind][field]
        found.append(({"tool_calls": [{"index": index, "id": call["id"], "type": kind, kind: {**call[kind], field: ""}}]}, None))
        found += [({"tool_calls": [{"index": index, kind: {field: part}}]}, None) for part in (text[:1], text[1:]) if part]
    return found
