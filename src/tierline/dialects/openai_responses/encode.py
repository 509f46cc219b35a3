"""Neutral events → a client's stream: every event has a number, and the last one carries the whole response."""

from __future__ import annotations

from typing import Any

import msgspec

from tierline.dialects.openai_responses import errors, response, tool_names
from tierline.dialects.openai_responses.output import Output
from tierline.types.completion import (
    Broken,
    Cited,
    Counted,
    Ended,
    Event,
    Finish,
    Finished,
    PartDelta,
    PartEnded,
    PartStarted,
    Ping,
    Signed,
    Started,
)
from tierline.types.outcome import Usage
from tierline.types.request import Request

_encode = msgspec.json.Encoder().encode
_PING = b": ping\n\n"


class ResponsesEncoder:
    """Writes one stream. What is said of each event goes out with it; an item's end with the event that follows it."""

    __slots__ = ("_finish", "_number", "_output", "_over", "_request", "_response", "_usage", "_written")

    def __init__(self, request: Request) -> None:
        self._request = request
        self._written: list[bytes] = []
        self._number = 0
        self._finish: Finish = "stop"
        self._usage: Usage | None = None
        self._over = False
        self._begin(Started())

    def encode(self, event: Event) -> bytes:
        """The bytes of one event, possibly none. This API has one choice; those of others are left out."""
        if self._over or getattr(event, "choice", 0) != 0:
            return b""
        self._take(event)
        written = b"".join(self._written)
        self._written.clear()
        return written

    def _take(self, event: Event) -> None:
        match event:
            case PartDelta():
                self._output.delta(event.text, event.logprobs)
            case PartStarted():
                self._output.begin(event.part)
            case PartEnded():
                self._output.end()
            case Signed():
                self._output.sign(event.signature)
            case Cited():
                self._output.cite(event.citation)
            case Started():
                self._begin(event)
                self._tell("response.created", {"response": self._response})
                self._tell("response.in_progress", {"response": self._response})
            case Finished():
                self._finish = event.finish
                self._output.close("incomplete" if event.finish == "length" else "completed")
            case Counted():
                self._usage = event.usage
            case Ping():
                self._written.append(_PING)
            case Ended():
                self._end()
            case Broken():
                self._break(event)

    def _begin(self, event: Started) -> None:
        suffix = response.suffix_of(event.id, self._request)
        self._response = response.begun(suffix, event.created, self._request)
        self._output = Output(self._tell, suffix, tool_names.table(self._request.raw.get("tools")))
        self._usage = event.usage

    def _end(self) -> None:
        ended = response.ended(self._response, self._output.items, self._finish, self._output.refused, self._usage)
        self._tell(f"response.{ended['status']}", {"response": ended})
        self._over = True

    def _break(self, event: Broken) -> None:
        """Both events that the API sends: clients listen to one or to the other."""
        code = errors.code_of(event.kind)
        told = errors.event("server_error", event.message, code, None, self._number)
        self._tell("error", {name: value for name, value in told.items() if name not in ("type", "sequence_number")})
        self._tell("response.failed", {"response": response.failed(self._response, self._output.items, code, event.message)})
        self._over = True

    def _tell(self, kind: str, fields: dict[str, Any]) -> None:
        data = _encode({"type": kind, "sequence_number": self._number, **fields})
        if b"\n" in data or b"\r" in data:  # only between the tokens of what was written elsewhere, as the client's own tools
            data = data.replace(b"\n", b" ").replace(b"\r", b" ")
        self._written.append(b"event: " + kind.encode() + b"\ndata: " + data + b"\n\n")
        self._number += 1
