"""Two cheap models that agree, else the dear one: real recorded answers, end to end through the gateway.

`python -m bench agreement`, or `python -m bench.agreement [COUNT]`. Every question of zeroeval.parquet that the whole fleet has
answered (GSM8K, CRUX, MATH level 5) goes through the official OpenAI SDK to a route with `combine: {models: [mini, deepseek], by:
agreement, else: sonnet}`. Whether two answers agree is told by their words alone; the recorded scores are joined afterwards. The
reference is the dear model alone, on the same questions, paired."""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import yaml
from rich.console import Console
from rich.table import Table

from bench.intervals import bootstrap
from bench.zeroeval import FLEET, Answered, Question, ask_all, questions, table_path, write_table
from tierline.decision_log.reader import LogReader
from tierline.testing.serving import serving
from tierline.types.record import Record

BRANCHES = ("mini", "deepseek")
ELSE = "sonnet"
RESAMPLES = 1000


class Outcome(msgspec.Struct, frozen=True):
    """One question: who answered, its recorded score, USD of every call, and the same of the dear model alone."""

    dataset: str
    model: str
    score: float
    cost: float
    alone_score: float
    alone_cost: float

    @property
    def agreed(self) -> bool:
        """Whether the cheap ones answered it."""
        return self.model != ELSE


def spec(folder: Path) -> Path:
    """Writes tierline.yaml: the three models and one route that combines them."""
    models = {
        name: {"provider": "recorded", "model": upstream, "tier": tier, "price": {"input": input, "output": output}, "context": 128_000}
        for name, (upstream, tier, input, output) in FLEET.items()
        if name in (*BRANCHES, ELSE)
    }
    combine = {"models": list(BRANCHES), "by": "agreement", "else": ELSE}
    written = {
        "version": 1,
        "providers": {"recorded": {"kind": "recorded", "table": str(folder.resolve() / "answers.parquet")}},
        "models": models,
        "routes": {"auto": {"deadline": "30s", "combine": combine}},
    }
    path = folder / "tierline.yaml"
    path.write_text(yaml.safe_dump(written, sort_keys=False))
    return path


def run(folder: Path, source: Path, asked: Sequence[Question], concurrency: int = 16) -> tuple[list[Outcome], list[str]]:
    """The whole run: what each question gave, and what does not add up."""
    write_table(folder / "answers.parquet", asked, source)
    path = spec(folder)
    with serving(path) as gateway:
        answered = asyncio.run(ask_all(gateway.url, asked, concurrency))
    reader = LogReader(folder / "tierline.db")
    rows = {record.decision.request_id: record for record in reader.records()}
    reader.close()
    return [_outcome(one) for one in answered], [wrong for one in answered for wrong in _wrong(one, rows)]


def _outcome(one: Answered) -> Outcome:
    question = one.question
    return Outcome(question.dataset, one.model, question.scores[one.model], one.cost, question.scores[ELSE], question.costs[ELSE])


def _wrong(one: Answered, rows: Mapping[str, Record]) -> list[str]:
    """The answer is the recorded one, every branch is in the row, and its cost is theirs."""
    row, question = rows.get(one.decision), one.question
    if row is None:
        return [f"{question.id}: no row in the log"]
    found = []
    if one.text != question.answers[one.model]:
        found.append(f"{question.id}: the answer is not the recorded one of {one.model}")
    called = [tried.target for tried in row.tried if tried.cause != "judge"]
    if set(called) != {*BRANCHES, *([ELSE] if one.model == ELSE else [])}:
        found.append(f"{question.id}: the row says that {called} were called, and {one.model} answered")
    paid = sum(question.costs[name] for name in called)
    if max(abs(row.cost - paid), abs(one.cost - paid)) > 1e-7:
        found.append(f"{question.id}: {paid} USD were paid, the row says {row.cost}, the header {one.cost}")
    return found


def gap(outcomes: Sequence[Outcome]) -> tuple[float, float]:
    """Quality above the dear model alone (0 to 1), and the share of its cost."""
    quality = statistics.fmean(one.score - one.alone_score for one in outcomes)
    return quality, sum(one.cost for one in outcomes) / sum(one.alone_cost for one in outcomes)


def show(console: Console, outcomes: Sequence[Outcome]) -> None:
    """A row for each data set and one for all."""
    table = Table("data set", "questions", "agreed", "right when agreed", "quality", f"{ELSE} alone", "gap, points", f"cost ÷ {ELSE} alone")
    groups = {name: [one for one in outcomes if one.dataset == name] for name in sorted({one.dataset for one in outcomes})}
    for name, mine in {**groups, "all": list(outcomes)}.items():
        agreed = [one.score for one in mine if one.agreed]
        quality, share = gap(mine)
        low, high = bootstrap(lambda some: gap(some)[0], mine, RESAMPLES)
        table.add_row(
            name,
            str(len(mine)),
            f"{len(agreed) / len(mine):.1%}",
            f"{statistics.fmean(agreed):.1%}" if agreed else "–",
            f"{statistics.fmean(one.score for one in mine):.4f}",
            f"{statistics.fmean(one.alone_score for one in mine):.4f}",
            f"{100 * quality:+.2f} [{100 * low:+.2f}, {100 * high:+.2f}]",
            f"{share:.0%}",
        )
    console.print(table)


def main(count: int | None = None) -> None:
    """Run and print."""
    console = Console(width=150)
    source = table_path()
    if source is None:
        raise SystemExit("zeroeval.parquet is not there: set TIERLINE_DATA to the folder that holds it")
    with tempfile.TemporaryDirectory() as folder:
        outcomes, wrong = run(Path(folder), source, questions(source)[:count])
    console.print(f"{len(outcomes)} questions: {' and '.join(BRANCHES)} agree, else {ELSE}; {len(wrong)} answers, rows or sums wrong")
    if wrong:
        raise SystemExit("\n".join(wrong[:20]))
    show(console, outcomes)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
