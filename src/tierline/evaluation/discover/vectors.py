"""Requests as points. Traits are weighed one-hot vectors; words, where they are kept, TF-IDF of n-grams brought down to a few
dimensions (latent semantic analysis: Deerwester et al. 1990; by the randomised decomposition of Halko, Martinsson and Tropp 2011)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from tierline.evaluation.discover.terms import STOP, grams
from tierline.evaluation.discover.traits import WEIGHTS, Trait

Points = NDArray[np.float32]
"""Shape (requests, dimensions)."""

MOST_TRAITS = 400
MOST_TERMS = 30_000
LEAST_TEXTS = 3
"""A term counts from so many texts on."""
DIMENSIONS = 64
WORDS = 0.75
"""How much words count beside traits, where they are kept."""


STRONG = float(np.hypot(WEIGHTS["task"], WEIGHTS["prompt"]))


def of_traits(found: Sequence[tuple[Trait, ...]]) -> Points:
    """A point a request, each trait with its weight; only the most frequent traits count, so that memory is bounded."""
    counts = Counter(trait for one in found for trait in one)
    kept = sorted(counts, key=lambda trait: (-counts[trait], trait))[:MOST_TRAITS]
    place = {trait: number for number, trait in enumerate(kept)}
    points = np.zeros((len(found), len(kept)), dtype=np.float32)
    for row, one in enumerate(found):
        for trait in one:
            if trait in place:
                points[row, place[trait]] = WEIGHTS[trait[0]]
    return points


def of_texts(texts: Sequence[str | None], seed: int) -> Points:
    """A point a text; zeros where there is none, or none of its terms is known."""
    told = [Counter(grams(text)) if text else Counter[str]() for text in texts]
    counts = Counter(gram for one in told for gram in one if gram not in STOP)
    kept = sorted((gram for gram, count in counts.items() if count >= LEAST_TEXTS), key=lambda gram: (-counts[gram], gram))[:MOST_TERMS]
    if not kept:
        return np.zeros((len(texts), 1), dtype=np.float32)
    place = {gram: number for number, gram in enumerate(kept)}
    rows, columns, values = list[int](), list[int](), list[float]()
    for row, one in enumerate(told):
        for gram, count in one.items():
            if gram in place:
                rows.append(row)
                columns.append(place[gram])
                values.append((1.0 + np.log(count)) * np.log((1.0 + len(texts)) / (1.0 + counts[gram])))
    matrix = sparse.csr_matrix((np.array(values, dtype=np.float64), (rows, columns)), shape=(len(texts), len(kept)))
    length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return unit(_reduced(sparse.diags(1.0 / np.maximum(length, 1e-12)) @ matrix, seed))


def joined(traits: Points, words: Points) -> Points:
    """Both as one point: words have length 1 before they are weighed, and so have a task with a system prompt; traits that say less weigh
    less."""
    return np.hstack([np.float32((1.0 - WORDS) ** 0.5 / STRONG) * traits, np.float32(WORDS**0.5) * words])


def unit(points: NDArray[np.float32] | NDArray[np.float64]) -> Points:
    """Each of length 1, but for those of length 0."""
    length = np.linalg.norm(points, axis=1, keepdims=True)
    return np.asarray(points / np.maximum(length, 1e-12), dtype=np.float32)


def _reduced(matrix: sparse.csr_matrix, seed: int) -> NDArray[np.float64]:
    """The rows in the space of the greatest singular vectors, with two power iterations."""
    size = min(DIMENSIONS, *matrix.shape)
    dice = np.random.default_rng(seed)
    basis, _ = np.linalg.qr(matrix @ dice.standard_normal((matrix.shape[1], min(size + 10, *matrix.shape))))
    for _ in range(2):
        basis, _ = np.linalg.qr(matrix.T @ basis)
        basis, _ = np.linalg.qr(matrix @ basis)
    left, singular, _ = np.linalg.svd((matrix.T @ basis).T, full_matrices=False)
    points: NDArray[np.float64] = (basis @ left)[:, :size] * singular[:size]
    return points
