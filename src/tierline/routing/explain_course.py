"""What came of a logged request, in sentences: who was asked, why the next one was, and who answered at what cost."""

from __future__ import annotations

from collections.abc import Iterator

from tierline.types.outcome import Verdict
from tierline.types.record import Record, Tried

_BECAUSE = {
    "fallback": "{} was asked in its place",
    "escalation": "The request climbed to {}, which",
    "retry": "{} was asked again",
    "hedge": "Since no answer had come, {} was asked as well",
    "branch": "{} was asked side by side with others",
}
"""Cause of an attempt → how it came about; every other cause is a first attempt."""

_STOPPED = {
    "deadline": "Its deadline ended it.",
    "max_cost": "Its cost cap ended it.",
    "max_attempts": "No more attempts were allowed.",
    "cancelled": "The client went away.",
}
"""Why it went no further; `bad_request` is told by the attempt itself."""


def told_after(record: Record) -> tuple[str, ...]:
    """The sentences of one row, in the order of its attempts. Empty where no model was asked."""
    return tuple(_course(record)) if record.tried else ()


def picked(record: Record, place: int) -> str | None:
    """Whom the choice among branches at this place of `tried` picked; None where nothing came of it."""
    ended_it = place == len(record.tried) - 1 and record.winner is not None and not record.flagged
    return record.model if ended_it else None


def _course(record: Record) -> Iterator[str]:
    for place, tried in enumerate(record.tried):
        yield _choice(record, place, tried) if tried.cause == "judge" else _attempt(tried)
    stopped = _STOPPED.get(record.stopped)
    if stopped:
        yield stopped
    yield _end(record)


def _attempt(tried: Tried) -> str:
    asked = _BECAUSE.get(tried.cause, "{} was asked first").format(tried.target)
    if tried.cause == "retry" and tried.wait:
        asked += f" after a wait of {tried.wait:.2f} s"
    asides = dict.fromkeys(f"{aside.target} was asked for {aside.purpose}" for aside in tried.asides)
    beside = f" ({', '.join(asides)})" if asides else ""
    joined = "" if asked.endswith("which") else " and"
    return f"{asked}{joined} {_came(tried)}{beside}."


def _came(tried: Tried) -> str:
    if tried.error == "outraced":
        return "was cancelled: another answered first"
    if not tried.ok:
        return f"failed: {tried.error}{f' (status {tried.status})' if tried.status else ''}"
    if not tried.verdicts:
        return "answered"
    failed = [verdict for verdict in tried.verdicts if not verdict.passed]
    return f"answered, but {' and '.join(map(_failed, failed))}" if failed else "answered, and every check passed"


def _failed(verdict: Verdict) -> str:
    return f"{verdict.validator} did not accept it" + (f": {verdict.detail}" if verdict.detail else "")


def _choice(record: Record, place: int, tried: Tried) -> str:
    who = f"{tried.target} compared the answers" if tried.target else "The answers were compared"
    choice = picked(record, place)
    error: str = tried.error or next((aside.error for aside in tried.asides if not aside.ok), "")
    if error and choice is None:
        return f"{tried.target} was to compare the answers and could not ({error}): none was chosen."
    return f"{who}, and {'none was chosen' if choice is None else f'that of {choice} was chosen'}."


def _end(record: Record) -> str:
    cost = f"the request cost ${record.cost:.6f}"
    if record.winner is None:
        heard = "" if record.stopped == "cancelled" else f", and the client was told {record.status}, {record.error}"
        return f"Nobody answered; {cost}{heard}."
    if record.truncated:
        return f"The answer of {record.model} broke off after its first words and was marked as cut; {cost}."
    if record.flagged:
        return f"The best there was, that of {record.model}, was given, flagged; {cost}."
    return f"{record.model} answered the client; {cost}."
