"""The sentence for each reason that a decision may carry."""

from __future__ import annotations

from collections.abc import Callable

from tierline.types.decision import Reason, Why

_BY = {
    "agreement": "all must agree",
    "majority": "most must agree",
    "judge": "a model judges",
    "first_valid": "the first good answer wins",
}


def _left(reason: Reason) -> str:
    """Its value is a pass rate below the bar, the cost of staying above its limit, or nothing where it cannot serve at all."""
    if reason.value is None or reason.limit is None:
        return f"The session's model {reason.subject} cannot serve this request, so the session moves."
    if reason.value < reason.limit:
        passes, bar = number(reason.value, ".1%"), number(reason.limit, ".1%")
        return f"The session's model {reason.subject} passes {passes} of such requests and the bar is {bar}, so the session moves."
    costs, most = number(reason.value, ".6f"), number(reason.limit, ".6f")
    return f"Staying with {reason.subject} would cost the session about ${costs}, over the ${most} allowed, so it moves."


def _difficulty(reason: Reason) -> str:
    return f"No task was named; its difficulty is {reason.value:.2f} on a scale from 0 to 1."


def _paced(reason: Reason, where: str, way: str) -> str:
    """How the pace of a budget has moved what is chosen by."""
    name, _, by_difficulty = reason.subject.partition("/")
    what = f"The spending of the budget {name!r} runs {where} its plan"
    if by_difficulty:
        return f"{what}, so its difficulty counts as {number(reason.value)} instead of {number(reason.limit)}."
    return f"{what}, so the bar went {way} from {number(reason.limit, '.1%')} to {number(reason.value, '.1%')}."


def number(value: float | None, form: str = ".2f") -> str:
    """A number as a sentence shows it, in a format of Python's."""
    return "unknown" if value is None else format(value, form)


