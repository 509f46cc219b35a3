"""The learned scorer as a router: trained anew on the other folds (`learned`), or from its file (`scorer`).

It predicts quality and cost of every model, so it has a whole curve; it stands at the operating point that its own training chose. On tasks
that its guard refused it predicts each model's overall pass rate, and stands at the best single model: there it is the zero router.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from tierline.config.scorer_file import read_scorer
from tierline.evaluation.datasets import Dataset
from tierline.evaluation.document import Finding
from tierline.evaluation.metrics.bootstrap import Floats
from tierline.evaluation.metrics.curve import at_price
from tierline.evaluation.routers.routing import Progress, Routing
from tierline.evaluation.table import Table
from tierline.evaluation.training.learn import Learning, fingerprints, learn
from tierline.scoring.learned.artifact import Artifact, decode
from tierline.scoring.learned.beliefs import Fitted, from_outputs
from tierline.scoring.learned.design import Design, design, outputs
from tierline.scoring.learned.embed import Embedder, embedder
from tierline.types.errors import EvaluationFailure

NO_TEXT = "the learned scorer reads prompts, and the data have none"


Fits = list[tuple[Artifact, NDArray[np.intp]]]


class CrossFit:
    """Trains on the other folds of one table, once, however many routers ask for it, and in whatever words its prompts come back."""

    def __init__(self, how: Learning) -> None:
        self._how = how
        self._embed = Embedder() if how.embed else None
        self._read: tuple[list[str], Design] | None = None
        self._done: tuple[Floats, NDArray[np.intp], Fits] | None = None

    def trained(self, table: Table, fold: NDArray[np.intp], progress: Progress) -> tuple[Fits, Design]:
        """The scorer of each fold with the places that it has not seen, and all texts as features."""
        data = self._design(_texts(table), progress)
        if self._done is None or not (np.array_equal(self._done[0], table.score) and np.array_equal(self._done[1], fold)):
            self._done = table.score, fold, self._fits(table, fold, data, progress)
        return self._done[2], data

    def _design(self, texts: list[str], progress: Progress) -> Design:
        if self._read is None or self._read[0] != texts:
            self._read = texts, design(texts, progress, self._embed)
        return self._read[1]

    def _fits(self, table: Table, fold: NDArray[np.intp], data: Design, progress: Progress) -> Fits:
        found: Fits = []
        total = int(fold.max(initial=0)) + 1
        for number in range(total if total > 1 else 0):
            progress("learned: folds", number, total)
            others = np.flatnonzero(fold != number)
            found.append((learn(table.take(others), data.take(others), self._how).artifact, np.flatnonzero(fold == number)))
        progress("learned: folds", total, total)
        return found


class LearnedRouter:
    """Trains on the other folds and routes the fold: what is measured was never trained on. `guard`: whether refused tasks are left to the
    best single model."""

    needs_text = True

    def __init__(self, fits: CrossFit | None = None, guard: bool = True, name: str = "learned") -> None:
        self.name = name
        self._fits = fits or CrossFit(Learning())
        self._guard = guard

    def route(self, table: Table, fold: NDArray[np.intp], chance: np.random.Generator, progress: Progress) -> Routing:
        """A prediction a query, each from the other folds; raises EvaluationFailure where the data have no prompts."""
        del chance
        fits, data = self._fits.trained(table, fold, progress)
        if not fits:
            return Routing(why_no_curve="there are too few queries to train on some and measure on others")
        told = _Told(table)
        for artifact, places in fits:
            told.take(artifact, data.take(places), places, self._guard)
        guarded = f"; the guard refused {told.refused.mean():.0%} of queries" if self._guard else ", without the guard"
        return told.routing(f"its own operating point, chosen on the other folds ({len(fits)} folds){guarded}")


class ArtifactRouter:
    """A trained scorer that is at hand, on queries that the caller knows it has not seen. `refused`: the share of the queries last
    asked that its guard refuses."""

    needs_text = True

    def __init__(self, artifact: Artifact, name: str = "scorer", guard: bool = True) -> None:
        self.name = name
        self.refused = 0.0
        self._artifact, self._guard = artifact, guard
        self._embed = embedder(artifact.fitted.embedder) if artifact.fitted.embedder else None

    def route(self, table: Table, fold: NDArray[np.intp], chance: np.random.Generator, progress: Progress) -> Routing:
        """A prediction a query."""
        del fold, chance
        return self.of(table, design(_texts(table), progress, self._embed))

    def of(self, table: Table, data: Design) -> Routing:
        """The same, for texts whose features are known."""
        told = _Told(table)
        told.take(self._artifact, data, np.arange(len(table.query)), self._guard)
        self.refused = float(told.refused.mean()) if len(told.refused) else 0.0
        return told.routing(f"{self.name} at its operating point; its guard refuses {self.refused:.0%} of queries")


class TrainedRouter:
    """A trained scorer's file."""

    needs_text = True

    def __init__(self, path: Path, name: str = "scorer") -> None:
        self.name = name
        self.path = path
        self.artifact = decode(read_scorer(path), path.name)
        self._router = ArtifactRouter(self.artifact, path.name)

    def route(self, table: Table, fold: NDArray[np.intp], chance: np.random.Generator, progress: Progress) -> Routing:
        """A prediction a query; raises EvaluationFailure for a model that it does not know."""
        return self._router.route(table, fold, chance, progress)

    def known(self, models: Sequence[str]) -> list[str]:
        """Those of the models that it knows; raises EvaluationFailure when it knows none."""
        there = [model for model in models if model in self.artifact.fitted.models]
        if not there:
            raise EvaluationFailure(
                f"{self.path.name} knows no model of the data: it knows {', '.join(self.artifact.fitted.models[:8])}; they have "
                f"{', '.join(models[:8])}"
            )
        return there

    def held_out(self, dataset: Dataset) -> Dataset:
        """The data without the texts that it was trained on; raises EvaluationFailure when nothing is left."""
        table = dataset.table
        if table.text is None:
            return dataset
        seen = np.isin(fingerprints(table.text), self.artifact.seen)
        if not seen.any():
            return dataset
        if seen.all():
            raise EvaluationFailure(
                f"{self.path.name} was trained on every one of these queries: evaluate it on others, or train and measure by folds with "
                "--cross-validate 5 --router learned"
            )
        message = f"{int(seen.sum()):,} queries are left out: {self.path.name} was trained on them"
        kept = table.take(~seen)
        return msgspec.structs.replace(
            dataset,
            table=kept,
            cells=int(np.isfinite(kept.score).sum()),
            findings=(*dataset.findings, Finding("trained_on", "warning", message, int(seen.sum()))),
        )


