"""What an attempt's validators say of its answer.

Those that look for themselves go first, all of them; those that ask a model are paid for only when the others say yes, one after the other
until one says no.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

import msgspec

from tierline.gateway.translate import words_of
from tierline.interfaces import Examination, Validator
from tierline.types.ask import Ask, Exchange, Told
from tierline.types.completion import Completion, CompletionChoice
from tierline.types.conversation import Refusal, Text
from tierline.types.outcome import Finding, Outcome, Verdict

Asks = Callable[[Ask, str], Awaitable[Told]]
"""Makes the call that the validator of that name asks for."""


def trailer(outcome: Outcome, dialect: str) -> bytes:
    """What stands behind a stream that was passed on before its verdict, where the dialect's own clients pass over it and a person sees
    it: `: tierline {"accepted": false, "verdicts": [...]}`."""
    verdicts = [{"validator": verdict.validator, "passed": verdict.passed, "detail": verdict.detail} for verdict in outcome.verdicts]
    before, after = _BEHIND.get(dialect, _COMMENT)
    return before + msgspec.json.encode({"accepted": outcome.accepted, "verdicts": verdicts}) + after


_COMMENT = (b": tierline ", b"\n\n")
"""Every reader of server-sent events is to skip a comment; a named event would reach the users of OpenAI's and Anthropic's clients."""
_BEHIND = {"gemini": (b'data: {"tierline":', b"}\r\n\r\n")}
"""Google's client takes a comment for a broken answer; it passes over fields that it does not know."""


class Ruling(msgspec.Struct, frozen=True):
    """The verdicts in the order in which they were given, what they would tell the model, and the answer with its words replaced where a
    validator mended them (None: it stands as it is)."""

    verdicts: tuple[Verdict, ...]
    feedback: str = ""
    mended: Completion | None = None


async def ruling(names: Sequence[str], validators: Mapping[str, Validator], exchange: Exchange, ask: Asks) -> Ruling:
    """What the validators of those names say. One that fails at its own work, or that the spec no longer has, counts as not passed."""
    found: list[tuple[str, Finding]] = []
    mended = exchange
    asking: list[str] = []
    for name in names:
        finding = _checked(validators.get(name), mended)
        if isinstance(finding, Finding):
            found.append((name, finding))
            mended = _mended(mended, finding)
        else:
            asking.append(name)
    for name in asking:
        if not all(finding.passed for _, finding in found):
            break
        finding = await _examined(_checked(validators.get(name), mended), name, ask)
        found.append((name, finding))
        mended = _mended(mended, finding)
    return Ruling(
        tuple([Verdict(name, finding.passed, finding.detail, finding.score) for name, finding in found]),
        "\n".join(_feedback(found)),
        None if mended is exchange else mended.answer,
    )


def _checked(validator: Validator | None, exchange: Exchange) -> Finding | Examination:
    if validator is None:
        return Finding(passed=False, detail="the spec has no validator of this name any more")
    try:
        return validator.check(exchange)
    except Exception as error:
        return _failed(error)


async def _examined(examination: Finding | Examination, name: str, ask: Asks) -> Finding:
    """Drives a validator that asks, to its finding."""
    if isinstance(examination, Finding):
        return examination
    try:
        question = next(examination)
        while True:
            told = await ask(question, name)
            question = examination.send(told)
    except StopIteration as end:
        finding: Finding = end.value
        return finding
    except Exception as error:
        return _failed(error)
    finally:
        examination.close()


def _failed(error: Exception) -> Finding:
    """Its words are left out: they may quote the answer."""
    return Finding(passed=False, detail=f"the validator itself failed: {type(error).__name__}")


def _feedback(found: Sequence[tuple[str, Finding]]) -> Iterator[str]:
    for _, finding in found:
        if not finding.passed and finding.feedback:
            yield finding.feedback


def _mended(exchange: Exchange, finding: Finding) -> Exchange:
    """What later validators look at, and what the client is given: the words of the first choice replaced, all else as it was."""
    if not finding.passed or finding.replacement in (None, exchange.text) or not exchange.answer.choices:
        return exchange
    first, *others = exchange.answer.choices
    parts = list(first.parts)
    places = [at for at, part in enumerate(parts) if isinstance(part, Text | Refusal)]
    at = places[0] if places else len(parts)
    kept = [part for place, part in enumerate(parts) if place not in places]
    kept.insert(at, Text(finding.replacement or ""))
    choice = CompletionChoice(tuple(kept), first.finish, first.stop_sequence)
    answer = msgspec.structs.replace(exchange.answer, choices=(choice, *others))
    return msgspec.structs.replace(exchange, answer=answer, text=words_of(answer))
