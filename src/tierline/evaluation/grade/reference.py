"""Graded by a reference: right is what says the same after normalising, so `The answer is **1,200**.` matches `1200`."""

from __future__ import annotations

from tierline.evaluation.collect.journal import AnswerLine
from tierline.evaluation.collect.prompts import Prompt
from tierline.evaluation.grade.grader import Grade, print_of
from tierline.validators.normalise import normalised


class ReferenceGrader:
    """1 or 0 by `Prompt.reference`; none where a prompt has no reference. `how` is what has to be the same: number, choice, label, json,
    text or auto."""

    name = "reference"

    def __init__(self, how: str = "auto") -> None:
        self._how = how

    def fingerprint(self, prompt: Prompt) -> str:
        """Of the reference and of what has to be the same."""
        return print_of("reference", self._how, prompt.reference)

    def expected_cost(self, _: Prompt, /) -> float:
        """Nothing."""
        return 0.0

    async def grade(self, prompt: Prompt, answer: AnswerLine) -> Grade:
        """1 where answer and reference are the same after normalising, else 0."""
        if prompt.reference is None:
            return Grade(None, "the prompt has no reference")
        same = normalised(answer.response, self._how) == normalised(prompt.reference, self._how)
        return Grade(float(same))
