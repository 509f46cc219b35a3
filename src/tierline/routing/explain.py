"""A decision in sentences that a product manager can read: what it was taken for, who stood, who fell and why, how close it
was, and the smallest change that would have flipped it.

Nothing here runs on the hot path but `short`.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tierline.routing.belief import Candidate
from tierline.routing.question import Question
from tierline.routing.refusal import fall
from tierline.routing.router import Router
from tierline.routing.sentences import SENTENCES, number
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
        sentences.extend(_course(decision))
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
    whys = [reason.why for reason in decision.reasons]
    deciding = next((why for why in reversed(whys) if why in _OVERRULING), None) or next((why for why in whys if why in _DECIDING), None)
    taken = decision.task or next((f"difficulty {r.value:.2f}" for r in decision.reasons if r.why == Why.DIFFICULTY), "named")
    if not decision.steps or deciding is None:
        return "nothing eligible"
    return f"{(_OVERRULING.get(deciding) or _DECIDING[deciding])}; {taken}"


_OVERRULING = {
    Why.SESSION_HELD: "its session goes on with it",
    Why.COMBINED: "several answer together",
    Why.LOAD_SHIFTED: "moved by load",
    Why.SESSION_KEPT: "its session stays",
    Why.BUDGET_CHEAPEST: "a budget is near its limit",
    Why.GOVERNANCE_FORCED: "governance left no other choice",
}
"""What stands above the reasons before it; the last of them decided."""

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
    Why.LEAST_BAD: "the least bad, all are resting",
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
    if reason.why == Why.GOVERNANCE_REFUSED:
        rules, at = router.loaded.spec.governance.rules, int(reason.value or 0)
        return f"Governance rule {at + 1} lets nobody answer it: {rules[at].why if at < len(rules) else 'it is no longer in the spec'}."
    if reason.why == Why.LOAD_SHIFTED:
        rung = any(other.why == Why.BY_DIFFICULTY for other in decision.reasons)
        form, what = (".2f", "its difficulty is") if rung else (".1%", "it passes")
        within = f"{what} {number(reason.value, form)}, and the load may take it {'up' if rung else 'down'} to {number(reason.limit, form)}"
        return f"The chosen model is under load, so the request moved to {reason.subject}: {within}."
    return SENTENCES[reason.why](reason)


def _stood(names: list[str], pool: list[Candidate], question: Question) -> str:
    shown = ", ".join(f"{names[c.index]} ({c.quality:.1%}, ${c.cost:.6f})" for c in pool[:8])
    more = f" and {len(pool) - 8} more" if len(pool) > 8 else ""
    return f"Standing with their pass rates and the cost of a call, against a bar of {question.bar:.1%}: {shown}{more}."


def _course(decision: Decision) -> Iterator[str]:
    """How the plan is carried out: who is asked, what an answer must pass, and what follows where it does not."""
    yield _order(decision)
    first = decision.steps[0]
    if first.validators:
        again = f"; a model that fails may try again {_times(first.retries)}, told why" if first.retries else ""
        yield f"An answer must pass {', '.join(first.validators)}{again}."
    if decision.lenient:
        yield f"An answer that fails {', '.join(decision.lenient)} alone is not asked for again: it goes out flagged."
    if decision.stream == "buffered":
        yield "Its stream is held back until the answer has passed."
    elif decision.stream == "optimistic":
        yield "Its stream is passed on as it comes, and the verdict follows it."
    if decision.refusals:
        yield f"What a content policy refuses goes to {decision.refusals}."
    if decision.shadows:
        yield f"Once it is answered, {' and '.join(decision.shadows)} may be asked the same, unseen, to see what that answer is worth."
    if decision.retries:
        yield f"When all have failed and the reason may pass, they are asked again {_times(decision.retries)}."


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _order(decision: Decision) -> str:
    """Who is asked, in order; a comma is a fallback, a plus sign means together, an arrow is an escalation."""
    first, *rest = [", ".join(step.targets) for step in decision.steps]
    if decision.combine is not None:
        first = " + ".join(decision.steps[0].targets)
        if decision.combine.judge:
            first += f" (judged by {decision.combine.judge})"
    return f"Order of asking: {' → '.join((first, *rest))}."


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
