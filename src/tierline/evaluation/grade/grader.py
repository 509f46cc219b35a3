"""What every way of grading offers."""

from __future__ import annotations

import hashlib
from typing import Protocol

import msgspec

from tierline.evaluation.collect.journal import AnswerLine
from tierline.evaluation.collect.prompts import Prompt


class Grade(msgspec.Struct, frozen=True):
    """`score` in [0, 1], None where it cannot be said: `detail` then says why. `cost` in USD."""

    score: float | None
    detail: str = ""
    cost: float = 0.0


class Grader(Protocol):
    """Grades one answer. The same `fingerprint` and the same answer mean the same grade, so nothing is graded twice."""

    name: str

    def fingerprint(self, prompt: Prompt) -> str:
        """The digest of everything that decides but the answer."""

    def expected_cost(self, prompt: Prompt, /) -> float:
        """USD that grading an answer to this prompt is expected to cost; 0 where it calls nobody."""

    async def grade(self, prompt: Prompt, answer: AnswerLine) -> Grade:
        """The grade of an answer; never raises for what stands in it."""


def print_of(*parts: object) -> str:
    """A digest of these parts, 12 hex digits."""
    return hashlib.sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()[:12]
