"""Expected value over the course: the laws of the sums, and the example that the documentation works out by hand."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierline.evaluation.estimate.course import Expected, Means, expected
from tierline.evaluation.estimate.paths import Path as Course
from tierline.evaluation.estimate.paths import paths_of
from tierline.routing.belief import Candidate, escalating
from tierline.types.decision import Combine, Decision, Step

PAGE = Path(__file__).parents[3] / "docs/how-to/fill-in-the-worksheet.md"
RATES = st.floats(0.05, 0.95)


def ladder(*models: str, checked: bool = True, retries: int = 0, most: int = 8) -> Decision:
    checks = ("task/schema",) if checked else ()
    return Decision("r", "auto", "p", tuple(Step("t", (model,), (0.0,), checks, (), retries) for model in models), max_attempts=most)


def paths(decision: Decision, fails: float = 0.0) -> tuple[Course, ...]:
    models = [target for step in decision.steps for target in step.targets]
    return paths_of(decision, dict.fromkeys(models, 0.1), dict.fromkeys(models, fails))


def means(
    good: dict[str, float], cost: dict[str, float], fails: float = 0.0, sees: float = 1.0, accepts: float = 1.0, together: float = 0.0
) -> Means:
    one = np.ones(1)
    return Means(
        {model: one * rate for model, rate in good.items()},
        dict.fromkeys(good, one * fails),
        {model: one * usd for model, usd in cost.items()},
        dict.fromkeys(good, one * 0.0),
        one * sees,
        one * accepts,
        one * together,
    )


def sums(decision: Decision, given: Means, fails: float = 0.0) -> Expected:
    return expected(paths(decision, fails), given)


@given(RATES, RATES, RATES)
def test_with_perfect_checks_and_nothing_shared_the_cost_is_the_one_that_selection_uses(one: float, two: float, three: float) -> None:
    good, cost = {"a": one, "b": two, "c": three}, {"a": 1.0, "b": 4.0, "c": 20.0}
    found = sums(ladder("a", "b", "c"), means(good, cost))
    chain = [Candidate(place, good[name], "spec", cost[name], 0.0) for place, name in enumerate(good)]
    failure = 7.0
    assert found.cost[0] + (1.0 - found.quality[0]) * failure == pytest.approx(escalating(chain, failure))


@given(RATES, RATES, st.floats(0.0, 0.3), st.floats(0.5, 1.0), st.floats(0.8, 1.0), st.floats(0.0, 0.9))
def test_every_path_has_its_chance_and_they_add_up(
    one: float, two: float, fails: float, sees: float, accepts: float, together: float
) -> None:
    found = sums(ladder("a", "b", retries=1), means({"a": one, "b": two}, {"a": 1.0, "b": 5.0}, fails, sees, accepts, together), fails)
    assert found.chances.sum() == pytest.approx(1.0)
    assert (found.chances >= 0).all()
    assert 0.0 <= found.quality[0] <= 1.0
    assert found.quality[0] + found.unanswered[0] <= 1.0 + 1e-9


@given(RATES, st.floats(0.01, 0.04), RATES)
def test_a_better_primary_never_lowers_the_quality(one: float, more: float, two: float) -> None:
    def quality(rate: float) -> float:
        found = sums(ladder("a", "b"), means({"a": rate, "b": two}, {"a": 1.0, "b": 5.0}, sees=0.8, together=0.5))
        return float(found.quality[0])

    assert quality(one + more) >= quality(one) - 1e-9 if one + more <= two else True


def test_models_that_fail_together_climb_in_vain() -> None:
    def quality(together: float) -> float:
        found = sums(ladder("a", "b"), means({"a": 0.7, "b": 0.8}, {"a": 1.0, "b": 5.0}, together=together))
        return float(found.quality[0])

    assert quality(0.9) < quality(0.5) < quality(0.0) == pytest.approx(0.7 + 0.3 * 0.8)


def test_a_failed_call_costs_nothing_and_the_next_model_answers() -> None:
    found = sums(ladder("a", "b", checked=False), means({"a": 1.0, "b": 1.0}, {"a": 1.0, "b": 5.0}, fails=0.1), 0.1)
    assert found.costs["first"][0] == pytest.approx(0.9)
    assert found.costs["fallback"][0] == pytest.approx(0.1 * 0.9 * 5.0, rel=0.02)
    assert found.fell_back[0] == pytest.approx(0.1, rel=1e-6)


def test_two_that_agree_are_right_where_both_are_good() -> None:
    both = Step("fast", ("a", "b"), (0.0, 0.0))
    decision = Decision("r", "auto", "p", (both, Step("best", ("c",), (0.0,))), combine=Combine("agreement"), max_attempts=8)
    found = sums(decision, means({"a": 0.8, "b": 0.9, "c": 1.0}, {"a": 1.0, "b": 2.0, "c": 10.0}))
    assert found.costs["branch"][0] == pytest.approx(3.0)
    assert found.costs["escalation"][0] == pytest.approx((1.0 - 0.8 * 0.9) * 10.0)
    assert found.quality[0] == pytest.approx(1.0)


def test_the_limit_of_attempts_ends_the_course() -> None:
    found = paths(ladder("a", "b", "c", most=2))
    assert max(len(path.calls) for path in found) == 2


def test_the_example_of_the_documentation_comes_out_as_it_is_worked_out_there() -> None:
    """Its numbers are read from the page: the inputs from the list, the results from the table."""
    page = PAGE.read_text()
    given = {name: float(value) for name, value in re.findall(r"^\* `(\w+)` = ([\d.]+)", page, re.MULTILINE)}
    told = {name: float(value) for name, value in re.findall(r"^\| ([a-z ]+) \| .+ \| ([\d.]+) \|$", page, re.MULTILINE)}
    found = sums(
        ladder("small", "large"),
        means(
            {"small": given["q1"], "large": given["q2"]}, {"small": given["c1"], "large": given["c2"]}, sees=given["s"], accepts=given["c"]
        ),
    )
    assert len(told) == 5
    assert {
        "climbs": found.escalated[0],
        "cost": found.cost[0],
        "quality": found.quality[0],
        "flagged": found.flagged[0],
        "risk": (1.0 - found.quality[0]) * given["failure"],
    } == pytest.approx(told, rel=2e-3)
