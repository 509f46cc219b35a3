"""An upstream that says back what it was told, in any of four formats, its streams cut to pieces; every byte it gets is kept.

The model's name says how it behaves: `echo-3` sends pieces of three characters, `status-500` fails, `quoting-400` quotes the request in
its error, `cut` breaks off, `filters` refuses by content policy.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from typing import Any

import msgspec

from server.loopback import Loopback
from tierline import plugins
from tierline.dialects.events import events_of
from tierline.types.completion import Completion, CompletionChoice
from tierline.types.conversation import Text, ToolCall
from tierline.types.outcome import Usage
from tierline.types.request import Message, Request, ToolResult
from tierline.types.request import Text as Words

DIALECTS = {name: plugins.find("dialects", name)() for name in plugins.names("dialects")}
_MARKS = (
    ("/chat/completions", "openai_chat"),
    ("/embeddings", "openai_chat"),
    ("/responses", "openai_responses"),
    ("/messages", "anthropic_messages"),
    ("/models/", "gemini"),
)


def words(messages: tuple[Message, ...]) -> str:
    """Everything said in a conversation."""
    parts = [part for message in messages for part in message.parts]
    return "\n".join(part.text for part in parts if isinstance(part, Words | ToolResult))


class Echo(Loopback):
    """`heard` keeps (path, the whole head, the raw body) of every call."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[tuple[str, bytes, bytes]] = []

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                path = head.split(b" ", 2)[1].decode()
                length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
                body = await reader.readexactly(int(length[1]) if length else 0)
                self.heard.append((path, head, body))
                await self._answer(path, body, writer)
        writer.close()

    async def _answer(self, path: str, body: bytes, writer: asyncio.StreamWriter) -> None:
        name = next((name for mark, name in _MARKS if mark in path), "")
        if not name:
            return await _send(writer, 200, b'{"answer": null}')
        if path.endswith("/embeddings"):
            told = {"object": "list", "model": "v", "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}]}
            return await _send(writer, 200, json.dumps({**told, "usage": {"prompt_tokens": 1, "total_tokens": 1}}).encode())
        dialect = DIALECTS[name]
        asked: Request = dialect.parse(body)
        model = path.rpartition("/")[2].partition(":")[0] if name == "gemini" else asked.model
        streamed = asked.stream or "streamGenerateContent" in path
        said = words(asked.messages)
        if model.startswith("status-"):
            return await _send(writer, int(model.removeprefix("status-")), b'{"error": {"message": "as asked", "type": "x"}}')
        if model in ("quoting-400", "filters"):
            code = "content_filter" if model == "filters" else "invalid_value"
            return await _send(writer, 400, json.dumps({"error": {"message": f"cannot take {said!r}", "type": "x", "code": code}}).encode())
        return await self._say(model, said, dialect, asked, writer, streamed=streamed)

    async def _say(self, model: str, said: str, dialect: Any, asked: Request, writer: asyncio.StreamWriter, *, streamed: bool) -> None:
        part: Any = Text(f"You said: {said}")
        if asked.tools:
            part = ToolCall("call_1", asked.tools[0].name, json.dumps({"said": said}))
        answer = Completion(
            dialect.name, "up-1", model, (CompletionChoice((part,), "tool_calls" if asked.tools else "stop"),), Usage(input=11, output=7), 1
        )
        asked = msgspec.structs.replace(asked, model=model, stream=streamed)
        if not streamed:
            return await _send(writer, 200, dialect.render_completion(answer, asked))
        encoder = dialect.encoder(asked)
        size = int(model.rpartition("-")[2]) if model[-1].isdigit() else 3
        stream = b"".join(encoder.encode(event) for event in events_of(answer, size))
        if model == "cut":
            stream = stream[: len(stream) // 2]
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        for at in range(0, len(stream), 97):
            piece = stream[at : at + 97]
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await writer.drain()
        if model == "cut":
            raise ConnectionError
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return None


async def _send(writer: asyncio.StreamWriter, status: int, body: bytes) -> None:
    head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()
