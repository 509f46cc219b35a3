"""How well the complexity score ranks real questions: `TIERLINE_DATA=… python bench/complexity.py`

Three looks at the data folder. (1) Easy and hard kinds of prompt: does the score tell arena-hard prompts from intents and everyday
instructions (area under the curve)? (2) Does the mean failure rate over all models rise with the score, over all questions of a data set
and within its tasks (Spearman's rank correlation)? (3) The deciles of score against failure. Beside each stands prompt length alone. The
labels are read here and nowhere else; the figures are in `docs/decisions/0003-complexity-score.md`.
"""

from __future__ import annotations

import os
import statistics
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import duckdb
import msgspec

from tierline.config.loaded import Loaded
from tierline.config.spec import Spec
from tierline.routing.extract import Extractor
from tierline.types.features import Features
from tierline.types.request import Message, Request, Text

DATA = Path(os.environ.get("TIERLINE_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
_SPEC = msgspec.convert({"version": 1, "models": {"mini": {"provider": "p", "model": "m", "tier": "fast"}}}, Spec)
EXTRACT = Extractor(Loaded(spec=_SPEC, path=Path("bench"), models={}, providers={}, keys={}, fingerprint="", parts={}, canonical=b""))


def features(prompt: str) -> Features:
    return EXTRACT(Request(id="r", dialect="bench", model="auto", messages=(Message("user", (Text(prompt),)),)))


def score(prompt: str) -> float:
    return features(prompt).complexity.score


def ranks(values: Sequence[float]) -> list[float]:
    """Ranks from 1, ties sharing their mean."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranked = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end + 1 < len(order) and values[order[end + 1]] == values[order[start]]:
            end += 1
        for index in order[start : end + 1]:
            ranked[index] = (start + end) / 2 + 1
        start = end + 1
    return ranked


def spearman(one: Sequence[float], other: Sequence[float]) -> float:
    """Rank correlation; 0 where one side is constant."""
    if len(set(one)) < 2 or len(set(other)) < 2:
        return 0.0
    return statistics.correlation(ranks(one), ranks(other))


def auc(low: Sequence[float], high: Sequence[float]) -> float:
    """The chance that one of `high` is above one of `low`, ties counting half."""
    ranked = ranks([*low, *high])[len(low) :]
    return (sum(ranked) - len(high) * (len(high) + 1) / 2) / (len(low) * len(high))


def kinds() -> None:
    rows = duckdb.sql(f"select dataset, text from '{DATA}/intents.parquet'").fetchall()
    groups: dict[str, list[str]] = defaultdict(list)
    for dataset, text in rows:
        groups[dataset].append(text)
    hard = groups["arena_hard_v0.1"] + groups["arena_hard_v2.0"]
    print(f"{'kind':22s} {'n':>6s} {'p10':>6s} {'median':>7s} {'p90':>6s}   AUC of arena-hard above it: score, length")
    for name, texts in sorted(groups.items()):
        scores = [score(text) for text in texts]
        cuts = statistics.quantiles(scores, n=10)
        mine, length = auc(scores, [score(text) for text in hard]), auc([len(t) for t in texts], [len(t) for t in hard])
        print(f"{name:22s} {len(texts):6d} {cuts[0]:6.2f} {cuts[4]:7.2f} {cuts[8]:6.2f}   {mine:.3f}, {length:.3f}")


def failures(name: str) -> list[tuple[str, str, float]]:
    """Task, question and mean failure rate over the models."""
    found = duckdb.sql(f"select task, query, 1 - avg(score) from '{DATA}/{name}.parquet' group by task, query_id, query").fetchall()
    return sorted(found, key=lambda row: row[1])


def questions(name: str) -> None:
    rows = failures(name)
    scores, failed = [score(row[1]) for row in rows], [row[2] for row in rows]
    lengths = [len(row[1]) for row in rows]
    by_score, by_length = spearman(scores, failed), spearman(lengths, failed)
    print(f"\n{name}: {len(rows)} questions; Spearman with failure: score {by_score:+.3f}, length {by_length:+.3f}")
    tasks: dict[str, list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        tasks[row[0]].append(index)
    means = {task: (statistics.fmean(scores[i] for i in mine), statistics.fmean(failed[i] for i in mine)) for task, mine in tasks.items()}
    if len(means) > 2:
        print(f"  between the means of {len(means)} tasks: {spearman([m[0] for m in means.values()], [m[1] for m in means.values()]):+.3f}")
    within = []
    for task, mine in sorted(tasks.items()):
        if len(mine) < 30:
            continue
        rho = spearman([scores[i] for i in mine], [failed[i] for i in mine])
        within.append(rho)
        print(f"  {task:36s} n {len(mine):5d}  score {means[task][0]:.2f}  failure {means[task][1]:.2f}  within {rho:+.3f}")
    print(f"  mean within tasks {statistics.fmean(within):+.3f}")
    order = sorted(range(len(rows)), key=scores.__getitem__)
    tenths = [order[len(order) * d // 10 : len(order) * (d + 1) // 10] for d in range(10)]
    print("  failure by tenth of the score:", " ".join(f"{statistics.fmean(failed[i] for i in tenth):.2f}" for tenth in tenths))


def main() -> None:
    kinds()
    for name in ("zeroeval", "mmlu_pro", "ulab_llmrouter", "routellm_mmlu", "routellm_gsm8k"):
        questions(name)


if __name__ == "__main__":
    main()
