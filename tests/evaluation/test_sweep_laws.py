"""Sweep == decide: the choice of every setting of the thresholds is the one that the router makes with that setting in its spec."""

from __future__ import annotations

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.worlds import RATES, beliefs, requests, routers, views
from tierline.evaluation.sweep.choose import Chooser, Thresholds, thresholds_of
from tierline.evaluation.sweep.questions import questions
from tierline.routing.router import Router
from tierline.types.features import Complexity, Features
from tierline.types.scores import Scores
from tierline.types.view import View

Asked = tuple[Features, Scores, View]
CEILING = st.sampled_from([0.0, 0.2, 0.35, 0.7, 1.0]) | RATES


@st.composite
def settings_of(draw: st.DrawFn, router: Router) -> Thresholds:
    now = thresholds_of(router)
    low, high = sorted((draw(CEILING), draw(CEILING)))
    bar = st.sampled_from([0.5, 0.9, 0.97]) | RATES
    tasks = {name: draw(st.none() | bar) if name else None for name in now.task_bars}
    return Thresholds(dict.fromkeys(now.ceilings, (low, high, 1.0)), {name: draw(bar) for name in now.bars}, tasks)


def with_thresholds(router: Router, at: Thresholds) -> Router:
    """The router of the same spec with these thresholds."""
    moved = Router(router.loaded)
    routes = {n: msgspec.structs.replace(r, ceilings=at.ceilings[n], bar=at.bars[n]) for n, r in router.policy.routes.items()}
    tasks = {n: msgspec.structs.replace(t, bar=at.task_bars[n]) for n, t in router.policy.tasks.items()}
    moved.policy = msgspec.structs.replace(router.policy, routes=routes, tasks=tasks)
    return moved


def chosen(router: Router, asked: list[Asked], at: Thresholds) -> list[str]:
    """The first targets; found one by one and looked up they are the same."""
    names, columns = router.policy.fleet.names, questions(router, asked)
    found, looked_up = Chooser(columns).choose(at), Chooser(columns, times=10_000).choose(at)
    assert np.array_equal(found, looked_up)
    return ["" if i < 0 else names[i] for i in found]


@settings(max_examples=100)
@given(st.data())
def test_the_sweep_chooses_as_the_router_would(data: st.DataObject) -> None:
    router = data.draw(routers())
    asked = data.draw(st.lists(st.tuples(requests(), beliefs(), views()), min_size=1, max_size=4))
    for _ in range(3):
        at = data.draw(settings_of(router))
        moved = with_thresholds(router, at)
        assert chosen(router, asked, at) == [moved.decide(*one).target for one in asked]


@settings(max_examples=40)
@given(st.data())
def test_as_it_stands_it_is_the_spec_itself(data: st.DataObject) -> None:
    router = data.draw(routers())
    asked = data.draw(st.lists(st.tuples(requests(), beliefs(), views()), min_size=1, max_size=3))
    assert chosen(router, asked, thresholds_of(router)) == [router.decide(*one).target for one in asked]


@settings(max_examples=40)
@given(st.data())
def test_a_difficulty_on_the_very_ceiling_still_belongs_to_its_rung(data: st.DataObject) -> None:
    router = data.draw(routers(select="cheapest_above_bar", rules=False, explore=0.0))
    ceiling = data.draw(CEILING)
    at = Thresholds({"auto": (ceiling, max(ceiling, 0.9), 1.0)}, {"auto": 0.9}, {"t": None, "": None})
    features = msgspec.structs.replace(data.draw(requests()), complexity=Complexity(ceiling))
    one = (features, Scores(), View())
    assert chosen(router, [one], at) == [with_thresholds(router, at).decide(*one).target]


@settings(max_examples=40)
@given(st.data())
def test_many_at_once_choose_as_each_alone(data: st.DataObject) -> None:
    router = data.draw(routers())
    asked = data.draw(st.lists(st.tuples(requests(), beliefs(), views()), min_size=2, max_size=4))
    at = data.draw(settings_of(router))
    together = Chooser(questions(router, asked)).choose(at)
    alone = [Chooser(questions(router, [one])).choose(at)[0] for one in asked]
    assert np.array_equal(together, alone)
