"""Real answers, routed: 1,000 prompts of zeroeval.parquet through the official OpenAI SDK against a running gateway with recorded models.

`python -m bench zeroeval`. The recorded scores never reach the gateway: its table is written without them, and they are joined
here, afterwards. Prompts carry no hint. The pass rates the spec declares are counted on the other half of the questions."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import os
import statistics
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import openai
import yaml
from rich.console import Console
from rich.table import Table

from bench.intervals import bootstrap
from tierline.decision_log.reader import LogReader
from tierline.demo.figures import Single, best, cheapest, random_mix, zero_router
from tierline.testing.serving import serving

FLEET: Mapping[str, tuple[str, str, float, float]] = {
    "deepseek": ("deepseek-v2.5-0908", "fast", 0.14, 0.28),
    "mini": ("gpt-4o-mini-2024-07-18", "fast", 0.15, 0.60),
    "haiku": ("claude-3-haiku-20240307", "fast", 0.25, 1.25),
    "mistral": ("Mistral-Large-2", "balanced", 2.00, 6.00),
    "llama": ("Llama-3.1-405B-Inst@sambanova", "balanced", 3.50, 3.50),
    "gpt4o": ("gpt-4o-2024-08-06", "best", 2.50, 10.00),
    "sonnet": ("claude-3-5-sonnet-20241022", "best", 3.00, 15.00),
}
"""Name in the spec → model in the table, tier, and the USD per million tokens in and out that its recorded costs imply."""

TASKS: Mapping[str, Mapping[str, Any]] = {
    "code_output": {
        "why": "What a Python function returns for one input; an answer is right or wrong.",
        "match": {"keywords": ["python function", "complete the assertion"], "patterns": [r"\[PYTHON\]", r"assert f\("]},
    },
    "competition_maths": {
        "why": "Competition problems, written in LaTeX.",
        "match": {"patterns": [r"\$[^\s$]([^$\n]{0,200}[^\s$])?\$", r"\\[\[(]", r"\[asy\]"]},
    },
    "word_problems": {
        "why": "School arithmetic told as a story.",
        "match": {
            "keywords": [
                "how many", "how much", "how long", "how far", "how old", "how tall", "how fast", "what is the total", "what's the total",
                "in total", "altogether", "each day", "per week", "costs", "calculate",
            ],
        },
    },
}  # fmt: skip
"""What a person who has read some prompts of the calibration half would write."""

TASK_OF = {"crux": "code_output", "math-l5": "competition_maths", "gsm": "word_problems"}
"""The table's own name of each data set → our task; used after the run, to say how often the task was recognised."""

SPENDS = (0.35, 0.5, 0.75)
"""Three teams: the bars of each ask for the best quality that costs at most this share of sending everything to the best model."""


class Question(msgspec.Struct, frozen=True):
    """One question and, by model of the fleet, the recorded answer, score (0 to 1) and USD."""

    id: str
    text: str
    dataset: str
    answers: Mapping[str, str]
    scores: Mapping[str, float]
    costs: Mapping[str, float]


class Answered(msgspec.Struct, frozen=True):
    """One question as the gateway answered it. `cost` in USD is the header's."""

    question: Question
    model: str
    task: str
    decision: str
    text: str
    cost: float


class Run(msgspec.Struct, frozen=True):
    """A whole run: its answers, and what the decision log says they cost in all (USD, rows)."""

    answered: Sequence[Answered]
    logged_cost: float
    logged_rows: int


def table_path() -> Path | None:
    """Where zeroeval.parquet lies, by TIERLINE_DATA or beside the repository; None without it."""
    folder = Path(os.environ.get("TIERLINE_DATA") or Path(__file__).parents[2] / "shared" / "data")
    path = folder / "zeroeval.parquet"
    return path if path.is_file() else None


def questions(table: Path) -> list[Question]:
    """Every question that the whole fleet has answered, in an order that depends on its id alone."""
    names = {upstream: name for name, (upstream, *_) in FLEET.items()}
    rows = duckdb.execute(
        "select query_id, any_value(query), any_value(task), list(model order by model), list(response order by model), "
        "list(score order by model), list(cost_usd order by model) from read_parquet(?) "
        "where list_contains(?, model) group by query_id having count(*) = ?",
        [str(table), list(names), len(names)],
    ).fetchall()
    found = [
        Question(id, text, dataset, *(dict(zip((names[m] for m in models), column, strict=True)) for column in columns))
        for id, text, dataset, models, *columns in rows
    ]
    return sorted(found, key=lambda q: hashlib.sha256(q.id.encode()).digest())


def write_table(path: Path, asked: Sequence[Question], source: Path) -> None:
    """The recorded provider's table: the fleet's answers to the questions asked, without scores and costs."""
    duckdb.execute(
        "copy (select query, model, response, input_tokens, output_tokens from read_parquet($source) "
        "where list_contains($ids, query_id) and list_contains($models, model)) to '" + str(path).replace("'", "''") + "' (format parquet)",
        {"source": str(source), "ids": [q.id for q in asked], "models": [upstream for upstream, *_ in FLEET.values()]},
    )


