"""`logprobsResult` ↔ log probabilities in OpenAI's chat form."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

import msgspec

from tierline.dialects.gemini.wire import LogprobsResult, TokenLogprob


class _Token(msgspec.Struct):
    token: str = ""
    logprob: float = 0.0
    top_logprobs: list[_Token] = []


class _Logprobs(msgspec.Struct):
    content: list[_Token] | None = None


_logprobs = msgspec.json.Decoder(_Logprobs)


def read(wire: LogprobsResult) -> bytes:
    """`{"content": [...]}`; empty where nothing was told."""
    top = [places.candidates or [] for places in wire.top_candidates or ()]
    tokens = [
        {**_told(chosen), "top_logprobs": [_told(token) for token in likeliest]}
        for chosen, likeliest in zip_longest(wire.chosen_candidates or (), top, fillvalue=None)
        if chosen is not None and likeliest is not None
    ]
    return msgspec.json.encode({"content": tokens}) if tokens else b""


def written(logprobs: bytes) -> dict[str, Any]:
    """`logprobsResult`; empty for what is not in OpenAI's form."""
    try:
        tokens = _logprobs.decode(logprobs).content or []
    except (msgspec.DecodeError, RecursionError):
        return {}
    chosen = [_written(token) for token in tokens]
    top = [{"candidates": [_written(token) for token in token.top_logprobs]} for token in tokens]
    return {"chosenCandidates": chosen, **({"topCandidates": top} if any(token.top_logprobs for token in tokens) else {})}


def joined(pieces: Sequence[bytes]) -> bytes:
    """The log probabilities of a stream's events as those of the whole; one piece stays as it is."""
    if len(pieces) < 2:
        return b"".join(pieces)
    tokens: list[Any] = []
    for piece in pieces:
        tokens.extend(msgspec.json.decode(piece).get("content") or ())
    return msgspec.json.encode({"content": tokens})


def _told(token: TokenLogprob) -> dict[str, Any]:
    word = token.token or ""
    return {"token": word, "logprob": token.log_probability or 0.0, "bytes": list(word.encode(errors="replace"))}


def _written(token: _Token) -> dict[str, Any]:
    return {"token": token.token, "logProbability": token.logprob}
