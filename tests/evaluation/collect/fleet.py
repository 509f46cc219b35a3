"""A fleet that answers by a function and counts who asked, for tests of the collector."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tierline.evaluation.collect.call import Called, Candidate
from tierline.evaluation.collect.journal import AnswerLine
from tierline.evaluation.collect.prompts import Prompt, prompts_of
from tierline.evaluation.grade.grader import Grade
from tierline.types.catalog import Price
from tierline.types.outcome import Usage

MINI = Candidate("mini", "mini-1", Price(1.0, 1.0))
OPUS = Candidate("opus", "opus-1", Price(10.0, 10.0))


def prompts(count: int) -> tuple[Prompt, ...]:
    return prompts_of(((n, {"id": f"q{n}", "prompt": f"What is {n} + {n}?", "reference": str(2 * n)}) for n in range(count)), "test").rows


class Fleet:
    """`answer` says what a call gives; `asked` keeps every call, `at_once` the most that ever ran together."""

    def __init__(self, answer: Callable[[Candidate, Prompt], Called] | None = None) -> None:
        self.answer = answer or right
        self.asked: list[tuple[str, str]] = []
        self.running = self.at_once = 0

    async def call(self, candidate: Candidate, prompt: Prompt) -> Called:
        self.asked.append((candidate.name, prompt.id))
        self.running += 1
        self.at_once = max(self.at_once, self.running)
        try:
            await asyncio.sleep(0)
            return self.answer(candidate, prompt)
        finally:
            self.running -= 1


def right(candidate: Candidate, prompt: Prompt) -> Called:
    return Called(f"It makes {prompt.reference}.", b"{}", Usage(10, 100), candidate.price.cost(10, 100), 0.5)


class Exact:
    """Right is what holds the reference; it costs nothing."""

    name = "exact"

    def fingerprint(self, prompt: Prompt) -> str:
        return f"exact {prompt.reference}"

    def expected_cost(self, prompt: Prompt) -> float:
        return 0.0

    async def grade(self, prompt: Prompt, answer: AnswerLine) -> Grade:
        return Grade(float((prompt.reference or "") in answer.response))
