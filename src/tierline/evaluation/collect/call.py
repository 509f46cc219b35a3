"""The seam between collecting and calling: who makes the calls is wired in from outside, for the evaluation knows no gateway."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal

import msgspec

from tierline.evaluation.collect.prompts import Prompt
from tierline.types.ask import Ask, Told
from tierline.types.catalog import Price
from tierline.types.outcome import NO_USAGE, Usage

Trouble = Literal["", "passing", "final", "model"]
"""What a failure means: it may pass (a rate limit, a time-out); it is final for this prompt (too long, refused); or nothing will come of
this model at all (sign-in refused)."""


class Called(msgspec.Struct, frozen=True):
    """What one call gave. `text` is the answer's words, `body` the whole of it in OpenAI's form; `cost` in USD, failed attempts included;
    `elapsed` and `retry_after` in seconds. `trouble` is empty where it answered; then `error` is a word and `detail` a sentence."""

    text: str = ""
    body: bytes = b""
    usage: Usage = NO_USAGE
    cost: float = 0.0
    elapsed: float = 0.0
    finish: str = "stop"
    trouble: Trouble = ""
    error: str = ""
    detail: str = ""
    retry_after: float | None = None


class Candidate(msgspec.Struct, frozen=True):
    """A model to run. `name` is the spec's; `fingerprint` follows from what decides its answers: upstream name, provider and `params`."""

    name: str
    fingerprint: str
    price: Price
    params: Mapping[str, Any] = {}


Call = Callable[[Candidate, Prompt], Awaitable[Called]]
"""Ask this model, and no other, this prompt. Never raises for what an upstream does."""

Asks = Callable[[Ask], Awaitable[Told]]
"""Ask a judge. Never raises for what an upstream does."""
