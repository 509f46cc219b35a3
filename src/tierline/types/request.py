"""A call as a client made it, in the neutral form that every dialect parses to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from tierline.types.hints import Hints

Role = Literal["system", "user", "assistant", "tool"]
MediaKind = Literal["image", "audio", "document"]
Kind = Literal["chat", "embeddings"]


class Text(msgspec.Struct, frozen=True, gc=False, tag="text"):
    """Plain text inside a message."""

    text: str


class Media(msgspec.Struct, frozen=True, gc=False, tag="media"):
    """An image, a sound or a document, by address or inline; its bytes are never decoded here."""

    kind: MediaKind
    url: str = ""
    data: str = ""
    mime: str = ""


class ToolCall(msgspec.Struct, frozen=True, gc=False, tag="tool_call"):
    """An assistant's wish to call a tool; `arguments` is the JSON text as the model wrote it."""

    id: str
    name: str
    arguments: str


class ToolResult(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag="tool_result"):
    """What a tool gave back for the call named by `id`; `failed` where the client marks it as an error."""

    id: str
    text: str
    failed: bool = False


class Refusal(msgspec.Struct, frozen=True, gc=False, tag="refusal"):
    """A model's refusal, where the dialect marks it as one."""

    text: str


class Sealed(msgspec.Struct, frozen=True, gc=False, tag="sealed"):
    """Reasoning of an earlier answer that is signed or encrypted for the model that gave it; its words are not read."""


Part = Text | Media | ToolCall | ToolResult | Refusal | Sealed


class Message(msgspec.Struct, frozen=True, gc=False):
    """One turn of the conversation."""

    role: Role
    parts: tuple[Part, ...]


class Tool(msgspec.Struct, frozen=True, gc=False):
    """A tool the model may call; `parameters` is its JSON Schema as JSON bytes."""

    name: str
    description: str = ""
    parameters: bytes = b"{}"


class Params(msgspec.Struct, frozen=True, gc=False):
    """The sampling and shape parameters that routing looks at; all others travel untouched in `Request.raw`."""

    max_tokens: int | None = None
    response_format: Literal["text", "json_object", "json_schema"] = "text"
    reasoning: bool = False
    tool_choice: str = "auto"
    n: int = 1
    logprobs: bool = False


class Request(msgspec.Struct, frozen=True, gc=False):
    """One call, neutral. `raw` keeps the client's own top-level fields, each as the JSON bytes it sent, for lossless passthrough;
    `model` is the name the client used; `key` is the name of the API key (never its secret). `sensitivity` names the kinds that were
    found in its text as it stands, `redacted` those that were found and replaced by placeholders."""

    id: str
    dialect: str
    model: str
    messages: tuple[Message, ...] = ()
    kind: Kind = "chat"
    tools: tuple[Tool, ...] = ()
    params: Params = Params()
    stream: bool = False
    route: str = "auto"
    key: str = ""
    hints: Hints = Hints()
    inputs: tuple[str, ...] = ()
    raw: Mapping[str, Any] = {}
    sensitivity: tuple[str, ...] = ()
    redacted: tuple[str, ...] = ()
