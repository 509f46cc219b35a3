"""What a decision costs: 12 models, 10 rules, 5 tasks. `python -m bench decide`.

Each figure is measured call by call on one thread, the collector on, over requests that differ in task, difficulty, needs and size. No
request may take another road than in the gateway: settle, decide, pursue, then the same decided again from the record."""

from __future__ import annotations

import gc
import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from tierline.routing.pursue import pursue
from tierline.routing.router import Router
from tierline.testing import builders
from tierline.types.decision import Decision
from tierline.types.features import Features
from tierline.types.outcome import Outcome
from tierline.types.record import Record
from tierline.types.scores import NO_SCORES, Scores
from tierline.types.view import View

TIERS = ("fast", "balanced", "best")
TASKS = ("orders", "labels", "extraction", "policy", "code")
FLEET: Mapping[str, Mapping[str, Any]] = {
    f"m{n:02}": {"tier": TIERS[n // 4], "price": (0.1 * (n + 1), 0.4 * (n + 1)), "provider": f"p{n % 3}", "region": ("eu", "us")[n % 2]}
    for n in range(12)
}
RULES = [
    {"when": f"signals.s{n} > 2 && input_tokens > {1000 * n}", "use": ["m03", "m07", "m11"][n % 3], "why": "never twice in a thousand"}
    for n in range(5)
] + [
    {"when": "task == 'policy' && user_tier == 'free'", "use": ["m04", "m08"], "why": "as agreed"},
    {"when": "operation == 'extraction' && needs.json_schema && turns > 8", "use": "balanced", "why": "long forms"},
    {"when": "code && complexity > 0.8", "use": "best", "why": "hard code"},
    {"when": "language == 'ja' && questions > 5", "use": ["m05"], "why": "it reads Japanese best"},
    {"when": "session != '' && 'vip' in tags", "use": "best", "why": "they pay for it"},
]
SPEC: Mapping[str, Any] = {
    "signals": {f"s{n}": {"keywords": [f"word{n}"]} for n in range(5)},
    "tasks": {
        name: {"why": "a task", "quality_bar": 0.85 + 0.02 * n, "risk": "high" if name == "policy" else "",
               "quality": {f"m{m:02}": min(0.99, 0.70 + 0.025 * m) for m in range(12)}}
        for n, name in enumerate(TASKS)
    },
    "routes": {"auto": {"difficulty": {"fast": 0.35, "balanced": 0.7}, "rules": RULES}},
    "governance": {"rules": [{"when": "risk == 'high'", "allow": {"region": "eu"}, "why": "held in the EU"}]},
}  # fmt: skip
VIEW = View(load={"m03": 4}, token_scale={"m00": 1.05})


def requests(count: int, seed: int = 3) -> list[tuple[Features, Scores]]:
    """Mixed requests: four in five with a task of the scorer, every tenth with code, a few that a rule matches."""
    dice = random.Random(seed)
    return [_request(n, dice) for n in range(count)]


def _request(n: int, dice: random.Random) -> tuple[Features, Scores]:
    task = dice.choice((*TASKS, ""))
    features = builders.features(
        round(dice.random(), 4),
        request_id=f"r{n}",
        input_tokens=dice.randint(20, 6000),
        output_tokens=dice.randint(10, 800),
        code=dice.random() < 0.1,
        language=dice.choice(("en", "de", "ja")),
        needs=("chat", "json_schema") if dice.random() < 0.2 else ("chat",),
        draw=dice.random(),
        signals={"s1": 3} if dice.random() < 0.05 else {},
    )
    return features, Scores(task={task: 0.9}, difficulty=features.complexity.score, by="bench") if task else NO_SCORES


def spread(calls: Sequence[Callable[[], object]], warm: int = 500) -> list[float]:
    """Microseconds of each call, sorted, after a warm-up."""
    for call in calls[:warm]:
        call()
    took = []
    for call in calls:
        began = time.perf_counter_ns()
        call()
        took.append((time.perf_counter_ns() - began) / 1000)
    return sorted(took)


def course(decision: Decision) -> object:
    """A whole course whose first target answers."""
    running = pursue(decision)
    next(running)
    try:
        running.send((Outcome(ok=True, cost=0.001, elapsed=0.2),))
    except StopIteration as ended:
        return ended.value
    return None


def records(router: Router, asked: Sequence[tuple[Features, Scores]]) -> list[Record]:
    """What the log would hold of them."""
    decided = [(f, s, router.decide(f, s, VIEW)) for f, s in asked]
    return [Record(at=float(n), features=f, decision=d, scores=s, view=router.seen(f, d, VIEW)) for n, (f, s, d) in enumerate(decided)]


def replayed_per_second(router: Router, rows: Sequence[Record]) -> float:
    """Decisions made again from their rows, in a second of one core; every one must come out the same."""
    began = time.perf_counter()
    same = sum(router.decide(row.features, row.scores, row.view) == row.decision for row in rows)
    took = time.perf_counter() - began
    if same != len(rows):
        raise SystemExit(f"{len(rows) - same} of {len(rows)} decisions came out differently")
    return len(rows) / took


def main(count: int = 20_000) -> None:
    """Measure and print."""
    router = builders.router(SPEC, FLEET)
    asked = requests(count)
    rows = records(router, asked)
    gc.freeze()  # as the gateway does after its start: what was there before is not looked at again
    table = Table(
        "what",
        "p50 µs",
        "p95 µs",
        "mean µs",
        title=f"a decision: {len(FLEET)} models, {len(RULES)} rules, {len(TASKS)} tasks, {count:,} requests",
    )
    measured = {
        "settle": [lambda f=f: router.settle(f) for f, _ in asked],
        "decide": [lambda f=f, s=s: router.decide(f, s, VIEW) for f, s in asked],
        "pursue, first target answers": [lambda d=row.decision: course(d) for row in rows],
    }
    for name, calls in measured.items():
        took = spread(calls)
        table.add_row(name, f"{statistics.median(took):.1f}", f"{took[int(0.95 * len(took))]:.1f}", f"{statistics.fmean(took):.1f}")
    console = Console(width=120)
    console.print(table)
    console.print(f"replayed from records: {replayed_per_second(router, rows):,.0f} decisions per second and core")
    ruled = sum(any(reason.why == "rule" for reason in row.decision.reasons) for row in rows)
    console.print(f"{len({row.decision.target for row in rows})} models chosen, a rule decided {ruled / count:.1%}")


if __name__ == "__main__":
    main()
