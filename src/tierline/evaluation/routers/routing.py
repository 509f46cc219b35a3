"""What a router says about the queries of a table, and what every router is: the one contract between routers and metrics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from tierline.evaluation.metrics.bootstrap import Floats
from tierline.evaluation.table import Table

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done and how much there is."""


def silent(what: str, done: int, total: int) -> None:
    """Progress that nobody watches."""
    del what, done, total


class Routing(msgspec.Struct, frozen=True):
    """What a router says about every query of a table, in its order.

    `choice`: the place of the model it asks first, −1 where that model is not in the table. A router that can be set has more: a `score` a
    query (the higher, the more it needs the strong model), or `good` and `expected`, the predicted quality and USD of every model, shaped
    (queries, models), NaN where it predicts nothing (`same` numbers those predictions, where many queries share them); then `choice` is
    where it stands, and `at` says so in words.

    `tier`: the tier it asks first. `ruled`: queries whose model a rule or a pin named; `removed`, shaped (queries, models): models that
    were not eligible; `wrong_capability`: queries sent to a model that lacks what they need; `budget`: the seconds that each query's caller
    waits; None where it cannot tell. `elsewhere`: models it chose that the table has not. `why_no_curve` explains the figures that need
    one."""

    choice: NDArray[np.intp] | None = None
    score: Floats | None = None
    good: Floats | None = None
    same: NDArray[np.intp] | None = None
    expected: Floats | None = None
    at: str = ""
    tier: Sequence[str] | None = None
    ruled: NDArray[np.bool_] | None = None
    removed: NDArray[np.bool_] | None = None
    wrong_capability: NDArray[np.bool_] | None = None
    budget: Floats | None = None
    elsewhere: tuple[str, ...] = ()
    why_no_curve: str = "it makes one choice a query: there is no curve to follow"


class Evaluated(Protocol):
    """A router as the evaluation runs it. It sees the table's texts and ids; only one that learns sees scores, and then only those of the
    other folds."""

    @property
    def name(self) -> str:
        """As the document calls it."""

    @property
    def needs_text(self) -> bool:
        """Whether prompts have to be read."""

    def route(self, table: Table, fold: NDArray[np.intp], chance: np.random.Generator, progress: Progress) -> Routing:
        """What it says about the queries of `table`, all of whose cells are measured."""
