"""Graded by a reference: right is what says the same after normalising, so `The answer is **1,200**.` matches `1200`.

With `auto` the reference says what kind of answer is wanted: a number, a letter, JSON, a label of a few words, or text; and the answer's
last number, letter, … counts. Name the kind where you know it: a long answer that mentions the right number last, by chance, is right here.
"""

from __future__ import annotations

import re

from tierline.evaluation.collect.journal import AnswerLine
from tierline.evaluation.collect.prompts import Prompt
from tierline.evaluation.grade.grader import Grade, print_of
from tierline.validators.normalise import normalised, normalised_all

WAYS = ("auto", "number", "choice", "label", "json", "text")

_NUMBER = re.compile(r"[-+−$€£¥]*\s*\d[\d.,' /]*\s*(?:%|[a-z°]{0,3})", re.IGNORECASE)
_CHOICE = re.compile(r"\(?[A-Za-z]\)?[.):]?")
_LABEL_WORDS = 6


class ReferenceGrader:
    """1 or 0 by `Prompt.reference`; none where a prompt has no reference. `how` is what has to be the same, one of `WAYS`."""

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
        how = kind_of(prompt.reference) if self._how == "auto" else self._how
        wanted = normalised(prompt.reference, how)
        if wanted is None:
            return Grade(None, f"the reference holds no {how}")
        if normalised(answer.response, how) == wanted:
            return Grade(1.0)
        if self._how == "auto":
            one, other = normalised_all((answer.response, prompt.reference), "auto")
            return Grade(float(one is not None and one == other))
        return Grade(0.0)


def kind_of(reference: str) -> str:
    """What kind of answer a reference is."""
    words = reference.strip()
    if words[:1] in ("{", "["):
        return "json" if normalised(words, "json") is not None else "text"
    if _CHOICE.fullmatch(words):
        return "choice"
    if _NUMBER.fullmatch(words) and normalised(words, "number") is not None:
        return "number"
    return "label" if len(words.split()) <= _LABEL_WORDS and normalised(words, "label") is not None else "text"
