"""The spec that decided is found beside the log, and trusted only when it is the very one."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from evaluation.logs import asking, serve
from tierline.config.load import load
from tierline.evaluation.replay.again import Decider
from tierline.evaluation.replay.kept import specs_beside
from tierline.evaluation.replay.logged import labels_of
from tierline.ledger.feedback import Feedback
from tierline.ledger.ledger import Ledger
from tierline.routing.router import Router
from tierline.testing.builders import features
from tierline.types.scores import NO_SCORES
from tierline.types.view import NO_VIEW

SPEC = """
version: 1
tiers: [fast, best]
providers: {p: {base_url: "http://localhost:1/v1", api_key: "${SOME_KEY}"}}
models:
  mini: {provider: p, tier: fast, price: {input: 0.2, output: 0.8}, context: 200000}
  opus: {provider: p, tier: best, price: {input: 15, output: 75}, context: 200000}
tasks: {t: {why: a task, latency_budget: 10s, models: [mini, opus]}}
routes: {auto: {difficulty: {fast: 0.4}, explore: 0.25, deadline: 20s}}
"""


def kept(tmp_path: Path) -> tuple[Path, Router]:
    spec = tmp_path / "tierline.yaml"
    spec.write_text(SPEC)
    loaded = load(spec, {}, need_secrets=False)
    path = serve(tmp_path / "tierline.db", Router(loaded), asking(5))
    with closing(Ledger(path, durability="process")) as ledger:
        ledger.specs.keep(loaded.fingerprint, loaded.parts, loaded.canonical, 1.0)
        ledger.specs.keep("0123456789ab", loaded.parts, loaded.canonical, 1.0)
    return path, Router(loaded)


def test_the_spec_kept_beside_the_log_decides_as_it_did(tmp_path: Path) -> None:
    path, router = kept(tmp_path)
    found = specs_beside(path)(router.policy.fingerprint)
    assert isinstance(found, Decider)
    for n in range(20):
        asked = features(n / 20, draw=n / 20)
        assert found.router.decide(asked, NO_SCORES, NO_VIEW) == router.decide(asked, NO_SCORES, NO_VIEW)


def test_one_that_is_unknown_or_resolves_to_another_fingerprint_is_not_trusted(tmp_path: Path) -> None:
    path, _ = kept(tmp_path)
    assert specs_beside(path)("ffffffffffff") is None
    assert specs_beside(path)("0123456789ab") is None
    assert specs_beside(None)("0123456789ab") is None


def test_what_was_said_of_an_answer_is_averaged_and_corrections_alone_say_nothing(tmp_path: Path) -> None:
    path, _ = kept(tmp_path)
    with closing(Ledger(path, durability="process")) as ledger:
        for one in (
            Feedback("r1", 1.0, score=0.5),
            Feedback("r1", 2.0, accept=True),
            Feedback("r2", 2.0, accept=False),
            Feedback("r3", 2.0, correction="…"),
        ):
            ledger.feedback.add(one)
    assert labels_of(path) == {"r1": 0.75, "r2": 0.0}
