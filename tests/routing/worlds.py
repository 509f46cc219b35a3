"""Random specs, requests and worlds for the laws of routing."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tierline.routing.router import Router
from tierline.testing.builders import features, router
from tierline.types.access import Key
from tierline.types.features import Features
from tierline.types.scores import Scores
from tierline.types.view import Latency, View

TIERS = ("fast", "balanced", "best")
NAMES = ("a", "b", "c", "d", "e", "f")
RATES = st.floats(0.0, 1.0, allow_nan=False)
COUNTS = st.sampled_from([3, 20, 500])
CHECKS = st.sampled_from([[], [{"max_chars": 10, "retry": 1}, {"confidence": 0.5}]])
NEEDS = st.lists(st.sampled_from(["tools", "vision", "json_schema"]), unique=True, max_size=2)


@st.composite
def fleets(draw: st.DrawFn) -> dict[str, dict[str, Any]]:
    names = NAMES[: draw(st.integers(1, len(NAMES)))]
    return {
        name: {
            "tier": draw(st.sampled_from(TIERS)),
            "price": (draw(st.floats(0, 20)), draw(st.floats(0, 80))),
            "provider": draw(st.sampled_from(["acme", "apex"])),
            "context": draw(st.sampled_from([0, 1_000, 200_000])),
            "residency": draw(st.sampled_from(["cloud", "on_prem"])),
            "max_concurrency": draw(st.sampled_from([None, 1, 5])),
            "capabilities": ("chat", *draw(NEEDS)),
        }
        for name in names
    }


@st.composite
def combinations(draw: st.DrawFn, names: list[str]) -> dict[str, Any] | None:
    """How a route combines; mostly it does not."""
    if draw(st.integers(0, 3)):
        return None
    by = draw(st.sampled_from(["agreement", "majority", "judge", "first_valid"]))
    models = draw(st.lists(st.sampled_from(names), unique=True, min_size=2, max_size=3))
    other = next((name for name in names if name not in models), "")
    cap = draw(st.sampled_from([None, 0.001]))
    return {"models": models, "by": by, "judge": names[-1] if by == "judge" else "", "else": other, "max_cost": cap}


@st.composite
def routers(
    draw: st.DrawFn,
    *,
    select: str | None = None,
    rules: bool = True,
    explore: float | None = None,
    sessions: bool = True,
    experiments: bool = True,
) -> Router:
    fleet = draw(fleets())
    names = st.sampled_from(sorted(fleet))
    some = st.lists(names, unique=True, max_size=3)
    models = draw(some)
    fallback = [name for name in draw(some) if name not in models] if models else []
    task = {
        "why": "a task of the laws",
        "models": models,
        "fallback": fallback,
        "quality_bar": draw(RATES),
        "failure_cost": draw(st.floats(0, 1)),
        "quality": {name: draw(RATES) for name in draw(some)},
        "prefer": "cost" if select else draw(st.sampled_from(["cost", "quality", "latency"])),
        "latency_budget": draw(st.sampled_from([None, 1.0, 30.0, 600.0])),
        "validate": draw(CHECKS),
        "stream": draw(st.sampled_from([None, "optimistic"])),
        "tolerance": draw(st.sampled_from([None, 0.0, 0.3])),
    }
    uses: list[Any] = [*tiers_of(fleet), sorted(fleet)[:2], sorted(fleet)[0]]
    found = draw(st.lists(st.sampled_from(uses), max_size=2)) if rules else []
    route = {
        "select": select
        or draw(st.sampled_from(["cheapest_above_bar", "static", "by_difficulty", "fastest", "best_within_budget", "weighted"])),
        "explore": draw(st.sampled_from([0.0, 0.3])) if explore is None else explore,
        "weights": {name: draw(st.floats(0, 5)) for name in draw(some)},
        "rules": [{"when": f"turns > {2 * i + 2}", "use": use, "why": "a rule"} for i, use in enumerate(found)],
        "cascade": {
            "max_attempts": draw(st.integers(1, 6)),
            "max_cost": draw(st.sampled_from([None, 0.001, 0.1])),
            "on_refusal": draw(st.sampled_from(["", sorted(fleet)[0]])),
            "on_low_confidence": draw(st.sampled_from(["climb", "flag"])),
        },
        "combine": draw(combinations(sorted(fleet))) if rules and len(fleet) > 1 else None,
        "hedge": draw(st.sampled_from([None, {"after": "p95"}, {"after": "800ms"}])),
        "session": {"sticky": sessions and draw(st.booleans()), "max_switch_premium": draw(st.sampled_from([0.0, 0.1, 5.0]))},
        "validate": draw(CHECKS),
        "shadow": {"models": draw(some), "share": draw(st.sampled_from([0.0, 0.5, 1.0])), "sensitive": draw(st.booleans())},
    }
    governance = {"rules": [{"when": "sensitivity.pii", "allow": {"residency": "on_prem"}, "why": "stays in house"}]}
    keys = {b"k": Key("team", models=frozenset(draw(st.sets(names, min_size=1))))}
    spec = {"tasks": {"t": task}, "routes": {"auto": route}, "governance": governance}
    if experiments and rules and explore is None and select is None:
        spec["experiments"] = draw(compared(sorted(fleet)))
    return router(spec, fleet, keys=keys)


@st.composite
def compared(draw: st.DrawFn, names: list[str]) -> dict[str, Any]:
    """The experiments of a spec; mostly there are none."""
    if draw(st.integers(0, 2)):
        return {}
    arms: dict[str, Any] = {"control": 0.3, names[0]: 0.2, "both": {"share": 0.2, "use": names[:2]}}
    arms["strict"] = {"share": 0.2, "task": {"quality_bar": 0.99, "models": names[-2:], "validate": [{"max_chars": 3}]}}
    return {"e": {"tasks": ["t"], "arms": {arm: arms[arm] for arm in draw(st.sets(st.sampled_from(sorted(arms)), min_size=1))}}}


def tiers_of(fleet: dict[str, dict[str, Any]]) -> list[str]:
    return sorted({about["tier"] for about in fleet.values()})


@st.composite
def requests(draw: st.DrawFn) -> Features:
    hints: dict[str, Any] = {
        "task": draw(st.sampled_from(["", "t"])),
        "max_cost": draw(st.sampled_from([None, 0.0001, 0.01])),
        "latency_budget": draw(st.sampled_from([None, 0.5, 10.0])),
    }
    return features(
        draw(RATES),
        hints=hints,
        key=draw(st.sampled_from(["", "team"])),
        needs=("chat", *draw(NEEDS)),
        turns=draw(st.integers(1, 6)),
        input_tokens=draw(st.integers(0, 5_000)),
        output_tokens=draw(st.integers(0, 2_000)),
        sensitivity=tuple(draw(st.sampled_from([(), ("pii",)]))),
        draw=draw(st.floats(0, 1, exclude_max=True)),
        stream=draw(st.booleans()),
        tool_loop=draw(st.integers(0, 4)) == 0,
        sealed=draw(st.integers(0, 4)) == 0,
        key_models=draw(st.sampled_from([(), (), ("a",), ("b", "gone"), ("gone",)])),
        key_task=draw(st.sampled_from(["", "", "t"])),
    )


@st.composite
def beliefs(draw: st.DrawFn, *, abstained: bool | None = None) -> Scores:
    return Scores(
        task=draw(st.sampled_from([{}, {"t": 0.9}, {"t": 0.4}])),
        difficulty=draw(st.none() | RATES),
        good={name: draw(RATES) for name in draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=2))},
        cost=draw(st.sampled_from([{}, {"a": 0.0005, "b": 0.05}])),
        abstained=draw(st.booleans()) if abstained is None else abstained,
        asked=draw(st.sampled_from(["", "", "a"])),
    )


@st.composite
def views(draw: st.DrawFn) -> View:
    some = st.lists(st.sampled_from(NAMES), unique=True, max_size=3)
    return View(
        resting=dict.fromkeys(draw(some), 5.0),
        load={name: draw(st.integers(0, 9)) for name in draw(some)},
        latency={name: Latency(draw(st.floats(0.1, 2)), draw(st.floats(0.1, 20)), draw(COUNTS)) for name in draw(some)},
        ttft={name: Latency(draw(st.floats(0.1, 2)), draw(st.floats(0.1, 20)), draw(COUNTS)) for name in draw(some)},
        pressure={name: draw(RATES) for name in draw(some)},
        warm=draw(st.sampled_from(["", "", *NAMES])),
        pins={"auto": draw(st.sampled_from(NAMES))} if draw(st.booleans()) and draw(st.booleans()) else {},
        token_scale={name: draw(st.floats(0.5, 2)) for name in draw(some)},
        limited=dict.fromkeys(draw(some), 3.0) if draw(st.booleans()) else {},
        arms=draw(st.sampled_from([{}, {"e/control": 0.0}, {"e/strict": 0.9, "e/both": 0.05}])),
        assigned=draw(st.sampled_from(["", "", "", "-", "e/strict", "f/elsewhere"])),
    )
