"""A fleet without a network: models with a declared ability that answer prompts of a known difficulty, fast or slow, and fail on cue.

It speaks the dialect `openai_chat`, whole and streamed, and is deterministic: the same script, prompt and request id give the same
bytes. No clock, no dice; time passes only through the `sleep` it is given.

    script:
      seed: 7
      latency: real                   # or none: nothing waits
      time_scale: 1.0                 # 0.1: ten times as fast
      difficulty: {"prove that": 0.9, "what is": 0.1}      # the hardest marker found in the prompt counts
      answers: {"capital of France": "Paris"}              # what a right answer says; else four digits that follow from the prompt
      models:                         # by upstream name; with no `models` at all every name answers with the defaults
        mini: {ability: 0.55, noise: 0.1, ttft: 120ms, tokens_per_second: 150, jitter: 0.2, output: 120,
               fail: {rate: 0.02, kind: server, retry_after: 2s, from: 10, to: 20}}

*Prompt*: the last user message. *Difficulty*, in [0, 1): its hardest marker, else a stable hash of the prompt. *Right*: where ability
plus noise (uniform in ± `noise`, drawn from seed, model, prompt and request id) is at least the difficulty. A right answer closes with
`Answer: <expected>`, a wrong one has another value in its place; `Script.was_right(prompt, text)` tells them apart.

*Tools*: where tools are given and the last message is not a tool's, the model calls the first (or the named) one. *JSON*: where
`response_format` asks, the answer is an object after the schema (`{"answer": …}` without one). Arguments and objects hold the expected
value in their first text property; a wrong answer holds another and, for every second prompt, lacks its last required property.

*Failures*: `kind` is connect, timeout, server, overloaded, rate_limited, auth, not_found, bad_request, context_exceeded, content_filter,
malformed, idle (a stream that falls silent before its first content; else a time-out) or cut (half an answer). A failure strikes calls
number `from` to `to` of that model (counted from 1, both included) at `rate`, drawn from seed, model and request id: a request that failed
there fails there again. Several failures may be listed; the first that strikes counts. *Embeddings*: 16 dimensions (or `dimensions`) that
follow from the text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from tierline.config.units import Duration
from tierline.types.errors import TierlineError

FailKind = Literal[
    "connect",
    "timeout",
    "server",
    "overloaded",
    "rate_limited",
    "auth",
    "not_found",
    "bad_request",
    "context_exceeded",
    "content_filter",
    "malformed",
    "idle",
    "cut",
]


class Fail(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"first": "from", "last": "to"}):
    """When and how a model fails: calls number `first` to `last` (none: for ever), at `rate`."""

    kind: FailKind = "server"
    rate: float = 1.0
    retry_after: Duration | None = None
    first: int = 1
    last: int | None = None


class Behaviour(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One model: `ability` in [0, 1], `ttft` in seconds, `output` in tokens."""

    ability: float = 0.7
    noise: float = 0.1
    ttft: Duration = Duration(0.2)
    tokens_per_second: float = 100.0
    jitter: float = 0.0
    output: int = 60
    fail: Fail | list[Fail] = []

    @property
    def failures(self) -> list[Fail]:
        """Every failure, in the order in which they are tried."""
        return self.fail if isinstance(self.fail, list) else [self.fail]


class Script(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole fleet; the module's docstring says what each key means."""

    seed: int = 0
    latency: Literal["real", "none"] = "real"
    time_scale: float = 1.0
    difficulty: dict[str, float] = {}
    answers: dict[str, str] = {}
    models: dict[str, Behaviour] = {}

    @classmethod
    def of(cls, given: Mapping[str, Any], where: str = "script") -> Script:
        """The script as written in the spec; raises TierlineError naming the key at fault."""
        try:
            return msgspec.convert(dict(given), cls, dec_hook=_decode)
        except msgspec.ValidationError as fault:
            raise TierlineError(f"{where}: {fault}") from None

    def difficulty_of(self, prompt: str) -> float:
        """In [0, 1]: the hardest marker in the prompt, else a stable hash of it."""
        marked = [value for marker, value in self.difficulty.items() if marker in prompt]
        return max(marked) if marked else draw(self.seed, "difficulty", prompt)

    def expected(self, prompt: str) -> str:
        """What a right answer to this prompt says."""
        for marker, answer in self.answers.items():
            if marker in prompt:
                return answer
        return f"{1000 + int(draw(self.seed, 'expected', prompt) * 9000)}"

    def was_right(self, prompt: str, text: str) -> bool:
        """Whether an answer (its text, JSON or tool arguments) says what is expected of this prompt."""
        expected = self.expected(prompt)
        try:
            return expected in _values(msgspec.json.decode(text))
        except msgspec.DecodeError:
            return text.rstrip().endswith(f"Answer: {expected}")

    def is_able(self, model: str, prompt: str, request_id: str) -> bool:
        """Whether this model answers this prompt rightly in this request."""
        behaviour = self.behaviour(model) or Behaviour()
        noise = (draw(self.seed, "noise", model, prompt, request_id) * 2 - 1) * behaviour.noise
        return behaviour.ability + noise >= self.difficulty_of(prompt)

    def behaviour(self, model: str) -> Behaviour | None:
        """How a model behaves; None for a model that the fleet does not have."""
        return self.models.get(model) if self.models else Behaviour()


def wrong(expected: str) -> str:
    """A plausible wrong answer: another number of as many digits, or another word."""
    if expected.isdecimal():
        return str(int(expected) + 1).zfill(len(expected))[-len(expected) :]
    return f"not {expected}"


def draw(*parts: object) -> float:
    """A number in [0, 1) that follows from the parts alone."""
    digest = hashlib.blake2b("\x1f".join(map(str, parts)).encode("utf-8", "replace"), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / 2**53


def _values(made: object) -> set[str]:
    """Every text and number inside a JSON value, as text."""
    if isinstance(made, dict):
        return set().union(*map(_values, made.values()))
    if isinstance(made, list):
        return set().union(*map(_values, made))
    return {str(made)}


def _decode(kind: type, value: object) -> object:
    if kind is Duration:
        return Duration.parse(value)
    raise NotImplementedError
