"""A coin: every query gets a random score."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tierline.evaluation.routers.routing import Progress, Routing
from tierline.evaluation.table import Table


class RandomRouter:
    """Scores by chance, seeded. Whatever it seems to gain is noise."""

    name = "random"
    needs_text = False

    def route(self, table: Table, fold: NDArray[np.intp], chance: np.random.Generator, progress: Progress) -> Routing:
        """A uniform score a query."""
        del fold, progress
        return Routing(score=chance.random(len(table.query)))
