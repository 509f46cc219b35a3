"""What every finding of every validator must be, whatever stands in the answer and whatever a model replies."""

from __future__ import annotations

from collections.abc import Iterator
from types import GeneratorType

from tierline.interfaces import Validator
from tierline.testing.exchanges import exchange
from tierline.testing.laws import law
from tierline.types.ask import Ask, Exchange, Told
from tierline.types.conversation import Foreign, Refusal, ToolCall
from tierline.types.outcome import Finding

MOST_ASKS = 8
ODD_REPLIES = ("", "\x00", "{", "null", '{"score": "high"}', '{"score": 1e999}', "[" * 5000, "yes " * 2000)
_CANARY = "zanzibar quokka marzipan"
"""Words that no validator would say of itself."""


def of(validator: Validator, exchange: Exchange, reply: str = "", ok: bool = True) -> Finding:
    """What a validator finds when every model it asks says `reply`, or (`ok` false) nothing."""
    found = validator.check(exchange)
    if isinstance(found, Finding):
        return found
    law(validator.asks, "a validator that asks says so")
    law(isinstance(found, GeneratorType), "a validator finds something at once or asks")
    try:
        asked = next(found)
        for _ in range(MOST_ASKS):
            law(isinstance(asked, Ask), "what it yields is a question")
            law(asked.same or asked.prompt != "", "a question has words, or is the client's own")
            asked = found.send(Told(ok, reply if ok else "", detail="" if ok else "timeout"))
    except StopIteration as done:
        law(isinstance(done.value, Finding), "it returns what it finds")
        result: Finding = done.value
        return result
    raise AssertionError(f"this law does not hold: a validator asks at most {MOST_ASKS} times")


def check(validator: Validator, exchange: Exchange, reply: str) -> None:
    """The laws of one finding."""
    found = of(validator, exchange, reply)
    law(of(validator, exchange, reply) == found, "the same exchange gives the same finding")
    law(found.score is None or 0 <= found.score <= 1, "a score is in [0, 1]")
    law(len(found.detail) <= 300, "a detail is short")
    law(_CANARY not in f"{found.detail}", "a detail quotes neither prompt nor answer")
    law(found.replacement is None or found.passed, "only an answer that passes is replaced")
    law(isinstance(of(validator, exchange, ok=False), Finding), "it copes with a model that does not answer")


def odd() -> Iterator[Exchange]:
    """Exchanges that come seldom, with words in them that must not be quoted."""
    for words in ("", "\x00", "\ud800", _CANARY, f'{{"{_CANARY}": ["{_CANARY}"]}}', f"```json\n{{{_CANARY}\n```", "[" * 20_000, "```" * 50):
        yield exchange(words, _CANARY)
    yield exchange(parts=(), finish="error")
    yield exchange(parts=(Refusal(_CANARY),), finish="refusal")
    yield exchange(parts=(ToolCall("1", _CANARY, f'{{"{_CANARY}": 1}}'),), finish="tool_calls")
    yield exchange(parts=(ToolCall("1", "", "{"), Foreign("openai_chat", _CANARY, b"{}")), finish="tool_calls")
    yield exchange(_CANARY, (), finish="content_filter")
    yield exchange("1" * 50_000, logprobs=b'{"content": [{"logprob": -1e999}]}')
