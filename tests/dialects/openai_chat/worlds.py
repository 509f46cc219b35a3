"""What the tests of this dialect's neutral side share: models, requests and golden data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from tierline.dialects.openai_chat import OpenAIChat
from tierline.types.catalog import Model
from tierline.types.completion import Event
from tierline.types.request import Request

DIALECT = OpenAIChat()
CASES = Path(__file__).parent.parent / "cases" / "openai_chat_neutral"
GPT = Model("mini", "fast", "openai", "gpt-5-mini")
QWEN = Model("qwen", "fast", "inhouse", "qwen3-32b")


def case(name: str, file: str) -> Any:
    return json.loads((CASES / name / file).read_bytes())


def named(*prefixes: str) -> list[str]:
    return sorted(folder.name for folder in CASES.iterdir() if folder.name.startswith(prefixes))


def parsed(**fields: Any) -> Request:
    """A client's request, `Hi` unless it says something else."""
    return DIALECT.parse(json.dumps({"model": "auto", "messages": [{"role": "user", "content": "Hi"}], **fields}).encode())


def shown(value: Any) -> Any:
    """A struct as plain data, bytes as texts marked `json:`."""
    return _marked(msgspec.to_builtins(value, builtin_types=(bytes,)))


def struct(kind: Any, plain: Any) -> Any:
    """What `shown` made plain, as a struct again."""
    return msgspec.convert(_unmarked(plain), kind, builtin_types=(bytes,))


def decoded(stream: bytes) -> list[Event]:
    decoder = DIALECT.decoder()
    return [*decoder.feed(stream), *decoder.finished()]


def encoded(request: Request, events: list[Event]) -> bytes:
    encoder = DIALECT.encoder(request)
    return b"".join([encoder.encode(event) for event in events])


def chunks(stream: bytes) -> list[Any]:
    """The JSON of every event but the last, `[DONE]`."""
    data = [line.removeprefix(b"data: ") for line in stream.splitlines() if line.startswith(b"data: ")]
    return [json.loads(piece) for piece in data if piece != b"[DONE]"]


def _marked(value: Any) -> Any:
    if isinstance(value, bytes):
        return "json:" + json.dumps(json.loads(value), ensure_ascii=False) if value else "json:"
    if isinstance(value, dict):
        return {key: _marked(inner) for key, inner in value.items()}
    return [_marked(inner) for inner in value] if isinstance(value, list | tuple) else value


def _unmarked(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("json:"):
        return value[5:].encode()
    if isinstance(value, dict):
        return {key: _unmarked(inner) for key, inner in value.items()}
    return [_unmarked(inner) for inner in value] if isinstance(value, list) else value
