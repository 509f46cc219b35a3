"""A quick replay says the same as a whole one, but for what it does not look at."""

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
from tierline.decision_log.reader import LogReader
from tierline.evaluation.replay.document import Replay
from tierline.evaluation.replay.logged import Stored, from_log, stored_pages
from tierline.evaluation.replay.replay import replay, replay_screened
from tierline.routing.router import Router
from tierline.testing.builders import features, router
from tierline.types.features import Features
from tierline.types.scores import NO_SCORES, Scores
from tierline.types.view import NO_VIEW, View


def both(path: Path, new: Router) -> tuple[Replay, Replay]:
    with closing(LogReader(path)) as reader:
        whole = replay(from_log(reader, labels(path)), new, source="log")
        quick = replay_screened(stored_pages(reader), labels(path), new, source="log")
    return whole, quick


def renamed(router: Router) -> Router:
    return Router(msgspec.structs.replace(router.loaded, fingerprint="f2"))


def agree(whole: Replay, quick: Replay) -> None:
    assert quick.rows.changed == whole.rows.changed and quick.rows.refused == whole.rows.refused
    assert quick.rows.same + quick.rows.plan_changed == whole.rows.same + whole.rows.plan_changed
    assert quick.models == whole.models
    counted = [(c.kind, c.why, c.before, c.after, c.count) for c in whole.changes]
    assert [(c.kind, c.why, c.before, c.after, c.count) for c in quick.changes] == counted
    assert (whole.reckoned is None) == (quick.reckoned is None)
    if whole.reckoned is not None and quick.reckoned is not None:
        assert quick.reckoned.before == pytest.approx(whole.reckoned.before)
        assert quick.reckoned.after == pytest.approx(whole.reckoned.after)
        assert quick.evidence is not None and whole.evidence is not None
        assert quick.evidence.coverage == whole.evidence.coverage and quick.evidence.labelled == whole.evidence.labelled


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=8)
@given(routers(), routers(), st.lists(st.tuples(requests(), beliefs(), views() | st.just(NO_VIEW)), min_size=3, max_size=8))
def test_quick_and_whole_replays_agree(tmp_path: Path, old: Router, new: Router, asked: list[tuple[Features, Scores, View]]) -> None:
    path = tmp_path / "log.db"
    path.unlink(missing_ok=True)
    numbered = [(msgspec.structs.replace(one, request_id=f"r{n}"), scores, view) for n, (one, scores, view) in enumerate(asked)]
    serve(path, old, numbered)
    for other in (old, renamed(old), renamed(new)):
        agree(*both(path, other))


def test_rules_that_read_sizes_are_asked_of_every_row(tmp_path: Path) -> None:
    rules = [{"when": "input_tokens > 1000 || complexity > 0.7", "use": "best", "why": "large or hard"}]
    spec: dict[str, Any] = {"routes": {"auto": {"difficulty": {"fast": 0.4, "balanced": 0.8}}}}
    old, new = router(spec), renamed(router({"routes": {"auto": {**spec["routes"]["auto"], "rules": rules}}}))
    asked = [
        (features(n / 40, request_id=f"r{n}", input_tokens=100 * n, draw=n / 40), Scores(difficulty=n / 40, by="hints"), NO_VIEW)
        for n in range(40)
    ]
    path = serve(tmp_path / "log.db", old, asked, lambda _d, _m: 0.9)
    whole, quick = both(path, new)
    agree(whole, quick)
    assert quick.rows.changed > 5 and quick.rows.screened > 5


def test_most_rows_of_plain_traffic_are_screened(tmp_path: Path) -> None:
    old = router({"routes": {"auto": {"difficulty": {"fast": 0.3, "balanced": 0.6}}}})
    asked = [(one, Scores(difficulty=one.complexity.score, by="hints"), NO_VIEW) for one, _, _ in asking(300)]
    whole, quick = both(
        serve(tmp_path / "log.db", old, asked), renamed(router({"routes": {"auto": {"difficulty": {"fast": 0.35, "balanced": 0.6}}}}))
    )
    agree(whole, quick)
    assert quick.rows.screened == 300 - quick.rows.changed - 1, "one is decided whole, to hold the screen to it"


def test_a_stored_row_has_the_columns_in_the_logs_order(tmp_path: Path) -> None:
    path = serve(tmp_path / "log.db", router(), [(features(request_id="only"), NO_SCORES, NO_VIEW)])
    with closing(LogReader(path)) as reader:
        ((row,),) = stored_pages(reader)
        known = reader.row("only")
    assert known is not None
    assert {name: getattr(row, name) for name in Stored._fields} == {name: known[name] for name in Stored._fields}
