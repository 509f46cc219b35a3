"""What turns out only after a request was begun on: its task, which other experiments and budgets are about."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from server.harness import Running, serving, until
from server.test_ask_when_unsure import ADMIN, KEYS, SPEC, ask, row_of
from tierline.config.load import load
from tierline.routing.router import Router

MONEY = """
budgets:
  refunds: {limit: 100, per: month, task: refunds}
  orders: {limit: 100, per: month, task: orders}
  all: {limit: 100, per: month}
"""
SHADOW = "routes:\n  shadowed: {task: orders, shadow: {models: [big], share: 1}}\n"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("late")
    arms = "experiments:\n  e: {tasks: [refunds], routes: [auto], arms: {now: 0.5, next: {share: 0.5, spec: other.yaml}}}\n"
    tight = "  big: {limit: 0.000001, per: month, model: big}\n"
    text = SPEC.replace("routes:\n", SHADOW) + MONEY + tight
    (folder / "other.yaml").write_text(text.replace("models: [mid]", "models: [big]"))
    (folder / "tierline.yaml").write_text(text + arms)
    with serving(folder / "tierline.yaml", **KEYS) as running:
        yield running


def used(gateway: Running) -> dict[str, float]:
    return {one["name"]: one["used"] for one in gateway.ask("GET", "/admin/budgets", headers=ADMIN).json["budgets"]}


def test_a_request_found_out_too_late_to_be_of_an_experiment_between_specs_takes_no_part(gateway: Running) -> None:
    rows = [row_of(gateway, ask(gateway, f"An order, a refund: I want my money back, number {turn}.")) for turn in range(8)]
    assert {row.decision.task for row in rows} == {"refunds"} and all(row.asides for row in rows)
    assert {(row.decision.arm, row.decision.policy, row.decision.propensity) for row in rows} == {
        ("", load(gateway.spec, KEYS).fingerprint, 1.0)
    }
    plain = [ask(gateway, f"A refund, number {turn}.") for turn in range(12)]
    assert {said.headers["x-tierline-arm"] for said in plain} == {"e/now", "e/next"}, "those that are known at once take part"


def test_what_a_request_cost_before_its_task_was_known_is_paid_by_that_tasks_budget(gateway: Running) -> None:
    before = used(gateway)
    row = row_of(gateway, ask(gateway, "An order and a refund, my money back please."))
    spent = {name: amount - before[name] for name, amount in used(gateway).items()}
    assert (spent["all"], spent["refunds"]) == pytest.approx((row.cost, row.cost)) and row.asides[0].cost > 0
    assert spent["orders"] == pytest.approx(0.0)


def test_a_shadow_that_no_budget_can_pay_for_is_not_asked(gateway: Running) -> None:
    said = ask(gateway, "Where is my order?", "auto/shadowed")
    row = row_of(gateway, said)
    assert row.decision.shadows == ("big",)

    def counted() -> bool:
        told = gateway.ask("GET", "/metrics", headers=ADMIN).body.decode()
        return 'tierline_shadows_skipped_total{model="big",why="budget"} 1.0' in told

    until(counted)
    assert used(gateway)["big"] == 0.0


def test_router_of_both_specs_agree_with_what_they_logged(gateway: Running) -> None:
    specs = [load(gateway.spec.parent / name, KEYS) for name in ("tierline.yaml", "other.yaml")]
    routers = {loaded.fingerprint: Router(loaded) for loaded in specs}
    rows = gateway.rows()
    assert rows and all(routers[row.decision.policy].decide(row.features, row.scores, row.view) == row.decision for row in rows)