class _Told:
    """What is predicted, as it is gathered."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.good, self.expected = np.zeros_like(table.score), np.zeros_like(table.score)
        self.choice = np.zeros(len(table.query), dtype=np.intp)
        self.refused = np.zeros(len(table.query), dtype=bool)

    def take(self, artifact: Artifact, data: Design, places: NDArray[np.intp], guard: bool) -> None:
        """What `artifact` says of the texts at these places."""
        fitted = artifact.fitted
        models = np.array([fitted.models.index(model) for model in self.table.models])
        beliefs = from_outputs(fitted, outputs(data, fitted))
        good = beliefs.good[:, models].astype(np.float64)
        expected = beliefs.amounts["cost"][:, models].astype(np.float64) if "cost" in beliefs.amounts else np.zeros_like(good)
        chosen = at_price(good, expected, artifact.price)
        refused = ~np.array(artifact.route)[beliefs.task.argmax(axis=1)] if guard else np.zeros(len(good), dtype=bool)
        good[refused], expected[refused] = fitted.overall[models], overall_cost(fitted)[models]
        chosen[refused] = self._best(artifact, models)
        self.good[places], self.expected[places], self.choice[places], self.refused[places] = good, expected, chosen, refused

    def _best(self, artifact: Artifact, models: NDArray[np.intp]) -> int:
        """The best single model of its training, or the best of those that are here."""
        here = np.flatnonzero(models == artifact.best)
        return int(here[0]) if len(here) else int(artifact.fitted.overall[models].argmax())

    def routing(self, at: str) -> Routing:
        """As the evaluation wants it."""
        return Routing(choice=self.choice, good=self.good, expected=self.expected if self.table.has_costs else None, at=at)


def overall_cost(fitted: Fitted) -> Floats:
    """USD of a query on each model, over all tasks; zeros where no cost was measured."""
    amount = fitted.amounts.get("cost")
    if amount is None:
        return np.zeros(len(fitted.models))
    share = fitted.labels / np.maximum(fitted.labels.sum(axis=0), 1e-9)
    cost: Floats = ((share * np.exp(amount.table)).sum(axis=0) * amount.correction).astype(np.float64)
    return cost


def _texts(table: Table) -> list[str]:
    if table.text is None or not any(table.text):
        raise EvaluationFailure(NO_TEXT)
    return list(table.text)
