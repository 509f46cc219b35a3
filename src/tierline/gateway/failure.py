"""What a client is told when nothing answered: one error for the whole course, with the class of every attempt's failure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tierline.routing.refusal import refuse
from tierline.types.decision import Attempt, Decision
from tierline.types.errors import CannotTranslate, ClientClosed, DeadlineExceeded, RequestError, UpstreamFailed
from tierline.types.outcome import Outcome, Result

_THE_CLIENTS_OWN = frozenset({"bad_request", "context_exceeded", "content_filter"})
_STATUS: tuple[tuple[frozenset[str], int], ...] = (
    (frozenset({"rate_limited"}), 429),
    (frozenset({"rate_limited", "overloaded"}), 503),
    (frozenset({"timeout", "idle"}), 504),
)
"""Where nothing but these befell a request, its client is told so: the first that holds all of them counts."""
_TOGETHER = frozenset({"branch", "hedge"})
DEFAULT_RETRY_AFTER = 1.0
_TIMERS_DIFFER = 0.02
"""Seconds by which the timer of an attempt and the sum of its course's times may differ."""


def error_of(decision: Decision, result: Result, spent: float = 0.0) -> RequestError | None:
    """None when the request was answered in full. `spent` seconds were gone before the first attempt."""
    if result.stopped == "cancelled":
        return ClientClosed("the request was cancelled before its answer was complete")
    if result.truncated:
        return UpstreamFailed(f"{_last(result)}; what came before stands, but the answer is not complete", code="upstream_cut")
    if result.winner is not None:
        return None
    if not decision.steps:
        return refuse(decision)
    if result.stopped == "deadline" or _lasted(result) + spent >= decision.deadline - _TIMERS_DIFFER:
        tried = _tried(result) or "no attempt could start"
        return DeadlineExceeded(f"nothing answered within the deadline of {decision.deadline:g} s: {tried}")
    return _all_failed(result)


def _all_failed(result: Result) -> RequestError:
    outcomes = [outcome for _, outcome in _failures(result)]
    blamed = _the_clients_own(result, outcomes)
    if blamed is not None:
        body = b"" if blamed.answer is None else blamed.answer.body
        return UpstreamFailed(
            f"the upstream refused the request: {blamed.detail}", status=blamed.status or 400, code=blamed.error, body=body
        )
    kinds = {outcome.error for outcome in outcomes}
    if kinds == {"untranslatable"}:
        said = {outcome.detail for outcome in outcomes}
        return CannotTranslate(outcomes[-1].detail if len(said) == 1 else f"no model could be asked: {_tried(result)}")
    status = next((status for alone, status in _STATUS if kinds and kinds <= alone), 502)
    return UpstreamFailed(f"no model answered: {_tried(result)}", status=status, retry_after=_retry_after(status, outcomes))


def _the_clients_own(result: Result, outcomes: Sequence[Outcome]) -> Outcome | None:
    """The failure that is the client's to mend: one that ended the course, or the last of all."""
    if result.stopped == "bad_request":
        return next((outcome for outcome in reversed(outcomes) if outcome.error == "bad_request"), None)
    return outcomes[-1] if outcomes and outcomes[-1].error in _THE_CLIENTS_OWN else None


def _failures(result: Result) -> list[tuple[Attempt, Outcome]]:
    """The attempts that failed by themselves."""
    return [(attempt, outcome) for attempt, outcome in result.attempts if not outcome.ok and outcome.error != "outraced"]


def _lasted(result: Result) -> float:
    """Seconds that the course took: of attempts that ran together the longest counts."""
    total = longest = 0.0
    for attempt, outcome in result.attempts:
        if attempt.cause in _TOGETHER:
            longest = max(longest, outcome.elapsed)
            continue
        total += longest + attempt.wait
        longest = outcome.elapsed
    return total + longest


def _retry_after(status: int, outcomes: Sequence[Outcome]) -> float | None:
    """The shortest wish of any upstream, for the statuses that carry one."""
    if status not in {429, 503}:
        return None
    return min((outcome.retry_after for outcome in outcomes if outcome.retry_after is not None), default=DEFAULT_RETRY_AFTER)


def _tried(result: Result) -> str:
    """Who was asked and how each failed; what befell one several times is said once."""
    times = Counter(f"{attempt.target}: {_why(outcome)}" for attempt, outcome in _failures(result))
    return "; ".join(said if count == 1 else f"{said} ({count} times)" for said, count in times.items())


def _last(result: Result) -> str:
    attempt, outcome = result.attempts[-1 if result.winner is None else result.winner]
    return f"{attempt.target}: {outcome.detail}"


def _why(outcome: Outcome) -> str:
    """A refused key is the gateway's own affair: what the upstream says of it may quote the key."""
    status = f" ({outcome.status})" if outcome.status else ""
    detail = "" if outcome.error == "auth" else outcome.detail.removeprefix(f"status {outcome.status}").lstrip(",: ")
    return f"{outcome.error}{status}{': ' + detail if detail else ''}"
