"""The whole estimate: it agrees with a simulation, is the same for the same seed, and its figures hang together."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from evaluation.estimate.specs import DESK, desk, loaded
from tierline.config.loaded import Loaded
from tierline.config.spec import ScorerSpec
from tierline.evaluation.estimate.as_outcomes import outcomes_of, requests_of
from tierline.evaluation.estimate.asked import asked_in
from tierline.evaluation.estimate.document import Estimate
from tierline.evaluation.estimate.estimate import estimate
from tierline.evaluation.estimate.evidence import NO_EVIDENCE, Evidence, Sample, Seen, Tally
from tierline.evaluation.estimate.markdown import to_markdown
from tierline.evaluation.estimate.sheet import from_csv, to_csv
from tierline.evaluation.estimate.volume import DAYS, parse
from tierline.evaluation.simulate.report import Simulation, summary
from tierline.evaluation.simulate.simulate import simulate
from tierline.routing.router import Router
from tierline.types.errors import EvaluationFailure
from tierline.types.features import Features
from tierline.types.hints import Hints
from tierline.types.scores import Scores

WIDER = 1.68
"""From a 95 % interval to one of 99.9 %: what is tested often should fail seldom."""


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    return desk(tmp_path_factory.mktemp("estimate"))


@pytest.fixture(scope="module")
def found(spec: Loaded) -> Estimate:
    return estimate(spec, volume=parse("1M/month"))


def simulated(spec: Loaded, count: int) -> Simulation:
    """A simulation of the very worksheet."""
    sheet = estimate(spec, draws=50).worksheet
    fitted, checks = outcomes_of(sheet)
    sent = requests_of(sheet, {row.task: asked_in(spec, NO_EVIDENCE, row.task) for row in sheet.rows}, count, seed=5)
    router = Router(spec)
    return summary(router, simulate(router, fitted, sent, checks=checks, seed=7), workload="sheet", seed=7, assumed=())


def test_cost_quality_and_seconds_agree_with_a_simulation_of_the_same_spec(spec: Loaded, found: Estimate) -> None:
    ours, drawn = found.chosen, simulated(spec, 1500)
    for value, figure in ((ours.cost, drawn.cost), (ours.quality, drawn.quality)):
        assert figure.value is not None and figure.low is not None and figure.high is not None
        half = WIDER * max(figure.high - figure.value, figure.value - figure.low)
        assert abs(value.value - figure.value) <= half
        assert value.low <= figure.value <= value.high
    assert drawn.latency.p50 == pytest.approx(ours.latency_p50.value, rel=0.1)
    assert drawn.latency.p95 == pytest.approx(ours.latency_p95.value, rel=0.15)
    assert drawn.escalated == pytest.approx(ours.escalated, abs=0.03)


def test_the_same_seed_gives_the_same_and_another_other_ranges(spec: Loaded) -> None:
    one, again, other = (msgspec.json.encode(estimate(spec, draws=60, seed=seed)) for seed in (1, 1, 2))
    assert one == again != other


def test_ranges_hold_their_values_and_policies_stand_in_a_known_order(found: Estimate) -> None:
    assert [policy.name for policy in found.policies] == ["all best", "all cheap", "static", "cascade", "spec"]
    for policy in found.policies:
        for figure in (policy.cost, policy.quality, policy.risk, policy.latency_p50, policy.saving.month):
            assert figure.low <= figure.value <= figure.high
    best, cheap = found.policy("all best"), found.policy("all cheap")
    assert cheap.cost.high < found.chosen.cost.low < found.chosen.cost.high < best.cost.low
    assert cheap.quality.value < found.chosen.quality.value


def test_the_parts_make_the_whole(found: Estimate) -> None:
    for policy in found.policies:
        assert sum(policy.costs.values()) == pytest.approx(policy.cost.value)
        assert sum(task.share * task.cost.value for task in policy.tasks) == pytest.approx(policy.cost.value)
        assert sum(task.share * task.risk.value for task in policy.tasks) == pytest.approx(policy.risk.value)
        assert sum(policy.tiers.values()) == pytest.approx(1.0)
        assert policy.saving.month.value == pytest.approx((found.policy("all best").cost.value - policy.cost.value) * 1e6)
        assert policy.saving.year.value == pytest.approx(policy.saving.day.value * DAYS["year"])


def test_risk_is_probability_times_impact(found: Estimate) -> None:
    orders = next(task for task in found.chosen.tasks if task.task == "orders")
    assert orders.risk.value == pytest.approx((1.0 - orders.quality.value) * 0.03)


def test_at_its_break_even_pass_rate_the_primary_neither_pays_nor_costs(tmp_path: Path, found: Estimate) -> None:
    """The point is put into the spec; going straight to the next model must then cost the same, risk included."""
    point = next(point for point in found.break_even if (point.kind, point.task) == ("pass rate", "orders"))
    assert point.at is not None and 0.0 < point.at < 1.0
    at = estimate(loaded(tmp_path, DESK.replace("a: 0.8,", f"a: {point.at},")), draws=50).chosen
    straight = estimate(loaded(tmp_path, DESK.replace("models: [a, b, c]", "models: [b, c]")), draws=50).chosen
    whole = [sum(t.cost.value + t.risk.value for t in policy.tasks if t.task == "orders") for policy in (at, straight)]
    assert whole[0] == pytest.approx(whole[1], rel=0.01)


def test_what_moves_the_answer_stands_in_the_order_of_how_far(found: Estimate) -> None:
    wide = [abs(swing.whole[1] - swing.whole[0]) for swing in found.sensitivity]
    assert wide == sorted(wide, reverse=True)
    moved = {swing.name: swing for swing in found.sensitivity}
    better = moved["pass rate/orders/a"]
    assert better.quality[0] < better.quality[1] and better.whole[0] > better.whole[1]
    assert "latency/orders/a" not in moved


def test_measured_numbers_narrow_the_ranges(spec: Loaded) -> None:
    sheet = to_csv(estimate(spec, draws=50).worksheet)
    known = from_csv(sheet.replace("assumed: spec", "measured n=100000 ±1%"), spec.models)
    wide, narrow = estimate(spec, draws=100).chosen.cost, estimate(spec, known, draws=100).chosen.cost
    assert narrow.value == pytest.approx(wide.value, rel=1e-4)
    assert narrow.high - narrow.low < (wide.high - wide.low) / 2


def test_another_spec_stands_beside_it_on_the_same_draws(spec: Loaded, tmp_path: Path) -> None:
    straight = loaded(tmp_path, DESK.replace("models: [a, b, c]", "models: [c]"))
    found = estimate(spec, draws=60, against={"straight": straight, "same": spec})
    assert found.policy("same").cost == found.chosen.cost
    assert found.policy("straight").cost.value > found.chosen.cost.value
    with pytest.raises(EvaluationFailure, match="two policies are called 'spec'"):
        estimate(spec, draws=60, against={"spec": spec})


def test_overheads_are_charged_to_those_who_have_them(tmp_path: Path) -> None:
    text = DESK.replace("routes: {auto: {deadline: 600s}}", """
