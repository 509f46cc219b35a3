"""`confidence`: the model was sure of its answer, by its tokens' probabilities or by its own word."""

from __future__ import annotations

import math
from collections.abc import Generator

import msgspec

from tierline.config.answer_checks import ConfidenceCheck
from tierline.config.loaded import Loaded
from tierline.config.validation import Check
from tierline.interfaces import Examination
from tierline.types.ask import Ask, Exchange, Told
from tierline.types.outcome import Finding
from tierline.validators.calls import NOTHING_SAID, says_nothing
from tierline.validators.framing import GUARD, framed, question
from tierline.validators.json_text import values_in

_SCHEMA = msgspec.json.encode(
    {
        "type": "object",
        "properties": {"confidence": {"type": "integer", "minimum": 0, "maximum": 100}},
        "required": ["confidence"],
        "additionalProperties": False,
    }
)
_SYSTEM = (
    f'You say how likely an answer is to be right. {GUARD} Reply with JSON only: {{"confidence": a whole number from 0 (certainly wrong) '
    "to 100 (certainly right)}."
)


class Token(msgspec.Struct):
    """One token of an answer with the natural logarithm of its probability."""

    logprob: float


class Logprobs(msgspec.Struct):
    """Log-probabilities as a choice carries them."""

    content: list[Token] | None = None


_logprobs = msgspec.json.Decoder(Logprobs)


class Confidence:
    """See `ConfidenceCheck`."""

    def __init__(self, check: Check, loaded: Loaded) -> None:
        self.name = check.name
        self._settings = check.read(ConfidenceCheck)
        self.asks = self._settings.otherwise == "ask"

    def check(self, exchange: Exchange) -> Finding | Examination:
        """Measures the tokens where the answer has their probabilities."""
        settings = self._settings
        measured = token_confidence(exchange.answer.choices[0].logprobs, settings.measure) if exchange.answer.choices else None
        if measured is not None:
            return self._held_against(measured, f"{settings.measure} probability of its tokens")
        if says_nothing(exchange):
            return NOTHING_SAID
        if settings.otherwise == "ask":
            return self._ask(exchange)
        return Finding(settings.otherwise == "pass", "the answer tells no probabilities")

    def _ask(self, exchange: Exchange) -> Generator[Ask, Told, Finding]:
        prompt = "\n\n".join(
            (
                framed("REQUEST", question(exchange.request)),
                framed("ANSWER", exchange.text),
                "How likely is it that the ANSWER is right? Reply with the JSON only.",
            )
        )
        told = yield Ask(self._settings.model or exchange.model, prompt, _SYSTEM, max_tokens=50, schema=_SCHEMA)
        reported = reported_confidence(told.text) if told.ok else None
        if reported is None:
            return Finding(False, "no confidence was told")
        return self._held_against(reported, "confidence by its own word")

    def _held_against(self, value: float, what: str) -> Finding:
        said = f"{what} {value:.2f}, needs {self._settings.confidence:g}"
        passed = value >= self._settings.confidence
        return Finding(passed, said, value, feedback="" if passed else "You were not sure of this answer. Check it step by step.")


def token_confidence(logprobs: bytes, measure: str) -> float | None:
    """The geometric mean or the least of the tokens' probabilities; None where they are not told."""
    try:
        tokens = _logprobs.decode(logprobs).content if logprobs else None
    except (msgspec.DecodeError, RecursionError):
        return None
    if not tokens:
        return None
    values = [min(token.logprob, 0.0) for token in tokens]
    return math.exp(min(values) if measure == "min" else math.fsum(values) / len(values))


def reported_confidence(reply: str) -> float | None:
    """The confidence that a reply tells, in [0, 1]."""
    for value in values_in(reply):
        told = value.get("confidence") if isinstance(value, dict) else value
        if isinstance(told, int | float) and not isinstance(told, bool) and 0 <= told <= 100:
            return told / 100
    return None
