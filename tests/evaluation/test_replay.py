"""A log decided again: the same under its own spec, and under another only as much as the log can prove."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evaluation.logs import asking, labels, serve
from routing.worlds import beliefs, requests, routers, views
from tierline.decision_log.export import write_ndjson
from tierline.decision_log.reader import LogReader
from tierline.evaluation.replay.again import Decider
from tierline.evaluation.replay.document import Replay
from tierline.evaluation.replay.logged import from_export, from_log
from tierline.evaluation.replay.replay import replay
from tierline.routing.router import Router
from tierline.testing.builders import features, router
from tierline.types.errors import LogFailure
from tierline.types.features import Features
from tierline.types.hints import Hints
from tierline.types.scores import NO_SCORES, Scores
from tierline.types.view import NO_VIEW, View

TWO = {"mini": {"tier": "fast", "price": (0.2, 0.8)}, "opus": {"tier": "best", "price": (15.0, 75.0)}}


def two(fast: float, fingerprint: str = "f1", **route: Any) -> Router:
    """Two tiers; what is at most so hard goes to the lower."""
    spec = {"tiers": ["fast", "best"], "routes": {"auto": {"difficulty": {"fast": fast}, **route}}}
    made = router(spec, TWO)
    return Router(msgspec.structs.replace(made.loaded, fingerprint=fingerprint))


def replayed(path: Path, new: Router, old: Router | None = None) -> Replay:
    known = {} if old is None else {old.policy.fingerprint: Decider(old)}
    with closing(LogReader(path)) as reader:
        return replay(from_log(reader, labels(path)), new, source=path.name, spec_of=known.get)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10)
@given(routers(), st.lists(st.tuples(requests(), beliefs(), views()), min_size=1, max_size=4))
def test_under_its_own_spec_every_decision_comes_back(tmp_path: Path, router: Router, asked: list[tuple[Features, Scores, View]]) -> None:
    path = tmp_path / "tierline.db"
    path.unlink(missing_ok=True)
    numbered = [(msgspec.structs.replace(one, request_id=f"r{n}"), scores, view) for n, (one, scores, view) in enumerate(asked)]
    found = replayed(serve(path, router, numbered), router)
    assert found.rows.own == found.rows.same == len(asked)
    assert found.rows.unfaithful == () and found.changes == ()
    assert found.evidence is not None and found.evidence.coverage == 1.0


def test_a_spec_is_its_own_witness_of_what_chance_could_have_done(tmp_path: Path) -> None:
    """One row of an experiment shows only one of its arms; that the other was possible, the spec itself tells."""
    spec = {
        "tiers": ["fast", "best"],
        "tasks": {"t": {"why": "a task", "models": ["mini"]}},
        "experiments": {"e": {"tasks": ["t"], "arms": {"opus": 0.5}}},
    }
    own = Router(msgspec.structs.replace(router(spec, TWO).loaded, fingerprint="f1"))
    asked = [(features(0.2, request_id="r1", hints={"task": "t"}), NO_SCORES, NO_VIEW)]
    found = replayed(serve(tmp_path / "log.db", own, asked), own)
    assert found.evidence is not None and found.evidence.exact and found.evidence.coverage == 1.0


def test_an_arm_that_another_spec_drew_keeps_the_share_it_was_drawn_with(tmp_path: Path) -> None:
    """Even where the spec that answers for it compares something of its own for the same task."""
    spec = {
        "tiers": ["fast", "best"],
        "tasks": {"t": {"why": "a task", "models": ["mini"]}},
        "experiments": {"own": {"tasks": ["t"], "arms": {"opus": 0.5}}},
    }
    answering = Router(msgspec.structs.replace(router(spec, TWO).loaded, fingerprint="f1"))
    given = View(arms={"other/strict": 0.9}, assigned="other/strict")
    found = replayed(
        serve(tmp_path / "log.db", answering, [(features(0.2, request_id="r1", hints={"task": "t"}), NO_SCORES, given)]), answering
    )
    assert found.rows.unfaithful == () and found.rows.same == 1


def test_what_changes_is_counted_explained_and_priced(tmp_path: Path) -> None:
    old, new = two(0.3), two(0.6, "f2")
    asked = asking(400)
    found = replayed(serve(tmp_path / "log.db", old, asked), new, old)
    between = [one for one, _, _ in asked if 0.3 < one.complexity.score <= 0.6]
    (change,) = found.changes
    assert (change.kind, change.before, change.after, change.count) == ("choice", "opus", "mini", len(between))
    assert found.rows.changed == len(between) and found.rows.changed + found.rows.same == 400
    assert change.cost == pytest.approx(len(between) * (200 * (0.2 - 15) + 100 * (0.8 - 75)) / 1e6)
    assert found.reckoned is not None and found.reckoned.change == pytest.approx(change.cost / 400)
    assert "mini" in change.examples[0].after and any("opus" in sentence for sentence in change.examples[0].explanation)


def test_a_log_that_left_nothing_to_chance_proves_nothing_about_the_change(tmp_path: Path) -> None:
    old, new = two(0.3), two(0.6, "f2")
    found = replayed(serve(tmp_path / "log.db", old, asking(400), lambda _d, _m: 0.9), new, old)
    evidence = found.evidence
    assert evidence is not None
    assert evidence.changed_coverage == 0.0 and found.changes[0].supported == 0
    assert evidence.none[0].rows == found.rows.changed and "nothing to chance" in evidence.none[0].why
    assert evidence.quality is not None and evidence.quality.change.value == 0.0, "on the rows that do not change"
    assert evidence.quality_bounds is not None
    low, high = evidence.quality_bounds
    share = found.rows.changed / 400
    assert low == pytest.approx(-0.9 * share, abs=0.05) and high == pytest.approx(0.1 * share, abs=0.05)
    assert evidence.needed and evidence.needed[0].labelled > evidence.needed[-1].labelled


@pytest.mark.parametrize("known", [True, False])
def test_where_chance_had_a_part_the_estimate_holds_the_truth(tmp_path: Path, known: bool) -> None:
    """Difficult requests are answered well by opus alone. Going up is estimated from the tenth that was sent up at random."""

    def good(difficulty: float, model: str) -> float:
        return 0.95 if model == "opus" else 0.9 if difficulty < 0.5 else 0.3

    old, new = two(1.0, explore=0.2), two(0.5, "f2")
    found = replayed(serve(tmp_path / "log.db", old, asking(1_500), good), new, old if known else None)
    evidence = found.evidence
    assert evidence is not None and evidence.exact is known
    assert evidence.changed_coverage == 1.0 and evidence.coverage == 1.0
    quality = evidence.quality
    assert quality is not None and not quality.weights.doubtful and quality.weights.effective < quality.weights.rows
    truth = 0.5 * 0.9 + 0.5 * 0.95
    for figure in (quality.ips, quality.snips, quality.dr):
        assert figure.low is not None and figure.high is not None
        assert figure.low <= truth <= figure.high
    logged = 0.8 * (0.5 * 0.9 + 0.5 * 0.3) + 0.2 * 0.95
    assert quality.change.low is not None and quality.change.high is not None
    assert quality.change.low <= truth - logged <= quality.change.high


def test_exploration_goes_up_so_it_proves_nothing_about_going_down(tmp_path: Path) -> None:
    old, new = two(0.0, explore=0.0), two(1.0, "f2")
    found = replayed(serve(tmp_path / "log.db", old, asking(200)), new, old)
    assert found.evidence is not None and found.evidence.supported < 5


def test_weighted_choices_are_evidence_for_every_model_with_a_share(tmp_path: Path) -> None:
    old = two(0.5, select="weighted", weights={"mini": 3, "opus": 1})
    new = two(0.5, "f2", select="static")
    found = replayed(serve(tmp_path / "log.db", old, asking(1_000), lambda _d, model: 0.9 if model == "opus" else 0.6), new, old)
    evidence = found.evidence
    assert evidence is not None and evidence.coverage == 1.0
    assert evidence.quality is not None and evidence.quality.dr.low is not None and evidence.quality.dr.high is not None
    assert evidence.quality.dr.low <= 0.6 <= evidence.quality.dr.high


def test_the_same_policy_with_chance_in_it_weighs_every_row_one(tmp_path: Path) -> None:
    old, same = two(0.6, explore=0.3), two(0.6, "f2", explore=0.3)
    found = replayed(serve(tmp_path / "log.db", old, asking(500), lambda _d, _m: 0.8), same, old)
    assert found.rows.changed == 0
    assert found.evidence is not None and found.evidence.quality is not None
    weights = found.evidence.quality.weights
    assert weights.largest == pytest.approx(1.0) and weights.effective == pytest.approx(weights.rows)


def test_every_kind_of_change_is_told_apart(tmp_path: Path) -> None:
    fleet = {**TWO, "gone": {"tier": "fast", "price": (0.0, 0.0)}}
    task = {"why": "a task", "models": ["opus"]}
    spec: dict[str, Any] = {"tiers": ["fast", "best"], "routes": {"auto": {"difficulty": {"fast": 0.5}}}, "tasks": {"t": task}}
    old = router(spec, fleet)
    asked = [
        (features(0.2, request_id="gone"), NO_SCORES, NO_VIEW),
        (features(0.9, request_id="ruled"), NO_SCORES, NO_VIEW),
        (msgspec.structs.replace(features(0.1, request_id="refused"), hints=Hints(model="gone")), NO_SCORES, NO_VIEW),
        (msgspec.structs.replace(features(0.9, request_id="governed"), sensitivity=("pii",)), NO_SCORES, NO_VIEW),
    ]
    path = serve(tmp_path / "log.db", old, asked)
    rule = {"when": "input_tokens == 200 && !sensitivity.pii && complexity > 0.5", "use": "fast", "why": "a rule"}
    changed = {
        **spec,
        "routes": {"auto": {"difficulty": {"fast": 0.5}, "rules": [rule]}},
        "governance": {"rules": [{"when": "sensitivity.pii", "allow": {"models": ["mini"]}, "why": "stays"}]},
    }
    new = Router(msgspec.structs.replace(router(changed, TWO).loaded, fingerprint="f2"))
    kinds = {change.examples[0].request_id: change.kind for change in replayed(path, new).changes}
    assert kinds == {"gone": "gone", "ruled": "choice", "refused": "refused", "governed": "dropped"}


def test_scores_of_another_scorer_are_used_as_logged_and_said_so(tmp_path: Path) -> None:
    old = two(0.5)
    asked = [(features(0.2, request_id="r1"), Scores(difficulty=0.9, by="learned"), NO_VIEW)]
    path = serve(tmp_path / "log.db", old, asked)
    loaded = two(0.5, "f2").loaded
    routes = {
        "auto": msgspec.structs.replace(
            loaded.spec.routes["auto"], scorer=msgspec.structs.replace(loaded.spec.routes["auto"].scorer, kind="other")
        )
    }
    found = replayed(path, Router(msgspec.structs.replace(loaded, spec=msgspec.structs.replace(loaded.spec, routes=routes))))
    assert found.rows.same == 1
    assert any("another scorer" in said and "text is not kept" in said for said in found.caveats)


def asking_spec(fingerprint: str, model: str = "", **match: Any) -> Router:
    """Two tasks that `order` and `money` are hints of; where both are hit a model may be asked."""
    ask = {"ask": {"model": model}} if model else {}
    spec = {
        "tiers": ["fast", "best"],
        "tasks": {
            "orders": {"why": "w", "match": {"keywords": ["order"]}, "models": ["mini"]},
            "money": {"why": "w", "match": {"keywords": ["money"]}, "models": ["opus"]},
        },
        "routes": {"auto": {"scorer": {**ask, **match}}},
    }
    made = router(spec, TWO)
    return Router(msgspec.structs.replace(made.loaded, fingerprint=fingerprint))


BOTH = Scores(task={"orders": 0.44, "money": 0.44}, difficulty=0.2, abstained=True, by="hints")
TOLD = Scores(task={"orders": 0.9}, difficulty=0.5, by="hints", asked="mini")


@pytest.mark.parametrize(
    ("logged", "old", "new", "target", "caveat"),
    [
        (TOLD, "mini", "mini", "mini", ""),
        (TOLD, "mini", "opus", "mini", "asked of another model"),
        (TOLD, "mini", "", "opus", ""),
        (msgspec.structs.replace(BOTH, asked="mini"), "mini", "mini", "opus", ""),
        (BOTH, "", "mini", "opus", "nobody was asked what they are"),
    ],
)
def test_what_a_small_model_said_is_replayed_and_nobody_is_asked_again(
    tmp_path: Path, logged: Scores, old: str, new: str, target: str, caveat: str
) -> None:
    unclear = features(0.2, request_id="r1", matches={"orders": 1, "money": 1})
    path = serve(tmp_path / "log.db", asking_spec("f1", old), [(unclear, logged, NO_VIEW)])
    router = asking_spec("f2", new)
    with closing(LogReader(path)) as reader:
        ((row,),) = from_log(reader, {})
    again = Decider(router).again(row)
    assert again.decision is not None and again.decision.target == target
    said = " ".join(replayed(path, router).caveats)
    assert caveat in said if caveat else said == ""


def test_where_the_scorer_is_sure_now_what_a_small_model_said_no_longer_counts(tmp_path: Path) -> None:
    clear = features(0.2, request_id="r1", matches={"orders": 1, "money": 1})
    path = serve(tmp_path / "log.db", asking_spec("f1", "mini"), [(clear, TOLD, NO_VIEW)])
    with closing(LogReader(path)) as reader:
        ((row,),) = from_log(reader, {})
    again = Decider(asking_spec("f2", "mini", abstain_below=0.4)).again(row)
    assert again.scores.asked == "" and again.decision is not None and again.decision.task == "orders"


def test_a_spec_that_reads_latencies_which_were_not_kept_is_told(tmp_path: Path) -> None:
    path = serve(tmp_path / "log.db", two(0.5), asking(3))
    found = replayed(path, two(0.5, "f2", select="fastest"))
    assert any("kept no latencies" in said for said in found.caveats)


def test_an_export_replays_as_its_log(tmp_path: Path) -> None:
    path = serve(tmp_path / "log.db", two(0.3), asking(50))
    lines = tmp_path / "rows.ndjson"
    with closing(LogReader(path)) as reader, lines.open("wb") as out:
        write_ndjson(reader, out)
    new = two(0.6, "f2")
    exported = replay(from_export(lines, {}), new, source="log.db")
    assert exported.rows == replayed(path, new).rows and exported.reckoned == replayed(path, new).reckoned
    lines.write_text('{"no": "row"}\n')
    with pytest.raises(LogFailure, match=r"rows.ndjson:1: no row of an export"):
        replay(from_export(lines, {}), new, source="rows")


def test_an_empty_log_says_so(tmp_path: Path) -> None:
    path = serve(tmp_path / "log.db", two(0.3), [])
    with pytest.raises(LogFailure, match="holds no row to replay"):
        replayed(path, two(0.5))


def test_ten_rows_give_wide_intervals_and_no_error(tmp_path: Path) -> None:
    old = two(0.5, explore=0.5)
    found = replayed(serve(tmp_path / "log.db", old, asking(10), lambda _d, _m: 1.0), two(0.3, "f2"), old)
    evidence = found.evidence
    assert evidence is not None and evidence.quality is not None
    dr = evidence.quality.dr
    assert dr.value is None or (dr.low is not None and dr.high is not None and dr.high - dr.low > 0.15)