SENTENCES: dict[Why, Callable[[Reason], str]] = {
    Why.NAMED_MODEL: lambda r: f"The client named the model {r.subject!r}, so nothing was routed.",
    Why.NAMED_TIER: lambda r: f"The client named the tier {r.subject!r}.",
    Why.PINNED: lambda r: f"An operator has pinned this route to {r.subject!r}.",
    Why.PIN_UNUSABLE: lambda _: "The pinned model cannot serve this request, so the pin was passed over.",
    Why.RULE_UNUSABLE: lambda _: "None of the rule's models can serve this request, so the rule was passed over.",
    Why.EXPLORED: lambda r: f"It was one of the {number(r.value, '.1%')} sent one tier up to learn from: to {r.subject}.",
    Why.TASK_GIVEN: lambda r: f"Its task was given: {r.subject!r}.",
    Why.TASK_SCORED: lambda r: f"It was taken for the task {r.subject!r} with probability {number(r.value)}.",
    Why.TASK_UNSURE: lambda r: (
        f"Its task is unclear (the likeliest is {r.subject!r} at {number(r.value)}); what is unclear goes one tier up."
    ),
    Why.TASK_ASKED: lambda r: (
        f"Its task was unclear, so a small model was asked: it said {r.subject!r}, which counts as a probability of {number(r.value)}."
    ),
    Why.ASKED_IN_VAIN: lambda r: f"{r.subject} was asked what it is, and did not settle it either; what is unclear goes one tier up.",
    Why.DIFFICULTY: _difficulty,
    Why.ONLY_ONE: lambda r: f"{r.subject} is the only model that can serve it.",
    Why.CHEAPEST_ABOVE_BAR: lambda r: (
        f"{r.subject} has the least expected cost of those above the bar: "
        f"it passes {number(r.value, '.1%')}, the bar is {number(r.limit, '.1%')}."
    ),
    Why.NONE_ABOVE_BAR: lambda r: (
        f"No model clears the bar of {number(r.limit, '.1%')}; {r.subject} comes nearest with {number(r.value, '.1%')}."
    ),
    Why.STATIC: lambda r: f"{r.subject} is the first of the list.",
    Why.BY_DIFFICULTY: lambda r: (
        f"A difficulty of {number(r.value)} belongs to the tier up to {number(r.limit)}, and {r.subject} is the cheapest there."
    ),
    Why.FASTEST: lambda r: f"{r.subject} is the fastest of those above the bar (median {number(r.value)} s).",
    Why.BEST_WITHIN_BUDGET: lambda r: (
        f"{r.subject} is the best whose call (${number(r.value, '.6f')}) fits the cap of ${number(r.limit, '.6f')}."
    ),
    Why.BEST_QUALITY: lambda r: f"The task prefers quality, and {r.subject} passes most often ({number(r.value, '.1%')}).",
    Why.WEIGHTED: lambda r: f"{r.subject} was drawn by weight; its share is {number(r.value, '.1%')}.",
    Why.ASSUMED_QUALITY: lambda r: (
        f"That pass rate ({number(r.value, '.1%')}) is assumed, "
        + ("from the spec's table" if r.subject == "spec" else "from the tier and the difficulty alone")
        + ", not measured."
    ),
    Why.LAST_RESORT: lambda r: f"If everything above fails, {r.subject} answers as a last resort.",
    Why.LIMITS_LIFTED: lambda _: "Every model was resting, busy or too slow, so those limits were lifted.",
    Why.OUTSIDE_TASK: lambda r: f"None of the models of task {r.subject!r} can serve it, so any other that can was allowed.",
    Why.NOTHING_ELIGIBLE: lambda _: "No model can serve it.",
    Why.LEAST_BAD: lambda r: (
        f"Everyone who could answer rests after failures; {r.subject} has the shortest rest left, {number(r.value, '.0f')} s."
    ),
    Why.SESSION_KEPT: lambda r: (
        f"The session stays with {r.subject}: with its warm prompt cache that costs about ${number(r.value, '.6f')}, "
        f"and ${number(r.limit, '.6f')} is the most that staying may cost."
    ),
    Why.SESSION_HELD: lambda r: (
        f"The session is in the middle of a tool loop, or holds reasoning sealed for {r.subject}, so {r.subject} goes on with it."
    ),
    Why.SESSION_LEFT: _left,
    Why.COMBINED: lambda r: f"Several models answer side by side ({_BY[r.subject]}), for about ${number(r.value, '.6f')} in all.",
    Why.COMBINE_TOO_DEAR: lambda r: (
        f"Asking several models side by side would cost about ${number(r.value, '.6f')}, over the ${number(r.limit, '.6f')} allowed; "
        "so one is asked."
    ),
    Why.COMBINE_TOO_FEW: lambda r: (
        f"Of the models that answer side by side only {number(r.value, '.0f')} can serve it, or their judge cannot; so one is asked."
    ),
    Why.REDACTED: lambda r: f"What was found in it ({r.subject}) was replaced by placeholders before anybody saw it.",
    Why.GOVERNANCE_FORCED: lambda r: f"Governance decided: without its rules {r.subject} would have been asked.",
    Why.GOVERNANCE_REFUSED: lambda r: f"Governance rule {number((r.value or 0) + 1, '.0f')} lets nobody answer it.",
    Why.HEDGED: lambda r: f"If no answer has come after {number(r.value)} s, {r.subject} is asked as well, and the first good answer wins.",
    Why.BUDGET_CHEAPEST: lambda r: (
        f"The budget {r.subject!r} has {number(r.value, '.6f')} left, too little for some models; at its limit the cheapest answers."
    ),
    Why.PACE_AHEAD: lambda r: _paced(r, "ahead of", "down"),
    Why.PACE_BEHIND: lambda r: _paced(r, "behind", "up"),
    Why.ARM: lambda r: f"It takes part in an experiment, in the arm {r.subject!r}, which has {number(r.value, '.1%')} of such requests.",
    Why.ARM_LEFT: lambda r: f"It takes no part in an experiment, because the arm {r.subject!r} could not serve it.",
}
