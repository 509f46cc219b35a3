"""What an upstream that speaks OpenAI's chat completions reads and says, for providers that answer without a network."""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

CREATED = 1_767_225_600
"""`created` of every answer: a fixed instant, for these providers know no clock."""


class _Part(msgspec.Struct, frozen=True):
    text: str | None = None


class _Message(msgspec.Struct, frozen=True):
    role: str = "user"
    content: str | list[_Part] | None = None


class _Function(msgspec.Struct, frozen=True):
    name: str = ""
    parameters: dict[str, Any] = {}


class _Tool(msgspec.Struct, frozen=True):
    function: _Function = _Function()


class _JsonSchema(msgspec.Struct, frozen=True):
    schema: dict[str, Any] = {}


class _Format(msgspec.Struct, frozen=True):
    type: str = "text"
    json_schema: _JsonSchema | None = None


class _StreamOptions(msgspec.Struct, frozen=True):
    include_usage: bool | None = None


class Asked(msgspec.Struct, frozen=True):
    """The fields of a request that these providers look at."""

    model: str = ""
    messages: list[_Message] = []
    tools: list[_Tool] | None = None
    tool_choice: Any = None
    response_format: _Format | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    n: int | None = None
    input: Any = None
    dimensions: int | None = None
    encoding_format: str | None = None

    @property
    def prompt(self) -> str:
        """The text of the last message from the user; empty when there is none."""
        for message in reversed(self.messages):
            if message.role == "user":
                return text_of(message)
        return ""

    @property
    def input_tokens(self) -> int:
        """A rough count: four characters a token, and four tokens for each message."""
        return sum(len(text_of(message)) // 4 + 4 for message in self.messages)

    @property
    def limit(self) -> int:
        """The most tokens of an answer; 0: no limit was set."""
        return max(self.max_completion_tokens or self.max_tokens or 0, 0)

    @property
    def calls_tool(self) -> bool:
        """Whether a tool is to be called: there are some, they are not forbidden, and none has just answered."""
        return bool(self.tools) and self.tool_choice != "none" and bool(self.messages) and self.messages[-1].role != "tool"

    @property
    def function(self) -> _Function:
        """The function to call: the one that the request names, else the first."""
        functions = [tool.function for tool in self.tools or ()]
        named = self.tool_choice.get("function", {}).get("name") if isinstance(self.tool_choice, dict) else None
        return next((function for function in functions if function.name == named), functions[0])

    @property
    def schema(self) -> dict[str, Any] | None:
        """The JSON Schema that the answer must follow: empty for any object, None for plain text."""
        if self.response_format is None or self.response_format.type == "text":
            return None
        return self.response_format.json_schema.schema if self.response_format.json_schema is not None else {}

    @property
    def wants_usage(self) -> bool:
        """Whether a stream is to end with its usage."""
        return self.stream_options is not None and self.stream_options.include_usage is True


class Said(msgspec.Struct, frozen=True):
    """What a model says to one request: words in pieces, or one tool call."""

    id: str
    model: str
    pieces: tuple[str, ...]
    input_tokens: int
    output_tokens: int
    tool: tuple[str, str] | None = None
    finish: str = "stop"
    n: int = 1

    @property
    def usage(self) -> dict[str, Any]:
        """The `usage` object."""
        return {
            "prompt_tokens": self.input_tokens,
            "completion_tokens": self.output_tokens,
            "total_tokens": self.input_tokens + self.output_tokens,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        }


def ask(body: bytes) -> Asked:
    """Reads a request body; raises msgspec.DecodeError when it is none."""
    return _asked.decode(body)


_asked = msgspec.json.Decoder(Asked)


def text_of(message: _Message) -> str:
    """The text of one message, its parts joined."""
    if isinstance(message.content, list):
        return "".join([part.text or "" for part in message.content])
    return message.content or ""


def whole(said: Said) -> bytes:
    """The body of a chat completion."""
    message: dict[str, Any] = {"role": "assistant", "content": "".join(said.pieces), "refusal": None}
    if said.tool is not None:
        message |= {"content": None, "tool_calls": [_tool_call(said)]}
    choices = [{"index": index, "message": message, "logprobs": None, "finish_reason": said.finish} for index in range(said.n)]
    return msgspec.json.encode(_head(said, "chat.completion") | {"choices": choices, "usage": said.usage})


def events(said: Said, *, usage: bool) -> list[bytes]:
    """The same as events of a stream: the role, the pieces, the stop reason, the usage if it is asked for, and the end."""
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": None if said.tool else "", "refusal": None}]
    if said.tool is not None:
        name, arguments = said.tool
        call = _tool_call(said)
        deltas.append({"tool_calls": [{"index": 0, **call, "function": {"name": name, "arguments": ""}}]})
        deltas.append({"tool_calls": [{"index": 0, "function": {"arguments": arguments}}]})
    deltas += [{"content": piece} for piece in said.pieces]
    sent = [_event(said, delta, index, None, usage) for delta in deltas for index in range(said.n)]
    sent += [_event(said, {}, index, said.finish, usage) for index in range(said.n)]
    if usage:
        sent.append(_sse(_head(said, "chat.completion.chunk") | {"choices": [], "usage": said.usage}))
    return [*sent, b"data: [DONE]\n\n"]


def error(message: str, kind: str, code: str | None = None, param: str | None = None) -> bytes:
    """An error body."""
    return msgspec.json.encode({"error": {"message": message, "type": kind, "param": param, "code": code}})


def embeddings(model: str, vectors: Iterable[Sequence[float]], tokens: int, encoding: str | None) -> bytes:
    """The body of an embeddings answer; `encoding` is `float` or `base64` (little-endian 32-bit floats)."""
    data = [
        {"object": "embedding", "index": index, "embedding": _packed(vector) if encoding == "base64" else vector}
        for index, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return msgspec.json.encode({"object": "list", "data": data, "model": model, "usage": usage})


def _packed(vector: Sequence[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def _head(said: Said, kind: str) -> dict[str, Any]:
    return {"id": said.id, "object": kind, "created": CREATED, "model": said.model, "system_fingerprint": None}


def _tool_call(said: Said) -> dict[str, Any]:
    name, arguments = said.tool or ("", "")
    return {"id": f"call_{said.id.removeprefix('chatcmpl-')}", "type": "function", "function": {"name": name, "arguments": arguments}}


def _event(said: Said, delta: dict[str, Any], index: int, finish: str | None, usage: bool) -> bytes:
    chunk = _head(said, "chat.completion.chunk")
    chunk["choices"] = [{"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}]
    if usage:
        chunk["usage"] = None
    return _sse(chunk)


def _sse(chunk: dict[str, Any]) -> bytes:
    return b"data: " + msgspec.json.encode(chunk) + b"\n\n"
