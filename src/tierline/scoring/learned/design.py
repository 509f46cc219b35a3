"""Many texts as one matrix, for fitting: the features of each, computed once, whatever is fitted on them afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from tierline.scoring.learned.beliefs import EMBED_WEIGHT, FORM_LIMIT, Fitted
from tierline.scoring.learned.embed import Embedder
from tierline.scoring.learned.form import FORM, form
from tierline.scoring.learned.grams import BUCKETS, WORDS, grams

LEAST_DOCUMENTS = 2
"""A bucket that fewer texts have says nothing."""
EVERY = 500
FORM_WEIGHT = 0.3
"""Of a fact of form that is one spread from its mean, beside words and characters of length one."""


class Design(msgspec.Struct, frozen=True):
    """`counts`: a sparse row a text, as `grams` gives it; `forms` shaped (texts, FORM), `vectors` (texts, embedding) or None; `embedder`
    names what made them."""

    counts: sparse.csr_matrix
    forms: NDArray[np.float32]
    vectors: NDArray[np.float32] | None = None
    embedder: str = ""

    def take(self, rows: NDArray[np.intp]) -> Design:
        """Some of the texts, by their places."""
        return Design(self.counts[rows], self.forms[rows], None if self.vectors is None else self.vectors[rows], self.embedder)


class Scale(msgspec.Struct, frozen=True):
    """How counts become features: `idf` a bucket (0 where it says nothing), and mean and spread of each fact of form."""

    idf: NDArray[np.float32]
    mean: NDArray[np.float32]
    spread: NDArray[np.float32]


def design(texts: Sequence[str], progress: Callable[[str, int, int], None], embed: Embedder | None = None) -> Design:
    """The features of the texts, in their order; their embeddings are among them where there is an embedder."""
    places, weights, ends = [], [], np.zeros(len(texts) + 1, dtype=np.int64)
    forms = np.zeros((len(texts), FORM), dtype=np.float32)
    for i, text in enumerate(texts):
        found, weight = grams(text)
        places.append(found)
        weights.append(weight)
        ends[i + 1] = ends[i] + len(found)
        forms[i] = form(text)
        if i % EVERY == 0:
            progress("reading the prompts", i, len(texts))
    progress("reading the prompts", len(texts), len(texts))
    columns = np.concatenate(places) if places else np.zeros(0, dtype=np.int64)
    values = np.concatenate(weights) if weights else np.zeros(0, dtype=np.float32)
    counts = sparse.csr_matrix((values, columns.astype(np.int32), ends), shape=(len(texts), BUCKETS))
    return Design(counts, forms) if embed is None else Design(counts, forms, embed.many(texts, progress), embed.name)


def scale_of(data: Design) -> Scale:
    """From the texts that are fitted on, and no others."""
    documents = np.bincount(data.counts.indices, minlength=BUCKETS)
    idf = np.log((1.0 + data.counts.shape[0]) / (1.0 + documents)) + 1.0
    idf[documents < LEAST_DOCUMENTS] = 0.0
    spread = data.forms.std(axis=0)
    return Scale(idf.astype(np.float32), data.forms.mean(axis=0), np.where(spread > 1e-6, spread, 1.0).astype(np.float32))


def features(data: Design, scale: Scale, form_weight: float = FORM_WEIGHT) -> sparse.csr_matrix:
    """Words and characters each of length one, and beside them the facts of form and the embedding; a row a text."""
    weighted = data.counts.multiply(scale.idf[None, :]).tocsr()
    words, characters = (_unit(part) for part in (weighted[:, :WORDS], weighted[:, WORDS:]))
    forms = data.forms[:, : len(scale.mean)]
    facts = sparse.csr_matrix(form_weight * np.clip((forms - scale.mean) / scale.spread, -FORM_LIMIT, FORM_LIMIT))
    vectors = [] if data.vectors is None else [sparse.csr_matrix(EMBED_WEIGHT * data.vectors)]
    return sparse.hstack([words, characters, facts, *vectors], format="csr", dtype=np.float32)


def outputs(data: Design, fitted: Fitted) -> NDArray[np.float32]:
    """The linear outputs of every text, shaped (texts, outputs)."""
    scale = Scale(fitted.idf, fitted.form_mean, fitted.form_spread)
    used = data if fitted.embedder else Design(data.counts, data.forms)
    out: NDArray[np.float32] = features(used, scale, fitted.form_weight) @ fitted.weights + fitted.offset
    return out


def _unit(part: sparse.csr_matrix) -> sparse.csr_matrix:
    lengths = np.sqrt(np.asarray(part.multiply(part).sum(axis=1)).reshape(-1))
    return sparse.diags(1.0 / np.maximum(lengths, 1e-6)).astype(np.float32) @ part
