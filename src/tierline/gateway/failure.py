"""What a client is told when nothing answered: one error for the whole course, with the class of every attempt's failure."""

from __future__ import annotations

from collections.abc import Sequence

from tierline.routing.refusal import refuse
from tierline.types.decision import Decision
from tierline.types.errors import CannotTranslate, ClientClosed, DeadlineExceeded, RequestError, UpstreamFailed
from tierline.types.outcome import Outcome, Result

_THE_CLIENTS_OWN = frozenset({"bad_request", "context_exceeded", "content_filter"})
_STATUS = {"rate_limited": 429, "overloaded": 503, "timeout": 504}
DEFAULT_RETRY_AFTER = 1.0
_TIMERS_DIFFER = 0.02
"""Seconds by which the timer of an attempt and the sum of its course's times may differ."""


def error_of(decision: Decision, result: Result) -> RequestError | None:
    """None when the request was answered in full."""
    if result.stopped == "cancelled":
        return ClientClosed("the request was cancelled before its answer was complete")
    if result.truncated:
        return UpstreamFailed(f"{_last(result)}; what came before stands, but the answer is not complete", code="upstream_cut")
    if result.winner is not None:
        return None
    if not decision.steps:
        return refuse(decision)
    spent = sum(outcome.elapsed for _, outcome in result.attempts)
    if result.stopped == "deadline" or spent >= decision.deadline - _TIMERS_DIFFER:
        tried = _tried(result) or "no attempt could start"
        return DeadlineExceeded(f"nothing answered within the deadline of {decision.deadline:g} s: {tried}")
    return _all_failed(result)


def _all_failed(result: Result) -> RequestError:
    outcomes = [outcome for _, outcome in result.attempts]
    last = outcomes[-1]
    if last.error in _THE_CLIENTS_OWN:
        body = b"" if last.answer is None else last.answer.body
        return UpstreamFailed(f"the upstream refused the request: {last.detail}", status=last.status or 400, code=last.error, body=body)
    kinds = {outcome.error for outcome in outcomes}
    if kinds == {"untranslatable"}:
        said = {outcome.detail for outcome in outcomes}
        return CannotTranslate(last.detail if len(said) == 1 else f"no model could be asked: {_tried(result)}")
    status = _STATUS.get(kinds.pop(), 502) if len(kinds) == 1 else 502
    return UpstreamFailed(f"no model answered: {_tried(result)}", status=status, retry_after=_retry_after(status, outcomes))


def _retry_after(status: int, outcomes: Sequence[Outcome]) -> float | None:
    """The shortest wish of any upstream, for the statuses that carry one."""
    if status not in {429, 503}:
        return None
    return min((outcome.retry_after for outcome in outcomes if outcome.retry_after is not None), default=DEFAULT_RETRY_AFTER)


def _tried(result: Result) -> str:
    return "; ".join(f"{attempt.target}: {_why(outcome)}" for attempt, outcome in result.attempts)


def _last(result: Result) -> str:
    attempt, outcome = result.attempts[-1]
    return f"{attempt.target}: {outcome.detail}"


def _why(outcome: Outcome) -> str:
    status = f" ({outcome.status})" if outcome.status else ""
    return f"{outcome.error}{status}{': ' + outcome.detail if outcome.detail else ''}"
