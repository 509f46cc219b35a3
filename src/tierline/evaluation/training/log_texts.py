"""The prompts of a decision log, where its routes keep them (`log_text`): without its prompt, an answer teaches nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from tierline.evaluation.datasets import Dataset
from tierline.evaluation.datasets.decision_log import MAGIC
from tierline.evaluation.document import Finding
from tierline.evaluation.labels.words import words
from tierline.evaluation.table import Table
from tierline.evaluation.training.learn import LEAST_QUERIES, established, fingerprints
from tierline.types.errors import EvaluationFailure


def is_log(path: Path) -> bool:
    """Whether a file is a decision log."""
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def with_log_texts(dataset: Dataset, logs: Sequence[Path]) -> Dataset:
    """The data with the prompts of its logged requests, and without those whose prompt was not kept; raises EvaluationFailure when none
    was, LogFailure when a log cannot be read."""
    if not logs:
        return dataset
    table = dataset.table
    texts = list(table.text or [""] * len(table.query))
    for path in logs:
        with words(path) as kept_words:
            for row, (query, name) in enumerate(zip(table.query, table.dataset, strict=True)):
                if not texts[row] and name == path.stem and (found := kept_words.of(query)) is not None:
                    texts[row] = found.prompt
    kept = [row for row, text in enumerate(texts) if text]
    if not kept:
        raise EvaluationFailure(
            f"{', '.join(path.name for path in logs)}: no judged request has its prompt kept: set log_text on the route (sample 0.05)"
        )
    findings = dataset.findings
    if lost := len(texts) - len(kept):
        findings = (*findings, Finding("no_text", "warning", f"{lost:,} judged requests are left out: their prompts were not kept", lost))
    group = np.unique(fingerprints(texts), return_inverse=True)[1].reshape(-1).astype(np.int64)
    whole = msgspec.structs.replace(table, text=texts, group=group)
    table = whole.take(np.array(kept, dtype=np.intp))
    return msgspec.structs.replace(dataset, table=table, findings=findings, comparable=dataset.comparable or _can_compare(table))


def _can_compare(table: Table) -> bool:
    """Whether enough queries were measured on two models or more, as shadows do it."""
    models = established(table)
    return len(models) > 1 and int(table.only(models).complete.sum()) >= LEAST_QUERIES
