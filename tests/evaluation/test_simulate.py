"""A simulation decides and pursues as the gateway does; only the answers are drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.worlds import beliefs, requests, routers
from tierline.config.units import Duration
from tierline.evaluation.replay.logged import Logged
from tierline.evaluation.simulate.faults import Fault, read_faults
from tierline.evaluation.simulate.outcomes import Fitted, Kind, draw, from_log, from_table
from tierline.evaluation.simulate.pursued import Checks
from tierline.evaluation.simulate.report import Simulation, summary
from tierline.evaluation.simulate.simulate import Happened, simulate
from tierline.evaluation.simulate.workload import Sent, of_file, resampled
from tierline.evaluation.table import Table
from tierline.routing.router import Router
from tierline.testing.builders import features, router
from tierline.types.errors import EvaluationFailure
from tierline.types.features import Features
from tierline.types.outcome import Usage, Verdict
from tierline.types.record import Tried
from tierline.types.scores import NO_SCORES, Scores
from tierline.types.view import NO_VIEW


def always(router: Router, good: float = 1.0, seconds: float = 0.5) -> Fitted:
    """Every model answers in so many seconds, and is good with this chance."""
    return Fitted({}, {name: Kind(good, (100,), (seconds,), 100) for name in router.policy.fleet.names})


def asking(count: int, rate: float = 1.0, difficulty: float = 0.2) -> list[Sent]:
    return [Sent(f"q{n}", "", features(difficulty, request_id=f"q{n}", draw=n / count), NO_SCORES, n / rate) for n in range(count)]


def figures(router: Router, happened: Sequence[Happened]) -> Simulation:
    return summary(router, happened, workload="test", seed=0, assumed=())


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(routers(), requests(), beliefs())
def test_where_everybody_succeeds_the_first_target_of_the_decision_answers(router: Router, request: Features, scores: Scores) -> None:
    decision = router.decide(request, scores, NO_VIEW)
    (one,) = simulate(router, always(router), [Sent("q", "", request, scores, 0.0)], checks=Checks(1.0, 1.0))
    assert one.decision == decision
    answered_in_time = decision.target if decision.deadline >= 0.5 else ""
    assert one.result.model == answered_in_time
    assert one.score == (1.0 if answered_in_time else None)


def test_the_same_seed_gives_the_same_and_another_another() -> None:
    made = router()
    one, same, other = (simulate(made, always(made, 0.6), asking(50), seed=seed) for seed in (1, 1, 2))
    assert msgspec.json.encode(figures(made, one)) == msgspec.json.encode(figures(made, same))
    assert [h.score for h in one] != [h.score for h in other]


def test_quality_is_the_pass_rate_of_who_answers() -> None:
    made = router()
    found = figures(made, simulate(made, always(made, 0.7), asking(3_000)))
    assert found.quality.value == pytest.approx(0.7, abs=0.03)
    assert found.quality.low is not None and found.quality.high is not None and found.quality.low < 0.7 < found.quality.high


def test_an_outage_sends_requests_to_the_neighbour_and_rests_the_model() -> None:
    made = router({"load": {"breaker": {"rest": "1000s", "min_requests": 5, "window": "2s"}}})
    first = made.decide(features(0.2), NO_SCORES, NO_VIEW).target
    outage = Fault(model=first, start=Duration(10.0), until=Duration(500.0), error="server")
    happened = simulate(made, always(made), asking(200, rate=10), faults=[outage])
    before = [h for h in happened if (h.sent.at or 0) < 9]
    after = [h for h in happened if (h.sent.at or 0) > 15]
    assert {h.result.model for h in before} == {first}
    assert first not in {h.result.model for h in after}
    assert any(h.result.attempts[0][1].error == "server" for h in happened), "the first to meet it fall back"
    assert all(h.decision.target != first for h in after), "and then its breaker keeps the others away"
    assert figures(made, happened).failed == 0.0


def test_a_model_that_takes_one_call_at_a_time_makes_requests_wait() -> None:
    fleet: Mapping[str, Mapping[str, Any]] = {"only": {"tier": "fast", "max_concurrency": 1}}
    made = router({}, fleet)
    slow, quick = (figures(made, simulate(made, always(made, seconds=1.0), asking(30, rate=rate))) for rate in (4.0, 0.5))
    assert quick.latency.p95 == pytest.approx(1.0, abs=0.01)
    assert slow.latency.p95 > 10.0


def test_slow_windows_slow_what_falls_into_them() -> None:
    made = router({}, {"only": {"tier": "fast"}})
    slow = Fault(model="only", start=Duration(0.0), until=Duration(10.0), slow=4.0)
    happened = simulate(made, always(made, seconds=0.5), asking(20), faults=[slow])
    took = {h.sent.at: h.elapsed for h in happened}
    assert took[5.0] == pytest.approx(2.0) and took[15.0] == pytest.approx(0.5)


def test_validators_send_up_what_they_reject_as_often_as_they_see() -> None:
    made = router(
        {"routes": {"auto": {"validate": [{"max_chars": 4000}]}}}, {"mini": {"tier": "fast"}, "opus": {"tier": "best", "price": (9, 9)}}
    )
    fitted = Fitted({}, {"mini": Kind(0.6, (100,), (0.5,)), "opus": Kind(1.0, (100,), (0.5,))}, together=0.0)
    found = figures(made, simulate(made, fitted, asking(2_000), checks=Checks(0.9, 0.95)))
    assert found.escalated == pytest.approx(0.4 * 0.9 + 0.6 * 0.05, abs=0.03)
    assert found.quality.value == pytest.approx(0.6 * 0.95 + found.escalated, abs=0.03)
    assert found.wasted is not None and found.wasted > 0


def test_branches_that_agree_answer_and_others_climb() -> None:
    combine = {"models": ["mini", "other"], "by": "agreement", "else": "opus"}
    fleet = {"mini": {"tier": "fast"}, "other": {"tier": "fast"}, "opus": {"tier": "best", "price": (9, 9)}}
    made = router({"routes": {"auto": {"combine": combine}}}, fleet)
    fitted = Fitted({}, {"mini": Kind(0.6, (9,), (0.5,)), "other": Kind(0.6, (9,), (0.7,)), "opus": Kind(1.0, (9,), (0.5,))}, together=0.0)
    happened = simulate(made, fitted, asking(1_000))
    found = figures(made, happened)
    assert found.combined == 1.0 and found.quality.value == 1.0, "wrong answers differ, so those that agree are right"
    assert found.models["opus"].answered == pytest.approx(1 - 0.6 * 0.6, abs=0.05)
    assert {round(h.elapsed, 6) for h in happened} == {0.7, 1.2}, "the branches run side by side"


def test_a_query_that_was_measured_gives_its_own_answer() -> None:
    made = router({}, {"mini": {"tier": "fast"}, "opus": {"tier": "best"}})
    score, cost = np.array([[0.0, 1.0], [1.0, 1.0]]), np.array([[0.001, 0.02], [0.003, 0.04]])
    table = Table(("mini", "opus"), ("q0", "q1"), ("t", "t"), ("d", "d"), score, cost)
    fitted = from_table(made.loaded, table, {"mini": "mini", "opus": "opus"})
    assert [draw(fitted, query, "t", "mini", 10, "s").score for query in ("q0", "q1")] == [0.0, 1.0]
    assert draw(fitted, "q1", "t", "opus", 10, "s").cost == 0.04
    assert any("no latencies" in said for said in fitted.assumed)


def test_a_model_that_was_not_measured_is_taken_for_its_tiers_others_and_that_is_said() -> None:
    made = router({}, {"mini": {"tier": "fast"}, "other": {"tier": "fast"}})
    table = Table(("mini",), ("q0", "q1"), ("t", "t"), ("d", "d"), np.array([[0.0], [1.0]]), np.array([[0.1], [0.1]]))
    fitted = from_table(made.loaded, table, {"mini": "mini"})
    assert fitted.kind("t", "other").good == 0.5
    assert any(said.startswith("other was not measured") for said in fitted.assumed)


def test_models_fitted_from_a_log_pass_fail_and_take_what_the_log_says() -> None:
    made = router({}, {"mini": {"tier": "fast"}})
    fitted = from_log(made.loaded, [[_logged(made, n, good=n % 4 != 0, failed=n % 10 == 0) for n in range(200)]])
    assert fitted.kind("", "mini").good == pytest.approx(0.75, abs=0.05)
    assert fitted.fails["mini"]["server"] == pytest.approx(0.1, abs=0.01)
    found = figures(made, simulate(made, fitted, asking(500)))
    assert found.latency.p50 == pytest.approx(0.8)


def test_how_hard_a_request_is_can_be_shared_by_all_models() -> None:
    kinds = {"a": Kind(0.5), "b": Kind(0.5)}

    def agree(together: float) -> float:
        fitted = Fitted({}, kinds, together=together)
        pairs = [[draw(fitted, "", "", model, 1, f"s{n}").score for model in "ab"] for n in range(800)]
        return sum(a == b for a, b in pairs) / len(pairs)

    assert agree(1.0) == 1.0
    assert agree(0.0) == pytest.approx(0.5, abs=0.05)


def test_arrivals_at_a_rate_are_spaced_exponentially() -> None:
    sent = resampled(asking(10), 4_000, 20.0, seed=3)
    gaps = np.diff([one.at or 0.0 for one in sent])
    assert gaps.mean() == pytest.approx(1 / 20.0, rel=0.05)
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.1)
    assert len({one.features.request_id for one in sent}) == 4_000


def test_faults_are_read_and_those_that_mean_nothing_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text("- {model: mini, from: 10m, until: 20m, error: rate_limited, rate: 0.5, retry_after: 5s}\n")
    (fault,) = read_faults(path, ["mini"], ["acme"])
    assert (fault.start, fault.until, fault.share, fault.retry_after) == (600.0, 1200.0, 0.5, 5.0)
    assert fault.holds("mini", "acme", 700.0) and not fault.holds("mini", "acme", 1200.0) and not fault.holds("opus", "acme", 700.0)
    for text, said in (
        ("- {model: minni, error: server}", "no model 'minni'"),
        ("- {model: mini, error: explosion}", "no error 'explosion'"),
        ("- {model: mini}", "nothing goes wrong"),
        ("- {model: mini, error: server, rate: 2}", "between 0 and 1"),
        ("- {modell: mini}", "unknown field"),
    ):
        path.write_text(text)
        with pytest.raises(EvaluationFailure, match=said):
            read_faults(path, ["mini"], ["acme"])


def test_a_workload_file_of_prompts_and_bodies_is_sent_as_a_client_would(tmp_path: Path) -> None:
    path = tmp_path / "work.jsonl"
    path.write_text(
        '{"prompt": "Where is my order?", "at": 3}\n'
        '{"messages": [{"role": "user", "content": "Hello"}], "model": "tier/best", "max_tokens": 5}\n'
    )
    made = router()
    one, two = of_file(made, path)
    assert one.at == 3.0 and one.features.questions == 1
    assert two.features.hints.tier == "best"
    path.write_text('{"text": "?"}\n')
    with pytest.raises(EvaluationFailure, match=r"work.jsonl:1: neither messages nor prompt"):
        of_file(made, path)


@settings(max_examples=30)
@given(st.floats(0.1, 0.9), st.integers(0, 5))
def test_nothing_ends_after_its_deadline(good: float, seed: int) -> None:
    made = router({"routes": {"auto": {"deadline": "2s"}}}, {"a": {"tier": "fast"}, "b": {"tier": "best"}})
    for one in simulate(
        made, always(made, good, seconds=1.7), asking(20), seed=seed, faults=[Fault(model="a", error="timeout", elapsed=Duration(1.0))]
    ):
        assert one.elapsed <= 2.0 + 1e-6
        assert math.isclose(one.elapsed, sum(o.elapsed + a.wait for a, o in one.result.attempts), abs_tol=1e-6)


def _logged(made: Router, n: int, *, good: bool, failed: bool) -> Logged:
    asked = features(request_id=f"r{n}")
    tried = Tried("mini", "first", not failed, 0.001, 0.8, 0.1, Usage(10, 50), "server" if failed else "", verdicts=(Verdict("v", good),))
    return Logged(asked, NO_SCORES, NO_VIEW, made.decide(asked, NO_SCORES, NO_VIEW), "mini", 0.001, 0.8, None if failed else float(good),
                  "feedback", True, "", float(n), (tried,), None if failed else 0)  # fmt: skip
