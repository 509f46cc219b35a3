"""The response object that a client gets: what was asked, said back, and what was answered."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from tierline.types.completion import Finish
from tierline.types.outcome import NO_USAGE, Usage
from tierline.types.request import Request

_UNFIT = re.compile(r"[^A-Za-z0-9_-]")
_PREFIX = re.compile(r"^(?:resp|msg|chatcmpl|cmpl|gen)[-_]")
_ECHOED: Mapping[str, Any] = {
    "background": False,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "reasoning": {"effort": None, "summary": None},
    "safety_identifier": None,
    "temperature": None,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": None,
    "top_p": None,
    "truncation": "disabled",
    "user": None,
}
"""What a response says back of its request, with what stands there when the client said nothing."""
_INCOMPLETE: Mapping[Finish, str] = {"length": "max_output_tokens", "content_filter": "content_filter"}


def suffix_of(id: str, request: Request) -> str:
    """What the ids of one response and its items have in common: the upstream's own id without its prefix, or the request's."""
    return _PREFIX.sub("", _UNFIT.sub("", id)) or _UNFIT.sub("", request.id) or "0"


def begun(suffix: str, created: int, request: Request) -> dict[str, Any]:
    """A response in progress. `store` is false: what was translated is held nowhere."""
    echoed = {name: _given(request.raw.get(name), default) for name, default in _ECHOED.items()}
    return {
        "id": f"resp_{suffix}",
        "object": "response",
        "created_at": created,
        "status": "in_progress",
        "error": None,
        "incomplete_details": None,
        "model": request.model,
        "output": [],
        **echoed,
        "store": False,
        "usage": None,
    }


def ended(response: dict[str, Any], output: list[Any], finish: Finish, refused: bool, usage: Usage | None) -> dict[str, Any]:
    """The response once it is complete; `refused`: it says so in a refusal of its own. A refusal without words counts as filtered."""
    reason = "content_filter" if finish == "refusal" and not refused else _INCOMPLETE.get(finish)
    status = "failed" if finish == "error" else "incomplete" if reason else "completed"
    told = {"status": status, "output": output, "usage": _usage(usage)}
    if reason:
        told["incomplete_details"] = {"reason": reason}
    if finish == "error":
        told["error"] = {"code": "server_error", "message": "the upstream broke off with an error"}
    return {**response, **told}


def failed(response: dict[str, Any], output: list[Any], code: str, message: str) -> dict[str, Any]:
    """The response once it has failed."""
    return {**response, "status": "failed", "output": output, "error": {"code": code, "message": message}}


def _given(raw: msgspec.Raw | None, default: Any) -> Any:
    return default if raw is None or bytes(raw) == b"null" else raw


def _usage(usage: Usage | None) -> dict[str, Any] | None:
    if usage is None or usage == NO_USAGE:
        return None
    return {
        "input_tokens": usage.input,
        "input_tokens_details": {"cached_tokens": usage.cached, "cache_write_tokens": usage.cache_written},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.input + usage.output,
    }
