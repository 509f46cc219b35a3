"""Experiments over real sockets: assignment, sessions, stopped arms in every worker, and arms that are whole specs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from server.conftest import FLEET
from server.harness import Running, serving, until
from tierline.cli.app import build
from tierline.config.load import load
from tierline.decision_log.reader import LogReader
from tierline.evaluation.replay.kept import specs_beside
from tierline.ledger.ledger import Ledger
from tierline.routing.router import Router

OTHER = FLEET.replace("models: [mini]", "models: [big]").replace("audited: {log_text: all}", "audited: {}\n  trial: {}")
SPEC = (
    FLEET.replace("audited: {log_text: all}", "audited: {}\n  trial: {}")
    + """
experiments:
  models: {tasks: [greeting], routes: [auto], arms: {mini: 0.5, mid: 0.5}}
  specs: {routes: [trial], arms: {now: 0.5, next: {share: 0.5, spec: other.yaml}}}
"""
)
GREETING = {"x-tierline-task": "greeting"}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("experiments")
    (folder / "other.yaml").write_text(OTHER)
    (folder / "tierline.yaml").write_text(SPEC)
    with serving(folder / "tierline.yaml") as running:
        yield running


def test_an_arm_answers_and_the_row_says_which_and_how_likely(gateway: Running) -> None:
    said = [gateway.chat(headers=GREETING) for _ in range(40)]
    assert {one.status for one in said} == {200}
    assert {one.headers["x-tierline-arm"] for one in said} == {"models/mini", "models/mid"}
    for one in said[:8]:
        row = gateway.record(one.headers["x-tierline-decision"])
        assert row.decision.arm == one.headers["x-tierline-arm"] == f"models/{one.headers['x-tierline-model']}"
        assert row.decision.propensity == 0.5
        assert row.view.arms == {"models/mini": 0.5, "models/mid": 0.5}


def test_a_session_keeps_its_arm_request_after_request(gateway: Running) -> None:
    drawn = set()
    for session in range(12):
        headers = {**GREETING, "x-tierline-session": f"s{session}"}
        (arm,) = {gateway.chat(headers=headers).headers["x-tierline-arm"] for _ in range(4)}
        drawn.add(arm)
    assert drawn == {"models/mini", "models/mid"}


def test_who_names_a_model_takes_no_part(gateway: Running) -> None:
    said = gateway.chat(model="big", headers=GREETING)
    assert said.headers["x-tierline-model"] == "big"
    assert "x-tierline-arm" not in said.headers


def test_an_arm_may_be_a_whole_spec_and_its_rows_bear_that_specs_fingerprint(gateway: Running) -> None:
    said = [gateway.chat(model="auto/trial", headers=GREETING) for _ in range(30)]
    policies = {one.headers["x-tierline-arm"]: one.headers["x-tierline-policy"] for one in said}
    models = {one.headers["x-tierline-arm"]: one.headers["x-tierline-model"] for one in said}
    assert models == {"specs/now": "mini", "specs/next": "big"}
    folder = gateway.spec.parent
    assert policies == {"specs/now": load(gateway.spec).fingerprint, "specs/next": load(folder / "other.yaml").fingerprint}
    routers = {loaded.fingerprint: Router(loaded) for loaded in (load(gateway.spec), load(folder / "other.yaml"))}
    for one in said:
        row = gateway.record(one.headers["x-tierline-decision"])
        assert (row.decision.arm, row.decision.propensity) == (one.headers["x-tierline-arm"], 0.5)
        assert row.features.request_id == one.headers["x-tierline-decision"]
        assert routers[row.decision.policy].decide(row.features, row.scores, row.view) == row.decision


def test_both_specs_are_kept_beside_the_log(gateway: Running) -> None:
    ledger = Ledger(gateway.spec.parent / "tierline.db")
    kept = {spec.fingerprint for spec in ledger.specs.list()}
    ledger.close()
    decided = {load(gateway.spec).fingerprint, load(gateway.spec.parent / "other.yaml").fingerprint}
    assert decided <= kept
    spec_of = specs_beside(gateway.spec.parent / "tierline.db")
    assert all(spec_of(fingerprint) is not None for fingerprint in decided), "each can be decided by again, though its arm's file is gone"


def test_a_stream_of_a_whole_spec_arm_comes_from_that_spec(gateway: Running) -> None:
    said = [gateway.chat(model="auto/trial", headers=GREETING, stream=True) for _ in range(12)]
    assert {(one.headers["x-tierline-arm"], one.headers["x-tierline-model"]) for one in said} == {
        ("specs/now", "mini"),
        ("specs/next", "big"),
    }
    assert all(one.body.endswith(b"data: [DONE]\n\n") for one in said)


def test_a_dry_run_explains_the_spec_of_its_arm(gateway: Running) -> None:
    body = {"model": "auto/trial", "messages": [{"role": "user", "content": "hello"}]}
    told = [gateway.ask("POST", "/v1/route", body, GREETING).json for _ in range(20)]
    arms = {one["decision"]["arm"]: one for one in told}
    assert set(arms) == {"specs/now", "specs/next"}
    assert "'specs/next', which has 50.0% of such requests" in str(arms["specs/next"])


def test_each_experiment_is_in_the_ledger_from_its_beginning(gateway: Running) -> None:
    ledger = Ledger(gateway.spec.parent / "tierline.db")
    now = {(entry.experiment, entry.arm): entry.state for entry in ledger.arms.now()}
    begun = [entry.subject for entry in ledger.audit.list() if entry.action == "experiment_begun"]
    ledger.close()
    assert now == {(e, a): "running" for e, arms in {"models": ("mini", "mid"), "specs": ("now", "next")}.items() for a in arms}
    assert sorted(begun) == ["models", "specs"]


def test_a_stopped_arm_gets_nothing_more_in_any_worker_until_it_is_resumed(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text(OTHER)
    (tmp_path / "tierline.yaml").write_text(SPEC)
    with serving(tmp_path / "tierline.yaml", "--workers", "2") as running:
        until(lambda: len({running.chat(headers=GREETING).headers["x-tierline-arm"] for _ in range(10)}) == 2)
        ledger = Ledger(tmp_path / "tierline.db")
        assert ledger.arms.stop("models", "mid", "too dear", "ann")

        def only_mini() -> bool:
            return {running.chat(headers=GREETING).headers["x-tierline-arm"] for _ in range(24)} == {"models/mini"}

        until(only_mini)
        row = running.record(running.chat(headers=GREETING).headers["x-tierline-decision"])
        assert (row.decision.propensity, row.view.arms) == (1.0, {"models/mini": 0.5, "models/mid": 0.0})
        assert [(entry.who, entry.subject, entry.detail) for entry in ledger.audit.list() if entry.action == "arm_stopped"] == [
            ("ann", "models/mid", {"why": "too dear"})
        ]
        ledger.arms.resume("models", "mid", "cheaper now", "ann")
        until(lambda: len({running.chat(headers=GREETING).headers["x-tierline-arm"] for _ in range(10)}) == 2)
        ledger.close()


def test_a_reload_takes_the_arms_spec_anew_and_a_bad_one_changes_nothing(tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(OTHER)
    (tmp_path / "tierline.yaml").write_text(SPEC)
    with serving(tmp_path / "tierline.yaml") as running:

        def answering() -> set[str]:
            said = [running.chat(model="auto/trial", headers=GREETING) for _ in range(16)]
            return {one.headers["x-tierline-model"] for one in said}

        assert answering() == {"mini", "big"}
        other.write_text(OTHER.replace("models: [big]", "models: [mid]"))
        assert running.ask("POST", "/admin/reload").json["changed"]
        assert answering() == {"mini", "mid"}
        other.write_text("version: 2")
        assert "is refused" in running.ask("POST", "/admin/reload").json["problem"]
        assert answering() == {"mini", "mid"}


def test_every_row_decides_again_to_its_own_decision(gateway: Running) -> None:
    for _ in range(3):
        gateway.chat(headers=GREETING)
        gateway.chat(model="auto/trial", headers=GREETING)
    loaded = [load(gateway.spec), load(gateway.spec.parent / "other.yaml")]
    routers = {one.fingerprint: Router(one) for one in loaded}
    reader = LogReader(gateway.spec.parent / "tierline.db")
    seen = Counter()  # type: Counter[str]
    for row in reader.records():
        assert routers[row.decision.policy].decide(row.features, row.scores, row.view) == row.decision
        seen[row.decision.arm] += 1
    reader.close()
    assert len(seen) >= 4


GUARDED = (
    FLEET
    + """
