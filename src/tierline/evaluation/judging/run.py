"""Asks a judge about answers whose worth is known: alone (each answer so many times) or in pairs (each pair in both orders).

What was paid for is in a journal at once, so the same command goes on where it was stopped; no call begins that does not fit in the budget.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal

import msgspec

from tierline.evaluation.collect.call import Asks, Candidate
from tierline.evaluation.collect.journal import AnswerLine, GradeLine, Journal
from tierline.evaluation.collect.purse import Purse
from tierline.evaluation.grade.judge import JudgeGrader
from tierline.evaluation.judging.material import Labelled, Pair
from tierline.types.ask import Ask, Told

Way = Literal["alone", "pairs"]
Ended = Literal["complete", "budget", "stopped"]
Compare = Callable[[Labelled, Labelled, Asks], Awaitable[int | None]]
"""Ask the judge which of two answers is better, the first shown first: 0 or 1, or None where it did not say."""

_REPLY = 60
_FRAME = 800
_CHARS_PER_TOKEN = 4


class Opinion(msgspec.Struct, frozen=True):
    """What the judge said of one answer, asked so many times: scores in [0, 1], None where it gave none."""

    answer: Labelled
    scores: tuple[float | None, ...]


class Choice(msgspec.Struct, frozen=True):
    """What the judge said of one pair: with `one` shown first, and with `other` shown first. 0 names the answer shown first, 1 the second,
    None neither."""

    pair: Pair
    forth: int | None
    back: int | None


class Run(msgspec.Struct, frozen=True):
    """How a run went: `asked` calls were made now, `kept` stood in the journal, `left` were not begun; USD in all."""

    ended: Ended
    asked: int
    kept: int
    left: int
    spent: float


class _Task(msgspec.Struct, frozen=True):
    """One question to the judge."""

    id: str
    turn: str
    shown: tuple[Labelled, ...]


class Judging:
    """One judge. `judge` is its name as its labels carry it; `told` hears of (done, total, USD)."""

    def __init__(
        self,
        judge: str,
        candidate: Candidate,
        asks: Asks,
        compare: Compare,
        journal: Journal,
        budget: float,
        *,
        concurrency: int = 8,
        rubric: str,
        told: Callable[[int, int, float], None] = lambda *_: None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._judge = judge
        self._candidate = candidate
        self._asks = asks
        self._compare = compare
        self._journal = journal
        self._purse = Purse(budget, journal.spent)
        self._concurrency = concurrency
        self._grader = JudgeGrader(candidate, asks, rubric)
        self._told = told
        self._stopping = stopping
        self._asked = self._done = self._total = 0
        self._ended: Ended = "complete"

    async def alone(self, answers: Sequence[Labelled], repeats: int) -> tuple[list[Opinion], Run]:
        """Each answer, so many times."""
        turns = [str(number) for number in range(repeats)]
        run = await self._through([_Task(answer.id, turn, (answer,)) for answer in answers for turn in turns])
        asked = {id for id, _ in self._journal.grades}
        return [Opinion(one, tuple(self._score(one.id, turn) for turn in turns)) for one in answers if one.id in asked], run

    async def in_pairs(self, pairs: Sequence[Pair]) -> tuple[list[Choice], Run]:
        """Each pair in both orders."""
        tasks = [
            task
            for pair in pairs
            for task in (_Task(pair.id, "forth", (pair.one, pair.other)), _Task(pair.id, "back", (pair.other, pair.one)))
        ]
        run = await self._through(tasks)
        told = [Choice(pair, self._pick(pair.id, "forth"), self._pick(pair.id, "back")) for pair in pairs]
        asked = {id for id, _ in self._journal.grades}
        return [choice for choice in told if choice.pair.id in asked], run

    async def _through(self, tasks: Sequence[_Task]) -> Run:
        todo = deque([task for task in tasks if not self._is_kept(task)])
        self._total, self._done = len(tasks), len(tasks) - len(todo)
        kept = self._done
        self._told(self._done, self._total, self._purse.spent)
        async with asyncio.TaskGroup() as group:
            for _ in range(min(self._concurrency, len(todo))):
                group.create_task(self._work(todo))
        return Run(self._ended, self._asked, kept, len(todo), self._purse.spent)

    async def _work(self, todo: deque[_Task]) -> None:
        while todo and self._ended == "complete":
            if self._stopping():
                self._ended = "stopped"
                return
            task = todo.popleft()
            ticket = await self._purse.reserve(self._expected(task))
            if ticket is None:
                todo.appendleft(task)
                self._ended = "budget"
                return
            cost = 0.0
            try:
                cost = await self._ask(task)
            finally:
                self._purse.settle(ticket, cost)
            self._done += 1
            self._told(self._done, self._total, self._purse.spent)

    async def _ask(self, task: _Task) -> float:
        """One question; returns USD."""
        self._asked += 1
        if len(task.shown) == 1:
            grade = await self._grader.grade(task.shown[0].prompt, _line(task.shown[0]))
            score, detail, cost = grade.score, grade.detail, grade.cost
        else:
            counted = _Counted(self._asks)
            place = await self._compare(task.shown[0], task.shown[1], counted)
            score, detail, cost = None if place is None else float(place), counted.detail, counted.cost
        self._journal.add(GradeLine(task.id, task.turn, _digest(task), self._judge, score, detail, cost))
        return cost

    def _is_kept(self, task: _Task) -> bool:
        line = self._journal.grades.get((task.id, task.turn))
        return line is not None and line.score is not None and line.grader == self._judge and line.answered == _digest(task)

    def _score(self, id: str, turn: str) -> float | None:
        line = self._journal.grades.get((id, turn))
        return None if line is None else line.score

    def _pick(self, id: str, turn: str) -> int | None:
        score = self._score(id, turn)
        return None if score is None else int(score)

    def _expected(self, task: _Task) -> float:
        if len(task.shown) == 1:
            return self._grader.expected_cost(task.shown[0].prompt)
        chars = len(task.shown[0].prompt.text) + sum(len(one.answer) for one in task.shown) + _FRAME
        return self._candidate.price.cost(chars // _CHARS_PER_TOKEN, _REPLY)


class _Counted:
    """Asks, and keeps what it cost."""

    def __init__(self, asks: Asks) -> None:
        self._asks = asks
        self.cost = 0.0
        self.detail = ""

    async def __call__(self, ask: Ask) -> Told:
        told = await self._asks(ask)
        self.cost += told.cost
        self.detail = told.detail
        return told


def _line(answer: Labelled) -> AnswerLine:
    return AnswerLine(answer.prompt.id, answer.prompt.digest, answer.model, "", 0.0, answer.answer)


def _digest(task: _Task) -> str:
    """Of what the judge is shown."""
    words = "\0".join([task.shown[0].prompt.text, *(one.answer for one in task.shown)])
    return hashlib.sha256(words.encode("utf-8", "replace")).hexdigest()[:12]
