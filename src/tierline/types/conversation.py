"""A request whole, in no wire format: the hub through which one dialect becomes another.

`Request` holds what routing reads and passes the client's own bytes on; a `Conversation` is made only when the client's dialect is
not the provider's. Each dialect expands its own requests to it and renders its own bodies from it: N files, not N × N.

What only one dialect knows travels as `Foreign`, and reaches that dialect alone; what a target cannot carry is named.

A part that every dialect can hold may be written more finely in one: `extra` keeps, as a JSON object, the fields that the dialect named
in `by` has beyond the neutral ones. They are laid over the part when that dialect writes it again, and no other looks at them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

Role = Literal["system", "developer", "user", "assistant", "tool"]
MediaKind = Literal["image", "audio", "video", "document"]
Effort = Literal["", "none", "minimal", "low", "medium", "high", "xhigh"]


class Citation(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where an answer's words come from: an address or a document (by its place among the request's), the quoted words, and the span of
    the answer in characters (-1: not told)."""

    url: str = ""
    title: str = ""
    document: int = -1
    quoted: str = ""
    start: int = -1
    end: int = -1
    raw: bytes = b""
    by: str = ""


class Text(msgspec.Struct, frozen=True, omit_defaults=True, tag="text"):
    """Words. `cache` marks the end of a prefix worth caching: empty, or a time to live such as `5m` and `1h`."""

    text: str
    cache: str = ""
    citations: tuple[Citation, ...] = ()
    extra: bytes = b""
    by: str = ""


class Media(msgspec.Struct, frozen=True, omit_defaults=True, tag="media"):
    """An image, a sound, a film or a document: by address, by a provider's file id, as plain text, or inline as Base64 `data` with its
    `mime`. `detail` is how closely to look; `cite`: the answer may cite it."""

    kind: MediaKind
    url: str = ""
    file_id: str = ""
    text: str = ""
    data: str = ""
    mime: str = ""
    name: str = ""
    detail: str = ""
    cite: bool = False
    cache: str = ""
    extra: bytes = b""
    by: str = ""


class Thinking(msgspec.Struct, frozen=True, omit_defaults=True, tag="thinking"):
    """A model's reasoning. `signature` (or `sealed`: reasoning the provider has encrypted) is valid only for the dialect named in
    `by`, and is never sent to another."""

    text: str = ""
    signature: str = ""
    sealed: str = ""
    id: str = ""
    by: str = ""


class ToolCall(msgspec.Struct, frozen=True, omit_defaults=True, tag="tool_call"):
    """A wish to call a tool; `arguments` is the JSON text as the model wrote it. `signature` belongs to the dialect `by`."""

    id: str
    name: str
    arguments: str = "{}"
    signature: str = ""
    by: str = ""
    cache: str = ""
    extra: bytes = b""


class ToolResult(msgspec.Struct, frozen=True, omit_defaults=True, tag="tool_result"):
    """What a tool gave back for the call `id`; `name` is the tool's, where it is known."""

    id: str
    parts: tuple[Text | Media, ...] = ()
    name: str = ""
    failed: bool = False
    cache: str = ""
    extra: bytes = b""
    by: str = ""


class Refusal(msgspec.Struct, frozen=True, omit_defaults=True, tag="refusal"):
    """A model's refusal, where the dialect marks it as one."""

    text: str


class Foreign(msgspec.Struct, frozen=True, omit_defaults=True, tag="foreign"):
    """A block that only the dialect `by` knows, as its own JSON; `kind` is its type there."""

    by: str
    kind: str
    raw: bytes


Part = Text | Media | Thinking | ToolCall | ToolResult | Refusal | Foreign


class Turn(msgspec.Struct, frozen=True, omit_defaults=True):
    """One turn. Tool results stand in a turn of role `tool`."""

    role: Role
    parts: tuple[Part, ...]
    name: str = ""


class ToolSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """A tool the model may call; `parameters` is its JSON Schema as JSON bytes."""

    name: str
    description: str = ""
    parameters: bytes = b'{"type":"object","properties":{}}'
    strict: bool | None = None
    cache: str = ""
    extra: bytes = b""
    by: str = ""


class ToolChoice(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whether tools must be called; `name` goes with `one`. `parallel` None: as the provider likes."""

    mode: Literal["auto", "none", "required", "one"] = "auto"
    name: str = ""
    parallel: bool | None = None


class Output(msgspec.Struct, frozen=True, omit_defaults=True):
    """The shape an answer must have; `schema` is JSON Schema as JSON bytes."""

    kind: Literal["text", "json_object", "json_schema"] = "text"
    schema: bytes = b""
    name: str = ""
    description: str = ""
    strict: bool | None = None


class Reasoning(msgspec.Struct, frozen=True, omit_defaults=True):
    """How much to think: by effort or by a budget in tokens (0: not at all); `show`: the client wants to see (a summary of) it."""

    effort: Effort = ""
    budget: int | None = None
    show: bool | None = None
    extra: bytes = b""
    by: str = ""


class Sampling(msgspec.Struct, frozen=True, omit_defaults=True):
    """How to draw tokens; None is the provider's default."""

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    n: int = 1
    logprobs: bool = False
    top_logprobs: int | None = None


class Conversation(msgspec.Struct, frozen=True, omit_defaults=True):
    """A request whole. `foreign_tools` are tools that the provider itself runs; `extra` holds the top-level fields that have no neutral
    meaning, as the client sent them: they return to dialect `by` alone. `previous` is a response id that the upstream holds."""

    by: str
    turns: tuple[Turn, ...]
    tools: tuple[ToolSpec, ...] = ()
    foreign_tools: tuple[Foreign, ...] = ()
    tool_choice: ToolChoice = ToolChoice()
    output: Output = Output()
    reasoning: Reasoning = Reasoning()
    sampling: Sampling = Sampling()
    stream: bool = False
    user: str = ""
    metadata: Mapping[str, str] = {}
    previous: str = ""
    extra: Mapping[str, bytes] = {}


class Rendered(msgspec.Struct, frozen=True):
    """A body in a target's dialect, and the names of what it could not carry (`top_k`, `thinking.signature`, `cache`, …), each once."""

    body: bytes
    dropped: tuple[str, ...] = ()