routes:
  auto:
    deadline: 600s
    prepare: [{moderate: a}]
    scorer: {ask: {model: a, max_cost: 0.0005}}
    tools_first: [{cache: exact, ttl: 1h}]
""").replace("[{min_chars: 10}]", "[{judge: Is it kind?, model: b}]")  # fmt: skip
    found, plain = estimate(loaded(tmp_path, text), draws=60), estimate(loaded(tmp_path, DESK), draws=60)
    ours = found.chosen
    assert min(ours.costs["prepare"], ours.costs["classifier"], ours.costs["checks"]) > 0
    assert "classifier" not in found.policy("all best").costs
    assert all(row.tool_hits.source.kind == "assumed" and row.tool_hits.value == 0.1 for row in found.worksheet.rows)
    assert ours.costs["first"] == pytest.approx(plain.chosen.costs["first"] * 0.9)
    assert ours.latency_p50.value != plain.chosen.latency_p50.value


def test_markdown_holds_every_row_and_every_policy(found: Estimate) -> None:
    page = to_markdown(found)
    assert all(f"| {row.task} |" in page for row in found.worksheet.rows)
    assert all(f"| {policy.name} |" in page for policy in found.policies)


@pytest.mark.parametrize(("text", "per_day"), [("1M/month", 1e6 / (365.25 / 12)), ("50k/day", 50_000), ("2,000,000 a year", 2e6 / 365.25)])
def test_volumes_are_read_as_people_write_them(text: str, per_day: float) -> None:
    assert parse(text).per_day == pytest.approx(per_day)


def test_what_is_no_volume_is_refused() -> None:
    with pytest.raises(EvaluationFailure, match="'lots' is no volume: write 1M/month"):
        parse("lots")


def known(spec: Loaded, good: dict[str, float], weight: float) -> Sample:
    """A request of orders of which a trained scorer believes this."""
    features = Features(f"r{weight}", hints=Hints(task="orders"), input_tokens=900, output_tokens=150)
    return Sample(features, Scores(good=good, by="linear"), weight)


def test_a_trained_scorer_decides_alone_where_there_are_requests_that_it_can_speak_of(spec: Loaded) -> None:
    """Half of the requests are easy for the small model and half are not; the scorer tells them apart, and the pass rates are moved
    with it."""
    route = msgspec.structs.replace(spec.spec.routes["auto"], scorer=ScorerSpec(kind="linear", artifact="scorer.tl"))
    trained = msgspec.structs.replace(spec, spec=msgspec.structs.replace(spec.spec, routes={"auto": route}))
    easy, hard = known(spec, {"a": 0.95, "b": 0.97, "c": 0.99}, 1.0), known(spec, {"a": 0.3, "b": 0.9, "c": 0.97}, 1.5)
    told = Evidence(tasks={"orders": Seen(samples=(easy, hard))})
    learned = estimate(trained, told, draws=50).policy("learned")
    orders = next(task for task in learned.tasks if task.task == "orders")
    assert {way.steps[0][0]: pytest.approx(way.share) for way in orders.ways} == {"a": 0.4, "b": 0.6}
    assert "no trained scorer" in estimate(spec, told, draws=50).absent["learned"]
    assert "--workload" in estimate(trained, draws=50).absent["learned"]


def test_what_comes_from_a_prompt_cache_is_paid_at_its_price(tmp_path: Path) -> None:
    text = DESK.replace("price: {input: 1, output: 4}", "price: {input: 1, output: 4, cache_read: 0.1}")
    cached = Evidence(tasks={"orders": Seen(requests=100, cached=Tally(100, 0.5, 0.1))})
    half, none = (estimate(loaded(tmp_path, text), known, draws=50).policy("all cheap") for known in (cached, NO_EVIDENCE))
    per_call = {
        name: next(task.costs["first"] for task in policy.tasks if task.task == "orders")
        for name, policy in (("half", half), ("none", none))
    }
    assert per_call["none"] - per_call["half"] == pytest.approx(0.99 * 900 * 0.5 * (1.0 - 0.1) / 1e6, rel=1e-3)
