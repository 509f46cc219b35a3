"""The life cycle over real sockets: shadow, canary, publish, rollback; what stops by itself; what survives a crash; two workers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from server.conftest import FLEET
from server.harness import Running, serving, until
from tierline.cli.app import build
from tierline.config.load import load
from tierline.decision_log.reader import LogReader
from tierline.evaluation.replay.kept import specs_beside
from tierline.ledger.ledger import Ledger
from tierline.ledger.releases import Release

GREETING = {"x-tierline-task": "greeting"}
SPEC = FLEET.replace("audited: {log_text: all}", "audited: {}")
OTHER = SPEC.replace("models: [mini]", "models: [big]")


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    (tmp_path / "candidate.yaml").write_text(OTHER)
    (tmp_path / "tierline.yaml").write_text(SPEC)
    return tmp_path / "tierline.yaml"


def release(spec: Path, *words: str) -> Result:
    return CliRunner().invoke(build(["release"]), ["release", *words, "--spec", str(spec), "--by", "ann"])


def done(spec: Path, *words: str) -> str:
    found = release(spec, *words)
    assert found.exit_code == 0, found.output
    return found.output


def status(spec: Path) -> Any:
    return json.loads(done(spec, "status", "--json"))


@contextmanager
def ledger(spec: Path) -> Iterator[Ledger]:
    with closing(Ledger(spec.parent / "tierline.db")) as opened:
        yield opened


def stages(spec: Path) -> list[str]:
    return [one["stage"] for one in status(spec)["history"]][::-1]


def answering(running: Running, requests: int = 12) -> Counter[str]:
    return Counter(running.chat(headers=GREETING).headers["x-tierline-model"] for _ in range(requests))


def newest(spec: Path) -> Release:
    with ledger(spec) as opened:
        found = opened.releases.now()
    assert found is not None
    return found


def test_shadow_canary_publish_and_rollback(spec: Path) -> None:
    candidate, before = load(spec.parent / "candidate.yaml").fingerprint, load(spec).fingerprint
    with serving(spec) as running:
        assert answering(running) == {"mini": 12}
        done(spec, "shadow", str(spec.parent / "candidate.yaml"), "--why", "big is better")
        until(lambda: answering(running, 4) and status(spec)["rehearsed"])
        assert {(one["task"], one["model"], one["candidate"]) for one in status(spec)["rehearsed"]} == {("greeting", "mini", "big")}
        refused = release(spec, "canary")
        assert (refused.exit_code, "has no certificate" in refused.output) == (2, True)
        done(spec, "canary", "--share", "0.5", "--force", "--why", "a test")
        until(lambda: set(answering(running)) == {"mini", "big"})
        done(spec, "publish", "--force", "--why", "it went well")
        until(lambda: answering(running) == {"big": 12})
        assert spec.read_text() == OTHER
        assert (spec.parent / f"tierline.yaml.{before}").read_text() == SPEC
        done(spec, "rollback", "--why", "complaints")
        until(lambda: answering(running) == {"mini": 12})
        assert spec.read_text() == SPEC
        assert stages(spec) == ["by_hand", "shadow", "canary", "publishing", "published", "rolling_back", "rolled_back"]
    with ledger(spec) as opened:
        told = {entry.action: entry for entry in opened.audit.list() if entry.action.startswith("release_")}
        assert opened.audit.verify() is None
    assert (told["release_published"].who, told["release_published"].subject) == ("ann", candidate)
    assert told["release_published"].detail["forced"] and told["release_published"].detail["why"] == "it went well"
    routers = specs_beside(spec.parent / "tierline.db")
    with closing(LogReader(spec.parent / "tierline.db")) as reader:
        seen = Counter()  # type: Counter[str]
        for row in reader.records():
            decider = routers(row.decision.policy)
            assert decider is not None, row.decision.policy
            assert decider.router.decide(row.features, row.scores, row.view) == row.decision
            seen[row.decision.arm.partition("/")[2]] += 1
    assert set(seen) == {"", "before", "candidate"}
