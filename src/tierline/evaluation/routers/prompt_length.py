"""The longer the prompt, the stronger the model: the simplest router that looks at the query.

Length is counted in words (runs of anything but white space). Prompts of one length go up together, so a tie is a straight piece of the
curve; on RouteLLM's tables that and any other order of ties give the same APGR within 0.0006. What is counted matters little more:

    APGR        words   characters   input tokens
    MMLU        .585    .579         .579
    GSM8K       .581    .579         .579

These are of one curve over all queries. Means of curves over the folds of a cross-validation differ: on the 931 queries of GSM8K they give
.583 on average, and .563 to .621 over 200 ways of making five folds. A .599 that is told elsewhere for GSM8K lies in that spread; counting
letters, different words, sentences or numbers does not give it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tierline.evaluation.routers.routing import Progress, Routing
from tierline.evaluation.table import Table
from tierline.types.errors import EvaluationFailure


class PromptLengthRouter:
    """Scores a query by its length in words."""

    name = "prompt_length"
    needs_text = False

    def route(self, table: Table, fold: NDArray[np.intp], chance: np.random.Generator, progress: Progress) -> Routing:
        """The length of each prompt; raises EvaluationFailure where the data have no prompts."""
        del fold, chance, progress
        if table.words is None or not table.words.any():
            raise EvaluationFailure("prompt_length needs the prompts, and the data have none")
        return Routing(score=table.words.astype(np.float64))
