"""How often do two cheap models agree, and how often are they right then? Answers of zeroeval.parquet. `python -m bench normalise`.

Offline: no gateway, only `normalised_all` on the recorded answers, and the recorded scores and costs. The policy measured: where
gpt-4o-mini and deepseek-v2.5 say the same, their answer; else that of Claude 3.5 Sonnet. It pays for both, and for Sonnet where they
differ."""

from __future__ import annotations

import random
import statistics
from collections.abc import Sequence

import duckdb
import msgspec
from rich.console import Console
from rich.table import Table

from bench.zeroeval import table_path
from tierline.validators.normalise import normalised_all

FIRST, SECOND, LAST = "gpt-4o-mini-2024-07-18", "deepseek-v2.5-0908", "claude-3-5-sonnet-20241022"
WAYS = ("auto", "number", "text")


class Asked(msgspec.Struct, frozen=True):
    """One question: its data set, and of each of the three models the answer, the score (0 or 1) and the USD."""

    task: str
    answers: tuple[str, str, str]
    scores: tuple[float, float, float]
    costs: tuple[float, float, float]


class Figures(msgspec.Struct, frozen=True):
    """What agreement gives: the share of questions on which the two agree, how often that is right, how often both were right without
    being seen to agree, and the policy's quality and cost beside the last model's."""

    questions: int
    agree: float
    right: float
    missed: int
    quality: float
    last_quality: float
    cost_ratio: float
    interval: tuple[float, float]


def questions(path: str) -> list[Asked]:
    """Those that all three have answered."""
    rows = duckdb.execute(
        "select any_value(task), list(model), list(response), list(score), list(cost_usd) from read_parquet(?) "
        "where list_contains(?, model) group by query_id having count(distinct model) = 3 and count(*) = 3 order by query_id",
        [path, [FIRST, SECOND, LAST]],
    ).fetchall()
    found = []
    for task, models, *columns in rows:
        at = [models.index(name) for name in (FIRST, SECOND, LAST)]
        found.append(Asked(task, *(tuple(column[place] for place in at) for column in columns)))
    return found


def agreements(asked: Sequence[Asked], how: str) -> list[bool]:
    """Question by question, whether the two say the same."""
    forms = [normalised_all(one.answers[:2], how) for one in asked]
    return [first is not None and first == second for first, second in forms]


def figures(asked: Sequence[Asked], agree: Sequence[bool], resamples: int = 500) -> Figures:
    """The policy on these questions; the interval is of its quality less the last model's (95 %, paired bootstrap)."""
    pairs = list(zip(asked, agree, strict=True))
    given = [one.scores[0] if same else one.scores[2] for one, same in pairs]
    spent = sum(one.costs[0] + one.costs[1] + (0 if same else one.costs[2]) for one, same in pairs)
    gains = [score - one.scores[2] for score, (one, _) in zip(given, pairs, strict=True)]
    dice = random.Random(1)
    means = sorted(statistics.fmean(dice.choices(gains, k=len(gains))) for _ in range(resamples))
    return Figures(
        questions=len(asked),
        agree=statistics.fmean(agree),
        right=statistics.fmean(one.scores[0] for one, same in pairs if same),
        missed=sum(not same and one.scores[0] == one.scores[1] == 1 for one, same in pairs),
        quality=statistics.fmean(given),
        last_quality=statistics.fmean(one.scores[2] for one in asked),
        cost_ratio=spent / sum(one.costs[2] for one in asked),
        interval=(means[int(0.025 * resamples)], means[int(0.975 * resamples)]),
    )


def main() -> None:
    """A row for each way to normalise, over all questions and for each data set."""
    path = table_path()
    if path is None:
        raise SystemExit("zeroeval.parquet is not there: set TIERLINE_DATA to the folder that holds it")
    asked = questions(str(path))
    columns = ("normalise", "questions", "agree", "right then", "missed", "quality", "Sonnet alone", "difference, points", "cost")
    table = Table(*columns)
    for how in WAYS:
        agree = agreements(asked, how)
        for task in ("all", *sorted({one.task for one in asked})):
            kept = [(one, same) for one, same in zip(asked, agree, strict=True) if task in ("all", one.task)]
            found = figures([one for one, _ in kept], [same for _, same in kept])
            low, high = found.interval
            gain = 100 * (found.quality - found.last_quality)
            table.add_row(
                f"{how}, {task}", str(found.questions), f"{found.agree:.1%}", f"{found.right:.1%}", str(found.missed),
                f"{found.quality:.4f}", f"{found.last_quality:.4f}", f"{gain:+.2f} [{100 * low:+.2f}, {100 * high:+.2f}]",
                f"{found.cost_ratio - 1:+.1%}",
            )  # fmt: skip
    console = Console(width=140)
    console.print(table)
    console.print("missed: both were right, and were not seen to agree. cost: beside Sonnet alone.")


if __name__ == "__main__":
    main()
