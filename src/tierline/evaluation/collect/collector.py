"""Run every prompt over every candidate, and grade what comes back.

Cells are run prompt by prompt, all candidates of one before the next, so that whatever ends the run early leaves whole rows. Every
answer and every grade is in the journal before the next begins.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from tierline.evaluation.collect.call import Call, Called, Candidate
from tierline.evaluation.collect.estimate import FIRST_GUESS, expected_cost
from tierline.evaluation.collect.journal import AnswerLine, GradeLine, Journal
from tierline.evaluation.collect.prompts import Prompt
from tierline.evaluation.collect.purse import Purse
from tierline.evaluation.grade.grader import Grade, Grader, print_of

BACKOFF = 1.0
LONGEST_WAIT = 60.0

Ended = Literal["complete", "budget", "stopped"]


class Progress(msgspec.Struct, frozen=True):
    """How far a run is: cells done and in all, USD spent (earlier runs included), cells without an answer, and what was said last."""

    done: int
    total: int
    spent: float
    failed: int
    said: str = ""


class Summary(msgspec.Struct, frozen=True):
    """What a run did. `kept` cells stood in the journal already; `left` were not begun; `given_up` says of each model why."""

    ended: Ended
    called: int
    graded: int
    kept: int
    failed: int
    left: int
    spent: float
    given_up: Mapping[str, str]


class Settings(msgspec.Struct, frozen=True):
    """`budget` in USD over all runs into this journal; `retries` after a failure that may pass; `max_tokens` of an answer, 0: no limit."""

    budget: float
    concurrency: int = 8
    retries: int = 5
    max_tokens: int = 0


class Todo(msgspec.Struct, frozen=True):
    """A cell to run, or (`answer` given) only to grade."""

    prompt: Prompt
    candidate: Candidate
    answer: AnswerLine | None = None


class Collector:
    """One run. `sleep` and `clock` (Unix seconds) are how time passes; `told` hears of every cell, `stopping` is asked whether to begin no
    more."""

    def __init__(
        self,
        settings: Settings,
        journal: Journal,
        call: Call,
        grader: Grader,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        told: Callable[[Progress], None] = lambda _: None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._settings = settings
        self._journal = journal
        self._call = call
        self._grader = grader
        self._clock = clock
        self._sleep = sleep
        self._told = told
        self._stopping = stopping
        self._purse = Purse(settings.budget, journal.spent)
        self._output: dict[str, tuple[int, int]] = {}
        self._given_up: dict[str, str] = {}
        self._done = self._total = self._called = self._graded = self._failed = 0
        self._ended: Ended = "complete"

    async def run(self, prompts: Sequence[Prompt], candidates: Sequence[Candidate]) -> Summary:
        """Run what is missing. Cancelling it loses only the calls in flight."""
        todo = deque(self._missing(prompts, candidates))
        self._total = len(prompts) * len(candidates)
        self._done = kept = self._total - len(todo)
        self._tell()
        async with asyncio.TaskGroup() as group:
            for _ in range(min(self._settings.concurrency, len(todo))):
                group.create_task(self._work(todo))
        return Summary(
            self._ended, self._called, self._graded, kept, self._failed, len(todo), self._purse.spent, dict(sorted(self._given_up.items()))
        )

    def _missing(self, prompts: Sequence[Prompt], candidates: Sequence[Candidate]) -> Iterable[Todo]:
        for prompt in prompts:
            for candidate in candidates:
                answer = self._journal.answers.get((prompt.id, candidate.name))
                if answer is None or not _stands(answer, prompt, candidate):
                    yield Todo(prompt, candidate)
                elif not self._is_graded(prompt, answer):
                    yield Todo(prompt, candidate, answer)

    def _is_graded(self, prompt: Prompt, answer: AnswerLine) -> bool:
        grade = self._journal.grades.get((prompt.id, answer.model))
        return (
            grade is not None
            and (grade.score is not None or not self._grader.expected_cost(prompt))
            and grade.grader == self._grader.fingerprint(prompt)
            and grade.answered == _digest(answer)
        )

    async def _work(self, todo: deque[Todo]) -> None:
        """Run cells until there are no more, or none may begin."""
        while todo and self._ended == "complete":
            if self._stopping():
                self._ended = "stopped"
                return
            next_one = todo.popleft()
            if next_one.candidate.name in self._given_up:
                self._failed += 1
                self._finish_cell()
                continue
            ticket = await self._purse.reserve(self._expected(next_one))
            if ticket is None:
                self._ended = "budget"
                todo.appendleft(next_one)
                return
            cost = 0.0
            try:
                cost = await self._run(next_one)
            finally:
                self._purse.settle(ticket, cost)
            self._finish_cell()

    async def _run(self, cell: Todo) -> float:
        """One cell; returns USD."""
        answer, cost = cell.answer, 0.0
        if answer is None:
            answer = await self._answered(cell)
            cost = answer.cost_usd
            if answer.error:
                self._failed += 1
                return cost
        grade = await self._grader.grade(cell.prompt, answer)
        self._keep_grade(cell, answer, grade)
        return cost + grade.cost

    async def _answered(self, cell: Todo) -> AnswerLine:
        """The model's answer, in the journal; a failure that may pass is tried again after a wait."""
        cost, calls = 0.0, 0
        while True:
            called = await self._call(cell.candidate, cell.prompt)
            cost, calls = cost + called.cost, calls + 1
            if called.trouble != "passing" or calls > self._settings.retries or self._stopping():
                break
            wait = min(called.retry_after or BACKOFF * 2 ** (calls - 1), LONGEST_WAIT)
            self._tell(f"{cell.candidate.name}: {called.error}, again in {wait:g} s")
            await self._sleep(wait)
        if called.trouble == "model":
            self._given_up.setdefault(cell.candidate.name, called.detail or called.error)
        self._called += 1
        line = _line(cell, called, cost, calls, self._clock())
        self._journal.add(line)
        if not called.trouble:
            count, tokens = self._output.get(cell.candidate.name, (0, 0))
            self._output[cell.candidate.name] = (count + 1, tokens + called.usage.output)
        return line

    def _keep_grade(self, cell: Todo, answer: AnswerLine, grade: Grade) -> None:
        line = GradeLine(
            cell.prompt.id,
            cell.candidate.name,
            _digest(answer),
            self._grader.fingerprint(cell.prompt),
            grade.score,
            grade.detail,
            grade.cost,
        )
        if self._journal.grades.get((cell.prompt.id, cell.candidate.name)) != line:
            self._journal.add(line)
        self._graded += 1

    def _expected(self, cell: Todo) -> float:
        """USD that a cell is expected to cost: the model's own mean so far, else the most it may say, else a guess."""
        grading = self._grader.expected_cost(cell.prompt)
        if cell.answer is not None:
            return grading
        count, tokens = self._output.get(cell.candidate.name, (0, 0))
        output = tokens / count if count else self._settings.max_tokens or FIRST_GUESS
        return expected_cost(cell.candidate, cell.prompt, output) + grading

    def _finish_cell(self) -> None:
        self._done += 1
        self._tell()

    def _tell(self, said: str = "") -> None:
        self._told(Progress(self._done, self._total, self._purse.spent, self._failed, said))


def _stands(answer: AnswerLine, prompt: Prompt, candidate: Candidate) -> bool:
    """Whether a kept answer is still one to this prompt by this model."""
    return not answer.error and answer.prompt == prompt.digest and answer.model_print == candidate.fingerprint


def _digest(answer: AnswerLine) -> str:
    return print_of(answer.response, answer.body)


def _line(cell: Todo, called: Called, cost: float, calls: int, at: float) -> AnswerLine:
    return AnswerLine(
        query_id=cell.prompt.id,
        prompt=cell.prompt.digest,
        model=cell.candidate.name,
        model_print=cell.candidate.fingerprint,
        at=at,
        response=called.text,
        body=called.body.decode("utf-8", "replace"),
        input_tokens=called.usage.input,
        output_tokens=called.usage.output,
        cost_usd=cost,
        latency=called.elapsed,
        finish="" if called.trouble else called.finish,
        error=called.error,
        detail=called.detail,
        calls=calls,
    )
