"""What pacing is worth: a replayed week under a budget that does not reach. `python -m bench.pacing [seeds [first]]`.

Real questions, scores and costs (RouteLLM's MMLU table: GPT-4 and Mixtral, 57 subjects) are sent through `tierline simulate`'s own
machinery: `Router.decide`, `pursue`, and the budgets that a gateway keeps, over reckoned time. Pass rates by subject come from one half
of the questions, the week from the other. Demand has day and night and a weekend; the paced policy has seen the four weeks before, or
nothing.

    stop        the bar as it is until the money is gone, then nobody answers
    cheapest    the bar as it is until the money is gone, then Mixtral
    uniform     a share of the requests goes to Mixtral, all week, chosen afterwards so that the money just reaches
    paced       pace: spread, having learnt from the weeks before; `cold`: knowing nothing
"""

from __future__ import annotations

import math
import os
import random
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table as Shown

from tierline.evaluation.datasets import Reading, read
from tierline.evaluation.simulate.outcomes import Fitted, from_table
from tierline.evaluation.simulate.simulate import Happened, simulate
from tierline.evaluation.simulate.workload import Asker, Sent
from tierline.evaluation.table import Table
from tierline.routing.router import Router
from tierline.state.pacing import Demand, learn
from tierline.testing import builders
from tierline.types.hints import Hints
from tierline.types.view import NO_VIEW

MONDAY = 1_795_392_000.0
"""2026-11-23T00:00Z."""
WEEK = 7 * 86400.0
REQUESTS = 5000
SEEDS = 12
BAR, TOLERANCE = 0.9, 0.4
SHARES = (0.6, 0.8)
"""Of what the week would cost without a budget."""
STRONG, WEAK = "gpt-4-1106-preview", "mistralai/Mixtral-8x7B-Instruct-v0.1"
FLEET = {
    "weak": {"tier": "fast", "price": (0.24, 0.24), "upstream": WEAK},
    "strong": {"tier": "best", "price": (10.0, 30.0), "upstream": STRONG},
}


class Figures(msgspec.Struct, frozen=True):
    """One run: USD, the mean score of all requests (nobody's answer counts 0), and the share that nobody answered."""

    spent: float
    quality: float
    unanswered: float


def spec(quality: Mapping[str, Mapping[str, float]], **budget: Any) -> Router:
    """The router of a week, with its one budget."""
    tasks = {
        task: {"why": "a subject", "models": [], "quality": dict(known), "quality_bar": BAR, "tolerance": TOLERANCE}
        for task, known in quality.items()
    }
    budgets = {"week": {"per": "week", **budget}} if budget else {}
    return builders.router({"tasks": tasks, "routes": {"auto": {"deadline": "600s"}}, "budgets": budgets}, FLEET)


def pass_rates(table: Table, rows: Sequence[int]) -> dict[str, dict[str, float]]:
    """By subject and model from these rows, shrunk towards the model's mean as if ten more had been seen."""
    found: dict[str, dict[str, float]] = {}
    for task in dict.fromkeys(table.task):
        mine = [row for row in rows if table.task[row] == task]
        found[task] = {}
        for name, about in FLEET.items():
            scores = table.score[:, table.models.index(str(about["upstream"]))]
            found[task][name] = float((scores[mine].sum() + 10 * scores[list(rows)].mean()) / (len(mine) + 10))
    return found


