"""What the answer's headers say about the decision behind it. Only what is known is said."""

from __future__ import annotations

import math

from tierline.gateway.answered import Answered
from tierline.gateway.downstream import Opening
from tierline.gateway.gateway import Gateway
from tierline.routing.explain import short
from tierline.server.errors import WrongMethod
from tierline.types.decision import Decision
from tierline.types.errors import RequestError

Headers = list[tuple[str, str]]

JSON = ("content-type", "application/json")
ESTIMATE = ("x-tierline-estimated", "input_tokens")
"""Said where a count is Tierline's own estimate."""
FLAGGED = ("x-tierline-flagged", "1")
"""Said where the answer is the best there was, although its validators did not accept it."""
EVENTS = ("content-type", "text/event-stream; charset=utf-8")


def of_answer(gateway: Gateway, answered: Answered) -> Headers:
    """The headers of a whole answer, or of an error that came after the decision."""
    result = answered.result
    headers = [
        *_of_decision(gateway, answered.decision, result.model or answered.decision.target, answered.found.by),
        ("x-tierline-attempts", str(len(result.attempts))),
        ("x-tierline-cost", f"{answered.cost:.8f}"),
        ("x-tierline-overhead-ms", f"{answered.overhead * 1000:.3f}"),
    ]
    if result.outcome is not None and result.outcome.answer is not None and result.outcome.answer.dropped:
        headers.append(_dropped(result.outcome.answer.dropped))
    if result.flagged:
        headers.append(FLAGGED)
    if answered.explained:
        headers.append(("x-tierline-explanation", plain(answered.explained, 4000)))
    return headers


def of_opening(gateway: Gateway, opening: Opening, content: tuple[str, str] = EVENTS) -> Headers:
    """The headers of a stream: what is known when it commits. Its cost is known only where it was held for its checks."""
    headers = [content, ("cache-control", "no-cache"), *_of_decision(gateway, opening.decision, opening.model, opening.answered)]
    headers.append(("x-tierline-attempts", str(opening.attempts)))
    headers.append(("x-tierline-overhead-ms", f"{opening.overhead * 1000:.3f}"))
    if opening.cost is not None:
        headers.append(("x-tierline-cost", f"{opening.cost:.8f}"))
    if opening.flagged:
        headers.append(FLAGGED)
    if opening.dropped:
        headers.append(_dropped(opening.dropped))
    if opening.explained:
        headers.append(("x-tierline-explanation", plain(opening.explained, 4000)))
    return headers


def _dropped(names: tuple[str, ...]) -> tuple[str, str]:
    """What of the request the model's dialect could not carry."""
    return ("x-tierline-dropped", plain(", ".join(names), 1000))


def _of_decision(gateway: Gateway, decision: Decision, model: str, tool: str) -> Headers:
    gateway = gateway.at(decision)
    if tool:
        said = _of_names(gateway, decision.route, decision.task, "")
        why = ("x-tierline-why", plain(f"answered by {tool}; no model was asked"))
        told = ("x-tierline-answered", plain(tool))
        return [("x-tierline-decision", decision.request_id), why, ("x-tierline-model", ""), told, *said]
    named = (decision.route, decision.task, model)
    known = gateway.said.get(named)
    if known is None:
        known = gateway.said[named] = _of_names(gateway, *named)
    headers = [("x-tierline-decision", decision.request_id), ("x-tierline-why", plain(short(decision))), *known]
    return [*headers, ("x-tierline-arm", plain(decision.arm))] if decision.arm else headers


def _of_names(gateway: Gateway, route: str, task: str, model: str) -> Headers:
    """What follows from names of the spec alone: made once for each combination that occurs."""
    headers = [("x-tierline-route", plain(route)), ("x-tierline-policy", gateway.loaded.fingerprint)]
    if task:
        headers.append(("x-tierline-task", plain(task)))
    if model:
        headers.append(("x-tierline-model", plain(model)))
        headers.append(("x-tierline-tier", plain(gateway.lanes[model].model.tier)))
    return headers


def plain(text: str, most: int = 200) -> str:
    """Fit for a header: visible ASCII and spaces, everything else as `?`, at most so many characters."""
    if text.isascii() and text.isprintable() and len(text) <= most:
        return text
    return "".join([char if " " <= char <= "~" else "?" for char in text[:most]])


def of_error(error: RequestError) -> Headers:
    """`retry-after` in whole seconds where the error says when to come back, and the scheme where a key is missing."""
    headers: Headers = []
    if error.retry_after is not None:
        headers.append(("retry-after", str(max(math.ceil(error.retry_after), 1))))
    if isinstance(error, WrongMethod):
        headers.append(("allow", ", ".join(error.allowed)))
    if error.status == 401:
        headers.append(("www-authenticate", "Bearer"))
    return headers
