"""Facts about one request. No prompt text ever stands here: features are logged for every request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from tierline.types.hints import NO_HINTS, Hints
from tierline.types.sensitivity import BUILT_IN, UNSCANNED

Operation = Literal["reasoning", "synthesis", "generation", "classification", "extraction", "embedding"]

CAPABILITIES = ("chat", "embeddings", "tools", "vision", "audio", "documents", "json_object", "json_schema", "reasoning", "logprobs")
"""Every word that may stand in `Model.capabilities` and `Features.needs`, in the order of their bits."""

SENSITIVITIES = ("pii", *BUILT_IN, UNSCANNED)
"""Kinds of sensitive content that a rule may ask for as `sensitivity.<kind>`; a client, a pattern of the spec and a detector may name
others."""


class Complexity(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """An additive difficulty estimate in [0, 1]: `score` is the clipped sum of the named `parts`."""

    score: float = 0.0
    parts: Mapping[str, float] = {}


class Features(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Facts about one request.

    `input_tokens` is an estimate of what the request holds, `output_tokens` of what an answer will take; `needs` are words of
    `CAPABILITIES`; `matches` weighs the hits of each task's `match` hints, `signals` counts those of each user-defined signal;
    `operations` names every kind of work seen, `operation` the leading one; `prompt_fingerprint` is a digest of the system prompt
    with its changing parts taken out; `session` is a digest of what holds its requests together (header, harness, or the start of the
    conversation); `tool_loop`: the model has asked for tools and is to go on with their results; `tool_failures` counts those
    results, at the end of the conversation, that are marked as failed; `sealed`: the conversation holds reasoning that is signed for
    one model; `draw` is a number in [0, 1) that depends on the request id alone; `key_models` (empty: all) and `key_task` are what a
    key that the spec does not know may reach, and the task of all its requests. `sensitivity` names what the client declares and what was
    found in the text as it goes on; `redacted` the kinds that were found and replaced by placeholders."""

    request_id: str
    route: str = "auto"
    key: str = ""
    team: str = ""
    dialect: str = ""
    hints: Hints = NO_HINTS
    operation: Operation = "generation"
    operations: tuple[str, ...] = ()
    input_tokens: int = 0
    output_tokens: int = 0
    needs: tuple[str, ...] = ("chat",)
    turns: int = 1
    questions: int = 0
    code: bool = False
    language: str = ""
    complexity: Complexity = Complexity()
    prompt_fingerprint: str = ""
    sensitivity: tuple[str, ...] = ()
    signals: Mapping[str, int] = {}
    matches: Mapping[str, int] = {}
    stream: bool = False
    draw: float = 0.0
    session: str = ""
    tool_loop: bool = False
    tool_failures: int = 0
    sealed: bool = False
    key_models: tuple[str, ...] = ()
    key_task: str = ""
    redacted: tuple[str, ...] = ()
