"""An upstream with faults, on a raw socket of its own thread: the model's name in the body says how it behaves."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

from server.loopback import Loopback, request

USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}


def whole(model: str, text: str = "Hello there.", usage: dict[str, int] | None = USAGE) -> bytes:
    message = {"role": "assistant", "content": text, "x_unknown": {"kept": True}}
    body: dict[str, Any] = {"id": "c-1", "object": "chat.completion", "created": 1, "model": model}
    body |= {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    return json.dumps(body | ({"usage": usage} if usage else {})).encode()


def event(delta: dict[str, Any], finish: str | None = None) -> bytes:
    chunk = {"id": "c-1", "object": "chat.completion.chunk", "created": 1, "model": "up"}
    return b"data: " + json.dumps(chunk | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}).encode() + b"\n\n"


def usage_event() -> bytes:
    return (
        b"data: "
        + json.dumps({"id": "c-1", "object": "chat.completion.chunk", "model": "up", "choices": [], "usage": USAGE}).encode()
        + b"\n\n"
    )


class Upstream(Loopback):
    """`seen` counts requests by model; `bodies` keeps the last body of each; `gone` is set when a client of a slow model hangs up."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: Counter[str] = Counter()
        self.bodies: dict[str, dict[str, Any]] = {}
        self.headers: dict[str, str] = {}
        self.gone = threading.Event()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError), self._noting_who_leaves():
            while True:
                _, self.headers, body = await request(reader)
                self.seen[body["model"]] += 1
                self.bodies[body["model"]] = body
                if not await self._behave(body, reader, writer):
                    break
        writer.close()

    @contextlib.contextmanager
    def _noting_who_leaves(self) -> Iterator[None]:
        try:
            yield
        except ConnectionError:
            self.gone.set()

    async def _behave(self, body: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer as the model is named to; whether the connection stays open."""
        model = body["model"]
        if model == "hangup":
            return False
        if model == "silent":
            await self._until_gone(reader)
            return False
        if model == "garbage":
            return await self._send(writer, b"<html>not json</html>")
        if model == "no-usage":
            return await self._send(writer, whole(model, "x" * 40, usage=None))
        if model.startswith("status-"):
            status = int(model.removeprefix("status-"))
            error = {"error": {"message": "as asked", "type": "test", "param": "messages", "code": "asked"}}
            return await self._send(writer, json.dumps(error).encode(), status, "retry-after: 7\r\n" if status in {429, 503} else "")
        if body.get("stream"):
            return await self._stream(model, body, reader, writer)
        return await self._send(writer, whole(model))

    async def _stream(self, model: str, body: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        writer.write(_chunk(event({"role": "assistant", "content": ""})))
        await writer.drain()
        if model == "cut-early":
            return False
        for word in ("Hel", "lo ", "there."):
            writer.write(_chunk(event({"content": word})))
            await writer.drain()
            if model == "cut-late":
                return False
        if model == "slow-stream":
            await self._until_gone(reader)
            return False
        writer.write(_chunk(event({}, "stop")))
        if body.get("stream_options", {}).get("include_usage"):
            writer.write(_chunk(usage_event()))
        writer.write(_chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")
        await writer.drain()
        return True

    async def _until_gone(self, reader: asyncio.StreamReader) -> None:
        if not await reader.read(1):
            self.gone.set()

    async def _send(self, writer: asyncio.StreamWriter, body: bytes, status: int = 200, more: str = "") -> bool:
        head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{more}content-length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        return True


def _chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"
