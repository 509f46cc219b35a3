"""The life cycle over real sockets: shadow, canary, publish, rollback; what stops by itself; what survives a crash; two workers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec
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
from tierline.types.certificate import Certificate, sealed

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


WATCHED = SPEC + "release: {guards: [{metric: pass_rate, worse_by: 0.05}]}\n"
BAD = WATCHED.replace("models: [mini]", "models: [mid]")


def judged(running: Running, requests: int) -> None:
    """Send requests, and say of each answer that it is good unless mid gave it."""
    said = [running.chat(headers=GREETING).headers for _ in range(requests)]
    for one in said:
        verdict = {"decision": one["x-tierline-decision"], "accept": one["x-tierline-model"] != "mid"}
        until(lambda verdict=verdict: running.ask("POST", "/v1/feedback", verdict).status == 200)


@pytest.fixture
def bad(spec: Path) -> Path:
    spec.write_text(WATCHED)
    (spec.parent / "candidate.yaml").write_text(BAD)
    return spec


def test_a_bad_canary_is_stopped_by_itself_in_both_workers(bad: Path) -> None:
    with serving(bad, "--workers", "2") as running:
        done(bad, "canary", str(bad.parent / "candidate.yaml"), "--share", "0.5", "--force", "--why", "a test")
        until(lambda: set(answering(running)) == {"mini", "mid"})
        until(lambda: newest(bad).stage == "stopped" or judged(running, 20), within=60.0)
        until(lambda: answering(running, 24) == {"mini": 24})
    ended = newest(bad)
    assert (ended.by, ended.before) == ("tierline", load(bad).fingerprint)
    assert ended.why.startswith("guard pass_rate: worse than before by more than 0.05")
    assert stages(bad).count("stopped") == 1
    assert bad.read_text() == WATCHED


def test_what_was_published_and_is_worse_is_taken_back_by_itself(bad: Path) -> None:
    with serving(bad, "--workers", "2") as running:
        judged(running, 60)
        done(bad, "publish", str(bad.parent / "candidate.yaml"), "--force", "--why", "a test")
        until(lambda: answering(running, 16) == {"mid": 16})
        until(lambda: newest(bad).stage == "rolled_back" or judged(running, 10), within=60.0)
        until(lambda: answering(running, 24) == {"mini": 24})
    assert bad.read_text() == WATCHED
    assert stages(bad)[-2:] == ["rolling_back", "rolled_back"] and stages(bad).count("rolled_back") == 1
    assert newest(bad).by == "tierline" and newest(bad).why.startswith("guard pass_rate: ")


def test_a_canary_lasts_over_kill_9_and_a_half_done_publish_is_finished(spec: Path) -> None:
    with serving(spec) as running:
        done(spec, "canary", str(spec.parent / "candidate.yaml"), "--share", "0.5", "--force", "--why", "a test")
        until(lambda: set(answering(running)) == {"mini", "big"})
        running.stop(9)
    with serving(spec) as running:
        assert set(answering(running, 24)) == {"mini", "big"}
        running.stop(9)
    with ledger(spec) as opened:
        now = opened.releases.now()
        assert now is not None
        opened.releases.add("publishing", now.candidate, now.before, why="cut off here", by="ann", written=now.written, after=now.id)
    assert spec.read_text() == SPEC
    with serving(spec) as running:
        assert answering(running) == {"big": 12}
    assert spec.read_text() == OTHER
    assert stages(spec)[-2:] == ["publishing", "published"]


def test_a_change_by_hand_is_recorded_as_one_without_a_certificate(spec: Path) -> None:
    with serving(spec) as running:
        spec.write_text(OTHER)
        until(lambda: answering(running, 4) == {"big": 4})
        until(lambda: len(stages(spec)) == 2)
        found = newest(spec)
        assert (found.stage, found.candidate, found.why) == (
            "by_hand",
            load(spec).fingerprint,
            "the file was changed, without a certificate",
        )
        done(spec, "rollback", "--why", "nobody had asked")
        until(lambda: answering(running, 4) == {"mini": 4})
    assert spec.read_text() == SPEC


def test_where_a_certificate_is_required_a_change_by_hand_is_refused_and_the_old_spec_goes_on(spec: Path) -> None:
    strict = "release: {require_certificate: true}\n"
    spec.write_text(SPEC + strict)
    (spec.parent / "candidate.yaml").write_text(OTHER + strict)
    with serving(spec) as running:
        until(lambda: stages(spec) == ["by_hand"])
        spec.write_text(OTHER + strict)
        said = running.ask("POST", "/admin/reload")
        assert said.status == 422 and "which nobody has released" in said.json["problem"]
        assert answering(running) == {"mini": 12}
        done(spec, "publish", str(spec.parent / "candidate.yaml"), "--force", "--why", "decided in the meeting")
        until(lambda: answering(running, 4) == {"big": 4})
    spec.write_text(SPEC + strict)
    with pytest.raises(AssertionError, match="which nobody has released"), serving(spec):
        pass


def test_the_admin_api_does_the_same_under_the_name_of_its_key(spec: Path) -> None:
    keyed = "keys: {boss: {secret: '${BOSS}', scopes: [admin, call]}}\n"
    spec.write_text(SPEC + keyed)
    admin = {"authorization": "Bearer the-key-of-the-boss"}
    with serving(spec, BOSS="the-key-of-the-boss") as running:
        asked = {"stage": "canary", "spec": OTHER + keyed}
        refused = running.ask("POST", "/admin/releases", asked, admin)
        assert refused.status == 400 and "has no certificate" in refused.error["message"]
        made = running.ask("POST", "/admin/releases", {"stage": "shadow", "spec": OTHER + keyed, "why": "to see"}, admin)
        assert (made.status, made.json["stage"], made.json["by"]) == (201, "shadow", "boss")
        told = running.ask("GET", "/admin/releases", headers=admin)
        assert told.json["trial"]["candidate"] == made.json["candidate"]
        assert b"BOSS" not in told.body and running.ask("GET", "/admin/releases").status == 401


def test_what_the_evidence_proposes_goes_to_work_by_its_certificate(spec: Path) -> None:
    """propose → canary → publish, without force at any stage."""
    task = "greeting: {why: Chatter., quality_bar: 0.9, models: [big, mini], quality: {big: 0.97, mini: 0.6}}"
    spec.write_text(SPEC.replace("greeting: {why: Chatter., models: [mini]}", task))
    lines = ["query_id,task,prompt,model,score,cost_usd"]
    for number in range(300):
        both = (("mini", 0.0001, number % 40 != 0), ("big", 0.005, number % 35 != 0))
        lines += [f"q{number},greeting,Hello {number},{model},{int(good)},{cost + number * 1e-7}" for model, cost, good in both]
    (spec.parent / "answers.csv").write_text("\n".join(lines))
    candidate, before = spec.parent / "candidate.yaml", load(spec).fingerprint
    command = ["propose", "--data", str(spec.parent / "answers.csv"), "--spec", str(spec), "--out", str(candidate), "--margin", "0.05"]
    proposed = CliRunner().invoke(build(["propose"]), command)
    assert proposed.exit_code == 0, proposed.output
    with serving(spec) as running:
        assert answering(running) == {"big": 12}
        done(spec, "canary", str(candidate), "--share", "0.5")
        until(lambda: set(answering(running)) == {"mini", "big"})
        done(spec, "publish", str(candidate))
        until(lambda: answering(running) == {"mini": 12})
    found = newest(spec)
    assert (found.stage, found.before) == ("published", before)
    assert found.detail["certificate"]["basis"] == "cheaper" and "forced" not in found.detail


def test_a_certificate_of_another_candidate_or_of_another_spec_at_work_opens_nothing(spec: Path) -> None:
    mine, at_work = load(spec.parent / "candidate.yaml").fingerprint, load(spec).fingerprint
    for candidate, before, said in (("0" * 12, at_work, "the certificate is for"), (mine, "1" * 12, "the certificate compares with")):
        write_certificate(spec, sealed(granted(candidate, before)))
        refused = release(spec, "publish", str(spec.parent / "candidate.yaml"))
        assert refused.exit_code == 2 and said in refused.output
    assert spec.read_text() == SPEC


def test_a_certificate_that_was_changed_after_it_was_made_opens_nothing(spec: Path) -> None:
    made = granted(load(spec.parent / "candidate.yaml").fingerprint, load(spec).fingerprint)
    for wrong in (made, msgspec.structs.replace(sealed(made), margin=0.5), msgspec.structs.replace(sealed(made), basis="better")):
        write_certificate(spec, wrong)
        refused = release(spec, "publish", str(spec.parent / "candidate.yaml"))
        assert refused.exit_code == 2 and "the certificate is not as it was made" in refused.output
    write_certificate(spec, sealed(made))
    done(spec, "publish", str(spec.parent / "candidate.yaml"))
    assert spec.read_text() == OTHER


def granted(candidate: str, before: str) -> Certificate:
    return Certificate(candidate=candidate, before=before, made=0.0, basis="cheaper", why="", margin=0.01)


def write_certificate(spec: Path, certificate: Certificate) -> None:
    (spec.parent / "candidate.certificate.json").write_bytes(msgspec.json.encode(certificate))
