"""The run of `tierline labels judge`: the gateway in process, asked for the judge alone, and its verdicts in the ledger."""

from __future__ import annotations

import asyncio
import signal
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Literal

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tierline.cli.collect_calls import Calls
from tierline.client import Client
from tierline.config.load import load
from tierline.config.loaded import Loaded
from tierline.evaluation.collect.alone import alone, candidates
from tierline.evaluation.collect.call import Asks, Candidate
from tierline.evaluation.collect.journal import Journal
from tierline.evaluation.grade.judge import instruction
from tierline.evaluation.judging.bars import Bars, misses
from tierline.evaluation.judging.figures import Report, of_choices, of_opinions
from tierline.evaluation.judging.material import Labelled, Pair, material, pairs
from tierline.evaluation.judging.run import Choice, Judging, Opinion, Run, Way
from tierline.gateway.choose import opinion
from tierline.gateway.shadow.compare import judge_id
from tierline.ledger.judges import ALL, JudgeVerdict, judge_name
from tierline.ledger.ledger import Ledger
from tierline.types.completion import Completion, CompletionChoice
from tierline.types.conversation import Text
from tierline.types.errors import EvaluationFailure
from tierline.types.request import Message, Request
from tierline.types.request import Text as Words

DEADLINE = 600.0


class Wish(msgspec.Struct, frozen=True):
    """What was asked for on the command line."""

    judge: str
    spec: Path
    log: Path | None
    """A file; of a log in a database its copy."""
    beside: Path | None
    """What the journal lies beside; None: the log, or the data."""
    data: Path | None
    task: str | None
    way: Literal["auto", "alone", "pairs"]
    most: int
    repeats: int
    rubric: str
    concurrency: int
    budget: float
    bars: Bars
    seed: int


class Verdict(msgspec.Struct, frozen=True):
    """A report with what it misses; none: valid there. `kept`: there were labels enough to say anything, so it stands in the ledger; with
    fewer, an earlier verdict goes on to count."""

    report: Report
    misses: tuple[str, ...]
    kept: bool

    @property
    def valid(self) -> bool:
        """Whether the judge's labels may gate and train on this task."""
        return not self.misses


class Told(msgspec.Struct, frozen=True):
    """What came of a run: the judge's name as its labels carry it, a verdict over all that was asked for, and one a task."""

    judge: str
    way: Way
    run: Run
    verdicts: tuple[Verdict, ...]

    @property
    def valid(self) -> bool:
        """Whether the first verdict, over everything that was asked for, is valid, and nothing was left out."""
        return self.run.ended == "complete" and bool(self.verdicts) and self.verdicts[0].valid


async def judged(wish: Wish, console: Console) -> Told:
    """Ask the judge and measure it. Raises EvaluationFailure, LogFailure, and what loading a spec raises."""
    source = wish.data or wish.log
    if source is None:
        raise EvaluationFailure("say which answers the judge is held against: --log DB, or --data FILE")
    loaded = load(wish.spec)
    candidate = candidates(loaded, [wish.judge], {})[0]
    answers = material(source, wish.task, wish.most, wish.seed)
    two = [] if wish.way == "alone" else pairs(answers, wish.seed)
    way: Way = "pairs" if wish.way == "pairs" or sum(pair.decided for pair in two) >= wish.bars.labels else "alone"
    if way == "pairs" and not two:
        raise EvaluationFailure(f"{source.name} has no two different answers to the same question: judge them alone (--way alone)")
    name = judge_id(wish.judge) if way == "pairs" else judge_name(wish.judge, *instruction(wish.rubric))
    beside = wish.beside or source
    with Journal(beside.with_name(f"{beside.name}.{wish.judge}-{way}.judging")) as journal:
        opinions, choices, run = await _asked(wish, loaded, candidate, name, way, answers, two, journal, console)
    found = tuple(_verdicts(wish, way, opinions, choices)) if run.ended == "complete" else ()
    return Told(name, way, run, found)


async def _asked(
    wish: Wish,
    loaded: Loaded,
    candidate: Candidate,
    name: str,
    way: Way,
    answers: Sequence[Labelled],
    two: Sequence[Pair],
    journal: Journal,
    console: Console,
) -> tuple[list[Opinion], list[Choice], Run]:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, stopping.set)
    columns = (TextColumn("judging"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
    try:
        with (
            tempfile.TemporaryDirectory(prefix="tierline-judge-") as home,
            Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar,
        ):
            line = bar.add_task("", total=None)

            def told(done: int, total: int, spent: float) -> None:
                bar.update(line, completed=done, total=total, description=f"{spent:.4f} of {wish.budget:g} USD")

            async with Client(alone(loaded, DEADLINE), log=Path(home, "calls.db")) as client:
                judging = Judging(
                    name,
                    candidate,
                    Calls(client, loaded).ask,
                    _Comparing(wish.judge),
                    journal,
                    wish.budget,
                    concurrency=wish.concurrency,
                    rubric=wish.rubric,
                    told=told,
                    stopping=stopping.is_set,
                )
                if way == "pairs":
                    choices, run = await judging.in_pairs(two)
                    return [], choices, run
                opinions, run = await judging.alone(answers, wish.repeats)
                return opinions, [], run
    finally:
        loop.remove_signal_handler(signal.SIGINT)


class _Comparing:
    """Asks as the gateway does when it compares a shadow's answer with the client's."""

    def __init__(self, judge: str) -> None:
        self._judge = judge

    async def __call__(self, first: Labelled, second: Labelled, asks: Asks) -> int | None:
        """Which of the two it finds better: 0 or 1."""
        request = Request("judging", "openai_chat", "", (Message("user", (Words(first.prompt.text),)),))
        shown = [Completion("openai_chat", "", "", (CompletionChoice((Text(one.answer),)),)) for one in (first, second)]
        return await opinion(self._judge, shown, (0, 1), request, asks)


def _verdicts(wish: Wish, way: Way, opinions: Sequence[Opinion], choices: Sequence[Choice]) -> list[Verdict]:
    """Over everything, then of every task with labels enough to say anything."""
    tasks = sorted({one.answer.task for one in opinions} | {one.pair.one.task for one in choices})
    found = []
    for task in [wish.task or ALL, *(tasks if wish.task is None and len(tasks) > 1 else [])]:
        mine = [one for one in opinions if task in (ALL, one.answer.task)]
        ours = [one for one in choices if task in (ALL, one.pair.one.task)]
        report = of_choices(ours, wish.judge, task) if way == "pairs" else of_opinions(mine, task)
        found.append(Verdict(report, tuple(misses(report, wish.bars)), report.labels >= wish.bars.labels))
    return found


def keep(log: str, judge: str, verdicts: Sequence[Verdict]) -> None:
    """Keep the verdicts on a judge in the ledger there. Raises LogFailure."""
    with closing(Ledger(log)) as ledger:
        for verdict in verdicts:
            if verdict.kept:
                report = {**msgspec.to_builtins(verdict.report), "misses": list(verdict.misses)}
                ledger.judges.add(JudgeVerdict(time.time(), judge, verdict.report.task, report, verdict.valid))