def pass_rates(calibration: Sequence[Question]) -> dict[str, dict[str, float]]:
    """Task → model → mean score on the calibration half."""
    rates = {}
    for dataset, task in TASK_OF.items():
        mine = [q for q in calibration if q.dataset == dataset]
        rates[task] = {name: round(statistics.fmean(q.scores[name] for q in mine), 4) for name in FLEET}
    return rates


def bars(calibration: Sequence[Question], rates: Mapping[str, Mapping[str, float]], spend: float) -> dict[str, float]:
    """Task → quality bar. Of every way to give each task one model, the one with the best mean score on the calibration half that
    costs at most `spend` of sending it all to the best single model; a task's bar is the pass rate of its model there."""
    of_task = {task: [q for q in calibration if TASK_OF[q.dataset] == task] for task in TASKS}
    cost = {task: {name: sum(q.costs[name] for q in mine) for name in FLEET} for task, mine in of_task.items()}
    score = {task: {name: sum(q.scores[name] for q in mine) for name in FLEET} for task, mine in of_task.items()}
    limit = spend * len(calibration) * best(singles(calibration)).cost
    plans = [dict(zip(TASKS, plan, strict=True)) for plan in itertools.product(FLEET, repeat=len(TASKS))]
    affordable = [plan for plan in plans if sum(cost[task][name] for task, name in plan.items()) <= limit]
    chosen = max(affordable, key=lambda plan: sum(score[task][name] for task, name in plan.items()))
    return {task: rates[task][name] for task, name in chosen.items()}


class Declared(msgspec.Struct, frozen=True):
    """What the spec says of each task: pass rate by model, and the bar."""

    quality: Mapping[str, Mapping[str, float]] = {}
    bars: Mapping[str, float] = {}

    @classmethod
    def of(cls, calibration: Sequence[Question], spend: float) -> Declared:
        """Counted on questions that will not be asked."""
        rates = pass_rates(calibration)
        return cls(rates, bars(calibration, rates, spend))


def spec(folder: Path, declared: Declared) -> Path:
    """Writes tierline.yaml: the fleet, the tasks with their hints, and the declared pass rates (none: tier priors only)."""
    tasks = {name: dict(task) for name, task in TASKS.items()}
    for name, rates in declared.quality.items():
        tasks[name] |= {"quality": dict(rates), "quality_bar": declared.bars[name]}
    models = {
        name: {"provider": "recorded", "model": upstream, "tier": tier, "price": {"input": input, "output": output}, "context": 128_000}
        for name, (upstream, tier, input, output) in FLEET.items()
    }
    written = {
        "version": 1,
        "providers": {"recorded": {"kind": "recorded", "table": str(folder.resolve() / "answers.parquet")}},
        "models": models,
        "tasks": tasks,
        "routes": {"auto": {"deadline": "30s"}},
    }
    path = folder / "tierline.yaml"
    path.write_text(yaml.safe_dump(written, sort_keys=False))
    return path


async def ask_all(url: str, asked: Sequence[Question], concurrency: int) -> list[Answered]:
    """Every question once, at most `concurrency` at a time, through the SDK."""
    gate = asyncio.Semaphore(concurrency)
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="unused", max_retries=0) as client:

        async def ask(question: Question) -> Answered:
            async with gate:
                raw = await client.chat.completions.with_raw_response.create(
                    model="auto", messages=[{"role": "user", "content": question.text}]
                )
            head = raw.headers
            text = raw.parse().choices[0].message.content or ""
            return Answered(
                question,
                head["x-tierline-model"],
                head.get("x-tierline-task", ""),
                head["x-tierline-decision"],
                text,
                float(head["x-tierline-cost"]),
            )

        return list(await asyncio.gather(*map(ask, asked)))


def logged(path: Path) -> tuple[float, int]:
    """USD and rows of the whole decision log."""
    reader = LogReader(path)
    try:
        costs = [record.cost for record in reader.records()]
    finally:
        reader.close()
    return sum(costs), len(costs)


def problems(run: Run) -> list[str]:
    """What must hold of every run, and does not: answers are the recorded ones of the model named, money and rows add up."""
    found = []
    for one in run.answered:
        if one.text != one.question.answers[one.model]:
            found.append(f"{one.question.id}: the answer is not the recorded one of {one.model}")
        if abs(one.cost - one.question.costs[one.model]) > 1e-9:
            found.append(f"{one.question.id}: the header says {one.cost} USD, the table {one.question.costs[one.model]}")
    header_cost = sum(one.cost for one in run.answered)
    if round(header_cost, 2) != round(run.logged_cost, 2):
        found.append(f"the headers add up to {header_cost} USD, the log to {run.logged_cost}")
    if run.logged_rows != len(run.answered):
        found.append(f"{len(run.answered)} requests, {run.logged_rows} rows in the log")
    return found


def singles(asked: Sequence[Question]) -> list[Single]:
    """Every model of the fleet, asked everything."""
    return [Single(name, statistics.fmean(q.costs[name] for q in asked), statistics.fmean(q.scores[name] for q in asked)) for name in FLEET]