def intensity(at: float) -> float:
    """Requests in an hour of the week, relative: busy by day, a tenth at night, a third of it at the weekend."""
    hour, day = at / 3600 % 24, int(at // 86400)
    busy = 0.1 + 0.9 * math.exp(-(((hour - 14.0) / 4.5) ** 2))
    return busy * (1.0 if day < 5 else 0.35)


def week(asked: Sequence[Sent], seed: int) -> list[Sent]:
    """A week of requests drawn from these, at times that follow the demand. Days differ by chance: up to a fifth either way."""
    dice = random.Random(seed)
    mood = [dice.uniform(0.8, 1.2) for _ in range(7)]
    found: list[Sent] = []
    while len(found) < REQUESTS:
        at = dice.uniform(0.0, WEEK)
        if dice.random() < intensity(at) * mood[int(at // 86400)] / 1.2:
            one, number = dice.choice(asked), len(found)
            features = msgspec.structs.replace(one.features, request_id=f"{one.features.request_id}~{number}", draw=dice.random())
            found.append(msgspec.structs.replace(one, features=features, at=at))
    return sorted(found, key=lambda one: one.at or 0.0)


def learnt(weeks: Sequence[Sequence[Sent]]) -> Demand:
    """What a log of the weeks before would teach: tokens by hour."""
    seen = []
    for ago, sent in enumerate(weeks, 1):
        for one in sent:
            hour = MONDAY - ago * WEEK + (one.at or 0.0) // 3600 * 3600
            seen.append((hour, float(one.features.input_tokens + one.features.output_tokens)))
    return learn(seen, "UTC")


def figures(happened: Sequence[Happened]) -> Figures:
    scores = [one.score for one in happened]
    return Figures(
        sum(one.result.cost for one in happened),
        float(np.mean([score or 0.0 for score in scores])),
        sum(score is None for score in scores) / len(scores),
    )


def played(router: Router, fitted: Fitted, sent: Sequence[Sent], seed: int, demand: Demand | None = None) -> Figures:
    known = {} if demand is None else {"week": demand}
    return figures(simulate(router, fitted, sent, seed=seed, began=MONDAY, demand=known))


def uniform(free: Router, fitted: Fitted, sent: Sequence[Sent], money: float) -> Figures:
    """The share of requests sent to the weak model that makes the week cost just the money: found afterwards, which no gateway could."""
    cells = fitted.cells
    choice = [free.decide(one.features, one.scores, NO_VIEW, None).target for one in sent]
    low, high = 0.0, 1.0
    told = Figures(0.0, 0.0, 0.0)
    for _ in range(30):
        share = (low + high) / 2
        picked = ["weak" if one.features.draw < share else name for one, name in zip(sent, choice, strict=True)]
        paid = [cells[one.query, name] for one, name in zip(sent, picked, strict=True)]
        told = Figures(sum(cell.cost or 0.0 for cell in paid), float(np.mean([cell.score for cell in paid])), 0.0)
        low, high = (share, high) if told.spent > money else (low, share)
    return told


def compare(table: Table, seeds: range) -> dict[tuple[float, str], list[tuple[Figures, Figures, float]]]:
    """For every share of the money and policy: the run, the one without a budget, and the money."""
    found: dict[tuple[float, str], list[tuple[Figures, Figures, float]]] = {}
    for seed in seeds:
        rows = list(range(len(table.query)))
        random.Random(seed).shuffle(rows)
        trained, held = rows[: len(rows) // 2], rows[len(rows) // 2 :]
        quality = pass_rates(table, trained)
        free = spec(quality)
        fitted = from_table(free.loaded, table, {name: str(about["upstream"]) for name, about in FLEET.items()})
        asker = Asker(free)
        asked = []
        for row in held:
            body = {"model": "auto", "messages": [{"role": "user", "content": (table.text or [""])[row]}]}
            features, scores = asker.ask(table.query[row], body, Hints(task=table.task[row]))
            asked.append(Sent(table.query[row], table.task[row], features, scores))
        demand, sent = learnt([week(asked, 1000 * ago + seed) for ago in range(1, 5)]), week(asked, seed)
        reference = played(free, fitted, sent, seed)
        for share in SHARES:
            money = share * reference.spent
            runs = {
                "stop": played(spec(quality, limit=money, at_limit="reject"), fitted, sent, seed),
                "cheapest": played(spec(quality, limit=money, at_limit="cheapest"), fitted, sent, seed),
                "uniform": uniform(free, fitted, sent, money),
                "paced": played(spec(quality, limit=money, at_limit="cheapest", pace="spread"), fitted, sent, seed, demand),
                "paced, cold": played(spec(quality, limit=money, at_limit="cheapest", pace="spread"), fitted, sent, seed),
            }
            for name, run in runs.items():
                found.setdefault((share, name), []).append((run, reference, money))
    return found


def interval(values: Sequence[float], form: str) -> str:
    """The mean and, in brackets, the least and the greatest of all seeds."""
    return f"{np.mean(values):{form}} [{min(values):{form}}, {max(values):{form}}]"


STUDENT = {3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262, 11: 2.228, 12: 2.201}
"""The 97.5 % quantile of Student's t for the mean of so many."""


def paired(values: Sequence[float]) -> str:
    """The mean and its 95 % interval, by Student's t over the seeds."""
    if len(values) not in STUDENT:
        return f"{np.mean(values):+.2f}"
    half = STUDENT[len(values)] * float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return f"{np.mean(values):+.2f} [{np.mean(values) - half:+.2f}, {np.mean(values) + half:+.2f}]"


def main(seeds: int = SEEDS, first: int = 0) -> int:
    """Measure and print; 1 where the paced policy misses its budget by more than 2 %, or loses no less quality than the others."""
    data = Path(os.environ.get("TIERLINE_DATA") or Path(__file__).parents[2] / "shared" / "data", "routellm_mmlu.parquet")
    if not data.exists():
        raise SystemExit(f"{data.name} is not there: set TIERLINE_DATA to the folder that holds it")
    table = read([data], Reading(text=True)).table
    found = compare(table, range(first, first + seeds))
    shown = Shown(
        "budget",
        "policy",
        "spent / budget",
        "quality lost",
        "unanswered",
        "paced loses less by",
        title=f"{REQUESTS:,} requests a week, {seeds} seeds",
    )
    bad = []
    lost: dict[tuple[float, str], float] = {}
    for (share, name), runs in found.items():
        used = [run.spent / money for run, _, money in runs]
        loss = [(reference.quality - run.quality) * 100 for run, reference, _ in runs]
        lost[share, name] = float(np.mean(loss))
        by = [(mine.quality - run.quality) * 100 for (run, _, _), (mine, _, _) in zip(runs, found[share, "paced"], strict=True)]
        gone = interval([run.unanswered for run, _, _ in runs], ".1%")
        against = "" if name == "paced" else paired(by)
        shown.add_row(f"{share:.0%}", name, interval(used, ".3f"), interval(loss, ".2f"), gone, against)
        if name == "paced" and max(abs(one - 1.0) for one in used) > 0.02:
            bad.append(f"{share:.0%}: the paced week does not end within 2 % of its budget")
    for share in SHARES:
        bad += [f"{share:.0%}: {name} loses less" for name in ("stop", "uniform") if lost[share, name] <= lost[share, "paced"]]
    Console(width=140).print(shown)
    print("quality lost: points of the mean score, against the same week without a budget, mean [least, greatest of the seeds];")
    print("paced loses less by: points, paired by seed, with the 95 % interval of the mean")
    for line in bad:
        print(line)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:3])))
