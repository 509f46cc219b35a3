"""What a collection would cost, before anybody is called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from tierline.evaluation.collect.call import Candidate
from tierline.evaluation.collect.prompts import Prompt
from tierline.evaluation.grade.grader import Grader

CHARS_PER_TOKEN = 4
FIRST_GUESS = 500
"""Tokens of an answer, where no limit is set and none has been seen."""
_FRAME = 8
"""Tokens around the words of a conversation."""


class Estimate(msgspec.Struct, frozen=True):
    """Calls to candidates, and the USD they and their grades are expected to cost, by model and in all. An estimate: four characters a
    token in, and `output_tokens` out."""

    calls: int
    output_tokens: int
    models: Mapping[str, float]
    grades: float

    @property
    def total(self) -> float:
        """USD, grades included."""
        return sum(self.models.values()) + self.grades


def estimate(prompts: Sequence[Prompt], candidates: Sequence[Candidate], grader: Grader, max_tokens: int = 0) -> Estimate:
    """Every cell once."""
    output = max_tokens or FIRST_GUESS
    models = {candidate.name: sum(expected_cost(candidate, prompt, output) for prompt in prompts) for candidate in candidates}
    grades = len(candidates) * sum(grader.expected_cost(prompt) for prompt in prompts)
    return Estimate(len(prompts) * len(candidates), output, models, grades)


def expected_cost(candidate: Candidate, prompt: Prompt, output_tokens: float) -> float:
    """USD of one answer of so many tokens."""
    chars = sum(len(str(message.get("content") or "")) for message in prompt.messages)
    return candidate.price.cost(chars // CHARS_PER_TOKEN + _FRAME, round(output_tokens))
