"""A decision in sentences that a product manager can read: what it was taken for, who stood, who fell and why, how close it
was, and the smallest change that would have flipped it.

Nothing here runs on the hot path but `short`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from tierline.routing.belief import Candidate
from tierline.routing.question import Question
from tierline.routing.refusal import fall
from tierline.routing.router import Router
from tierline.types.decision import Decision, Drop, Dropped, Reason, Why
from tierline.types.features import Complexity, Features
from tierline.types.scores import Scores
from tierline.types.view import View

_STEPS_OF_DIFFICULTY = 100


class Explanation(msgspec.Struct, frozen=True):
    """`short` fits a header; `sentences` tell the whole decision in order; `flips` are the smallest changes that would have
    sent the request elsewhere; `standing` is the table of who stood: model, believed pass rate, where that is from, USD a call."""

    short: str
    sentences: tuple[str, ...]
    flips: tuple[str, ...]
    standing: tuple[tuple[str, float, str, float], ...]


def explain(router: Router, features: Features, scores: Scores, view: View, decision: Decision) -> Explanation:
    """The whole story of one decision."""
    pool, question = router.consider(features, scores, view)
    names = [model.name for model in router.policy.fleet.models]
    sentences = [_request(features), *(_sentence(router, decision, reason) for reason in decision.reasons)]
    if pool and decision.steps:
        sentences.append(_stood(names, pool, question))
    sentences.extend(f"{dropped.model} was left out: {_fall(router, dropped)}." for dropped in decision.dropped)
    if decision.steps:
        sentences.append(_order(decision))
    if decision.margin is not None:
        sentences.append(f"The choice was {abs(decision.margin):.3f} away from its nearest boundary.")
    return Explanation(
        short(decision),
        tuple(sentences),
        tuple(_flips(router, features, scores, view, decision, pool, question)),
        tuple((names[c.index], round(c.quality, 4), c.source, c.cost) for c in pool),
    )


def short(decision: Decision) -> str:
    """The choice in a few words, for a header: the reason that decided and what it was taken for."""
    deciding = next((r for r in decision.reasons if r.why in _DECIDING), None)
    taken = decision.task or next((f"difficulty {r.value:.2f}" for r in decision.reasons if r.why == Why.DIFFICULTY), "named")
    if not decision.steps or deciding is None:
        return "nothing eligible"
    return f"{_DECIDING[deciding.why]}; {taken}"


_DECIDING = {
    Why.NAMED_MODEL: "the client named the model",
    Why.NAMED_TIER: "the client named the tier",
    Why.PINNED: "pinned by an operator",
    Why.RULE: "a rule of the route",
    Why.ONLY_ONE: "the only one that can serve",
    Why.CHEAPEST_ABOVE_BAR: "the cheapest above the bar",
    Why.NONE_ABOVE_BAR: "the best there is, none is above the bar",
    Why.STATIC: "the first of the list",
    Why.BY_DIFFICULTY: "the rung for its difficulty",
    Why.FASTEST: "the fastest above the bar",
    Why.BEST_WITHIN_BUDGET: "the best within the cost cap",
    Why.BEST_QUALITY: "the best quality",
    Why.WEIGHTED: "drawn by weight",
}


def _request(features: Features) -> str:
    kinds = " and ".join(features.operations) or features.operation
    more = [f"about {features.input_tokens:,} tokens in and {features.output_tokens:,} out"]
    if features.turns > 1:
        more.append(f"{features.turns} turns")
    if features.code:
        more.append("with code")
    if features.language:
        more.append(f"in {features.language!r}")
    needs = [need for need in features.needs if need != "chat"]
    if needs:
        more.append(f"needing {', '.join(needs)}")
    return f"The request asks for {kinds}: {', '.join(more)}."


def _fall(router: Router, dropped: Dropped) -> str:
    """Why a model fell; a governance rule with its own words."""
    rules = router.loaded.spec.governance.rules
    if dropped.why == Drop.GOVERNANCE and int(dropped.subject) < len(rules):
        return f"{fall(dropped)}: {rules[int(dropped.subject)].why}"
    return fall(dropped)


def _rule_why(router: Router, route: str, number: float | None) -> str:
    spec = router.loaded.spec.routes.get(route)
    at = int(number or 0)
    return spec.rules[at].why if spec is not None and at < len(spec.rules) else "the rule is no longer in the spec"


def _sentence(router: Router, decision: Decision, reason: Reason) -> str:
    """The sentence of one reason."""
    if reason.why in (Why.RULE, Why.TASK_RULE):
        why = _rule_why(router, decision.route, reason.value)
        does = f"sends it to {reason.subject}" if reason.why == Why.RULE else f"makes it the task {reason.subject!r}"
        return f"Rule {int(reason.value or 0) + 1} of route {decision.route!r} {does}: {why}."
    return _SENTENCES[reason.why](reason)


def _difficulty(reason: Reason) -> str:
    return f"No task was named; its difficulty is {reason.value:.2f} on a scale from 0 to 1."


def _number(value: float | None, form: str = ".2f") -> str:
    return "unknown" if value is None else format(value, form)


_SENTENCES: dict[Why, Callable[[Reason], str]] = {
    Why.NAMED_MODEL: lambda r: f"The client named the model {r.subject!r}, so nothing was routed.",
    Why.NAMED_TIER: lambda r: f"The client named the tier {r.subject!r}.",
    Why.PINNED: lambda r: f"An operator has pinned this route to {r.subject!r}.",
    Why.PIN_UNUSABLE: lambda _: "The pinned model cannot serve this request, so the pin was passed over.",
    Why.RULE_UNUSABLE: lambda _: "None of the rule's models can serve this request, so the rule was passed over.",
    Why.EXPLORED: lambda r: f"It was one of the {_number(r.value, '.1%')} sent one tier up to learn from: to {r.subject}.",
    Why.TASK_GIVEN: lambda r: f"Its task was given: {r.subject!r}.",
    Why.TASK_SCORED: lambda r: f"It was taken for the task {r.subject!r} with probability {_number(r.value)}.",
    Why.TASK_UNSURE: lambda r: (
        f"Its task is unclear (the likeliest is {r.subject!r} at {_number(r.value)}); what is unclear goes one tier up."
    ),
    Why.DIFFICULTY: _difficulty,
    Why.ONLY_ONE: lambda r: f"{r.subject} is the only model that can serve it.",
    Why.CHEAPEST_ABOVE_BAR: lambda r: (
        f"{r.subject} has the least expected cost of those above the bar: "
        f"it passes {_number(r.value, '.1%')}, the bar is {_number(r.limit, '.1%')}."
    ),
    Why.NONE_ABOVE_BAR: lambda r: (
        f"No model clears the bar of {_number(r.limit, '.1%')}; {r.subject} comes nearest with {_number(r.value, '.1%')}."
    ),
    Why.STATIC: lambda r: f"{r.subject} is the first of the list.",
    Why.BY_DIFFICULTY: lambda r: (
        f"A difficulty of {_number(r.value)} belongs to the tier up to {_number(r.limit)}, and {r.subject} is the cheapest there."
    ),
    Why.FASTEST: lambda r: f"{r.subject} is the fastest of those above the bar (median {_number(r.value)} s).",
    Why.BEST_WITHIN_BUDGET: lambda r: (
        f"{r.subject} is the best whose call (${_number(r.value, '.6f')}) fits the cap of ${_number(r.limit, '.6f')}."
    ),
    Why.BEST_QUALITY: lambda r: f"The task prefers quality, and {r.subject} passes most often ({_number(r.value, '.1%')}).",
    Why.WEIGHTED: lambda r: f"{r.subject} was drawn by weight; its share is {_number(r.value, '.1%')}.",
    Why.ASSUMED_QUALITY: lambda r: (
        f"That pass rate ({_number(r.value, '.1%')}) is assumed, "
        + ("from the spec's table" if r.subject == "spec" else "from the tier and the difficulty alone")
        + ", not measured."
    ),
    Why.LAST_RESORT: lambda r: f"If everything above fails, {r.subject} answers as a last resort.",
    Why.LIMITS_LIFTED: lambda _: "Every model was resting, busy or too slow, so those limits were lifted.",
    Why.OUTSIDE_TASK: lambda r: f"None of the models of task {r.subject!r} can serve it, so any other that can was allowed.",
    Why.NOTHING_ELIGIBLE: lambda _: "No model can serve it.",
}


def _stood(names: list[str], pool: list[Candidate], question: Question) -> str:
    shown = ", ".join(f"{names[c.index]} ({c.quality:.1%}, ${c.cost:.6f})" for c in pool[:8])
    more = f" and {len(pool) - 8} more" if len(pool) > 8 else ""
    return f"Standing with their pass rates and the cost of a call, against a bar of {question.bar:.1%}: {shown}{more}."


def _order(decision: Decision) -> str:
    """Who is asked, in order; a comma is a fallback, an arrow an escalation."""
    return f"Order of asking: {' → '.join(', '.join(step.targets) for step in decision.steps)}."


def _flips(
    router: Router,
    features: Features,
    scores: Scores,
    view: View,
    decision: Decision,
    pool: list[Candidate],
    question: Question,
) -> Iterator[str]:
    if question.named or not decision.steps:
        return
    yield from _flips_of_difficulty(router, features, scores, view, decision, question)
    yield from _flips_of_quality(router, decision, pool, question)


def _flips_of_difficulty(
    router: Router, features: Features, scores: Scores, view: View, decision: Decision, question: Question
) -> Iterator[str]:
    """The nearest difficulty on either side, to a hundredth, that sends the request to another model."""
    for direction, word in ((1, "harder"), (-1, "easier")):
        for step in range(1, _STEPS_OF_DIFFICULTY + 1):
            difficulty = round(question.difficulty + direction * step / _STEPS_OF_DIFFICULTY, 4)
            if not 0.0 <= difficulty <= 1.0:
                break
            other = router.decide(
                msgspec.structs.replace(features, complexity=Complexity(difficulty)),
                msgspec.structs.replace(scores, difficulty=None if scores.difficulty is None else difficulty),
                view,
            )
            if other.target != decision.target:
                was = f"difficulty {difficulty:.2f} instead of {question.difficulty:.2f}"
                yield f"Had it been {word} ({was}), {other.target or 'nobody'} would have answered."
                break


def _flips_of_quality(router: Router, decision: Decision, pool: list[Candidate], question: Question) -> Iterator[str]:
    """The cheaper model that misses the bar by least."""
    if not any(reason.why == Why.CHEAPEST_ABOVE_BAR for reason in decision.reasons):
        return
    fleet = router.policy.fleet
    chosen = next((c for c in pool if fleet.models[c.index].name == decision.target), None)
    cheaper = [c for c in pool if chosen is not None and c.quality < question.bar and c.expected < chosen.expected]
    if cheaper:
        near = max(cheaper, key=lambda c: c.quality)
        name = fleet.models[near.index].name
        yield f"Had {name} passed {question.bar:.1%} of such requests instead of {near.quality:.1%}, it would have answered."