def routed(answered: Sequence[Answered]) -> Single:
    """What the gateway gave, by the recorded scores and costs."""
    return Single("routed", statistics.fmean(a.cost for a in answered), statistics.fmean(a.question.scores[a.model] for a in answered))


class Advantage(msgspec.Struct, frozen=True):
    """Quality above the best random mix of the same cost (0 to 1), with a 95 % bootstrap interval over questions."""

    points: float
    interval: tuple[float, float]


def advantage(answered: Sequence[Answered], resamples: int = 400, seed: int = 1) -> Advantage:
    """Paired: router and mix are measured on the same resampled questions."""
    return Advantage(_gap(answered), bootstrap(_gap, answered, resamples, seed))


def _gap(answered: Sequence[Answered]) -> float:
    ours = routed(answered)
    return ours.quality - zero_router(singles([a.question for a in answered]), ours.cost)


def show(console: Console, runs: Mapping[str, Sequence[Answered]]) -> None:
    """Every run beside the single models and beside random mixes of its own cost; then where its questions went."""
    asked = [a.question for a in next(iter(runs.values()))]
    fleet = singles(asked)
    low, high = cheapest(fleet), best(fleet)
    table = Table(
        "policy", "quality", "USD per 1,000", "of all-best", "random mix, same cost", "coin, same cost", "advantage over the mix, points"
    )
    for name, one in ((f"all to {high.model} (best single)", high), (f"all to {low.model} (cheapest)", low)):
        table.add_row(name, f"{one.quality:.4f}", f"{1000 * one.cost:.4f}", f"{one.cost / high.cost:.0%}", "", "", "")
    for name, answered in runs.items():
        ours, gain = routed(answered), advantage(answered)
        mix, coin = zero_router(fleet, ours.cost), random_mix(low, high, ours.cost)
        figures = [f"{ours.quality:.4f}", f"{1000 * ours.cost:.4f}", f"{ours.cost / high.cost:.0%}", f"{mix:.4f}", f"{coin:.4f}"]
        table.add_row(f"Tierline, {name}", *figures, _points(gain))
    console.print(table)
    console.print(
        f"random mix: the best of all models (zero router). coin: between {low.model} and {high.model}. Intervals: 95 %, bootstrap.\n"
    )
    for name, answered in runs.items():
        console.print(f"Tierline, {name}:")
        _show_shares(console, answered)


def _points(gain: Advantage) -> str:
    low, high = gain.interval
    return f"{100 * gain.points:+.2f} [{100 * low:+.2f}, {100 * high:+.2f}]"


def _show_shares(console: Console, answered: Sequence[Answered]) -> None:
    shares = Table("data set", "questions", "task recognised", "went to", title_justify="left")
    for dataset, task in TASK_OF.items():
        mine = [a for a in answered if a.question.dataset == dataset]
        if mine:
            right = sum(a.task == task for a in mine)
            shares.add_row(dataset, str(len(mine)), f"{right / len(mine):.1%}", _went(mine))
    right = sum(a.task == TASK_OF[a.question.dataset] for a in answered)
    shares.add_row("all", str(len(answered)), f"{right / len(answered):.1%}", _went(answered))
    console.print(shares)


def _went(answered: Sequence[Answered]) -> str:
    """Each model's share, largest first."""
    counts = Counter(a.model for a in answered).most_common()
    return ", ".join(f"{name} {count / len(answered):.1%}" for name, count in counts)


def run(folder: Path, source: Path, asked: Sequence[Question], declared: Declared, concurrency: int = 16) -> Run:
    """One whole run: table, spec, gateway, questions, log."""
    folder.mkdir(parents=True, exist_ok=True)
    write_table(folder / "answers.parquet", asked, source)
    path = spec(folder, declared)
    with serving(path) as gateway:
        answered = asyncio.run(ask_all(gateway.url, asked, concurrency))
    return Run(answered, *logged(folder / "tierline.db"))


def main(count: int = 1000) -> None:
    """A run for each team, and one where nothing is declared: tier priors only."""
    console = Console(width=150)
    source = table_path()
    if source is None:
        raise SystemExit("zeroeval.parquet is not there: set TIERLINE_DATA to the folder that holds it")
    every = questions(source)
    asked, calibration = every[:count], every[count:]
    console.print(f"{len(asked)} questions asked, {len(calibration)} others counted for the declared pass rates, {len(FLEET)} models")
    declared = {f"for at most {spend:.0%}": Declared.of(calibration, spend) for spend in SPENDS} | {"nothing declared": Declared()}
    runs: dict[str, Sequence[Answered]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        for number, (name, what) in enumerate(declared.items()):
            done = run(Path(temporary) / str(number), source, asked, what)
            runs[name] = done.answered
            wrong = problems(done)
            cost = sum(a.cost for a in done.answered)
            sums = f"headers {cost:.6f} USD, log {done.logged_cost:.6f} USD in {done.logged_rows} rows"
            console.print(f"{name}: {sums}, {len(wrong)} answers or sums wrong")
            if wrong:
                raise SystemExit("\n".join(wrong[:20]))
    show(console, runs)


if __name__ == "__main__":
    main()
