"""An upstream's whole body → answer and usage."""

from __future__ import annotations

import msgspec

from tierline.dialects import lenient
from tierline.dialects.openai_responses import errors
from tierline.dialects.openai_responses.wire import NOTHING, Content, Raw, WireResponse, WireUsage
from tierline.types.completion import Finish
from tierline.types.errors import ProviderFailure
from tierline.types.outcome import Answer, Usage


class _Said(msgspec.Struct):
    """An output item, as far as its words go."""

    type: str | None = None
    content: Raw = NOTHING


_response = msgspec.json.Decoder(WireResponse)
_usage = msgspec.json.Decoder(WireUsage | None)
_said = msgspec.json.Decoder(_Said)
_contents = msgspec.json.Decoder(list[Content])
_CALLS = frozenset({"function_call", "custom_tool_call"})
_INCOMPLETE: dict[str, Finish] = {"max_output_tokens": "length", "content_filter": "content_filter", "max_messages": "pause"}


def responses(body: bytes) -> tuple[Answer, Usage | None]:
    """A response; raises ProviderFailure: malformed, or the class of an error sent with status 200."""
    wire = decoded(body)
    said = [_said.decode(item) for item in wire.output or ()]
    contents = [part for item in said if item.type == "message" for part in _message(item.content)]
    text = "".join([part.text or part.refusal or "" for part in contents])
    refused = any(part.refusal for part in contents)
    finish = finish_of(wire, called=any(item.type in _CALLS for item in said), refused=refused)
    return Answer(dialect="openai_responses", body=body, text=text, finish=finish, served_model=wire.model or ""), usage(wire.usage)


def decoded(body: bytes) -> WireResponse:
    """A response that has not failed; raises ProviderFailure."""
    try:
        wire = lenient.decode(_response, body)
    except msgspec.ValidationError as fault:
        said = f"the upstream's answer has another shape than a response of OpenAI's: {fault}"
        raise errors.inside(body) or ProviderFailure("malformed", said) from None
    except RecursionError:
        raise ProviderFailure("malformed", "the upstream's answer is nested too deeply") from None
    except msgspec.DecodeError:
        shown = "an HTML page" if body[:200].lstrip().lower().startswith((b"<!doctype", b"<html")) else f"{len(body)} bytes"
        raise ProviderFailure("malformed", f"the upstream's answer is not JSON but {shown}") from None
    if bytes(wire.error) not in (b"", b"null"):
        raise errors.failure(wire.error)
    if wire.status in ("failed", "cancelled"):
        raise ProviderFailure("server", f"the upstream says the response has {wire.status}, and not why")
    if wire.output is None:
        raise ProviderFailure("malformed", "the upstream's answer has no output")
    return wire


def finish_of(wire: WireResponse, *, called: bool, refused: bool) -> Finish:
    """The neutral stop reason; `called`: there is a tool call in the output; `refused`: a refusal."""
    if wire.status == "incomplete":
        reason = wire.incomplete_details.reason if wire.incomplete_details is not None else None
        return _INCOMPLETE.get(reason or "", "length")
    if called:
        return "tool_calls"
    return "refusal" if refused else "stop"


def called(output: list[Raw]) -> bool:
    """Whether a tool is called in the output."""
    return any(_said.decode(item).type in _CALLS for item in output)


def usage(raw: Raw | bytes) -> Usage | None:
    """The upstream's own count; None where it sent none or one that cannot be read. Negative counts are read as zero."""
    if not bytes(raw):
        return None
    try:
        wire = _usage.decode(raw)
    except msgspec.DecodeError:
        return None
    if wire is None or (wire.input_tokens is None and wire.output_tokens is None):
        return None
    read, written = wire.input_tokens_details, wire.output_tokens_details
    return Usage(
        input=max(wire.input_tokens or 0, 0),
        output=max(wire.output_tokens or 0, 0),
        cached=max(read.cached_tokens or 0, 0) if read is not None else 0,
        cache_written=max(read.cache_write_tokens or 0, 0) if read is not None else 0,
        reasoning=max(written.reasoning_tokens or 0, 0) if written is not None else 0,
    )


def _message(raw: Raw) -> list[Content]:
    try:
        return _contents.decode(raw) if bytes(raw) not in (b"", b"null") else []
    except msgspec.DecodeError as fault:
        raise ProviderFailure("malformed", f"the upstream's message has another shape than OpenAI's: {fault}") from None