experiments:
  guarded: {tasks: [greeting], arms: {mini: 0.5, mid: 0.5}, baseline: mini, stop: sequential, guards: [{metric: pass_rate, worse_by: 0.05}]}
"""
)


def test_a_guard_stops_a_worse_arm_by_itself_and_says_why(tmp_path: Path) -> None:
    (tmp_path / "tierline.yaml").write_text(GUARDED)
    with serving(tmp_path / "tierline.yaml") as running:
        for _ in range(120):
            said = running.chat(headers=GREETING).headers
            verdict = {"decision": said["x-tierline-decision"], "accept": said["x-tierline-model"] == "mini"}
            assert running.ask("POST", "/v1/feedback", verdict).status == 200
        ledger = Ledger(tmp_path / "tierline.db")

        def state() -> str:
            return next(entry.state for entry in ledger.arms.now("guarded") if entry.arm == "mid")

        until(lambda: state() == "stopped")
        until(lambda: {running.chat(headers=GREETING).headers["x-tierline-model"] for _ in range(12)} == {"mini"})
        (entry,) = [entry for entry in ledger.audit.list() if entry.action == "arm_stopped"]
        ledger.close()
    assert (entry.who, entry.subject) == ("tierline", "guarded/mid")
    assert entry.detail["why"].startswith("guard pass_rate: worse than mini by more than 0.05")
    shown = CliRunner().invoke(build(["experiments"]), ["experiments", "guarded", "--log", str(tmp_path / "tierline.db")])
    assert shown.exit_code == 0, shown.output
    assert "mid is stopped, by tierline: guard pass_rate" in " ".join(shown.output.split())


def test_adaptive_shares_follow_the_evidence_and_keep_their_floor(tmp_path: Path) -> None:
    adaptive = "{tasks: [greeting], arms: {mini: 0.5, mid: 0.5}, adaptive: {kind: thompson, floor: 0.2, every: 1s}}"
    (tmp_path / "tierline.yaml").write_text(FLEET + f"\nexperiments:\n  learning: {adaptive}\n")
    with serving(tmp_path / "tierline.yaml") as running:
        for _ in range(80):
            said = running.chat(headers=GREETING).headers
            verdict = {"decision": said["x-tierline-decision"], "accept": said["x-tierline-model"] == "mini"}
            running.ask("POST", "/v1/feedback", verdict)

        def seen() -> float:
            row = running.record(running.chat(headers=GREETING).headers["x-tierline-decision"])
            assert row.decision.propensity == pytest.approx(row.view.arms[row.decision.arm])
            return row.view.arms["learning/mid"]

        until(lambda: seen() < 0.25)
        assert seen() == pytest.approx(0.2, abs=0.02)


PREPARED = (
    FLEET.replace("audited: {log_text: all}", "prepared: {prepare: [{rewrite_query: mini}]}")
    + """
experiments:
  e: {routes: [prepared], arms: {mid: 0.4, big: 0.4}}
"""
)


def test_a_request_that_is_prepared_keeps_the_arm_that_it_came_with(tmp_path: Path) -> None:
    (tmp_path / "tierline.yaml").write_text(PREPARED)
    turns = [("user", "Where is order 42?"), ("assistant", "On its way."), ("user", "And when does it come?")]
    messages = [{"role": role, "content": content} for role, content in turns]
    with serving(tmp_path / "tierline.yaml") as running:
        said = [running.chat(model="auto/prepared", messages=messages) for _ in range(30)]
        arms = Counter(one.headers.get("x-tierline-arm", "") for one in said)
        router = Router(load(tmp_path / "tierline.yaml"))
        for one in said:
            row = running.record(one.headers["x-tierline-decision"])
            assert row.asides, "the question was rewritten"
            assert router.decide(row.features, row.scores, row.view) == row.decision
            assert row.decision.arm in ("", f"e/{row.decision.target}")
    assert {"e/mid", "e/big"} <= set(arms)
