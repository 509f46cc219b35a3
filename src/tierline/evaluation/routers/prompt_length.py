"""The longer the prompt, the stronger the model: the simplest router that looks at the query."""

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
