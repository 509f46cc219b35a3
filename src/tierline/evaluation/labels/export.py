"""The labels of a log as the tidy table that every command of the evaluation reads: a row an answer, with its score and whose word
that is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tierline.evaluation.labels.combine import Combined
from tierline.evaluation.labels.heard import Answer
from tierline.evaluation.labels.view import Labels
from tierline.evaluation.labels.words import words
from tierline.postgres.connection import place_of

COLUMNS: Mapping[str, str] = {
    "dataset": "VARCHAR",
    "query_id": "VARCHAR",
    "query": "VARCHAR",
    "task": "VARCHAR",
    "language": "VARCHAR",
    "model": "VARCHAR",
    "score": "DOUBLE",
    "certainty": "DOUBLE",
    "said": "DOUBLE",
    "label_source": "VARCHAR",
    "labels": "VARCHAR",
    "conflict": "BOOLEAN",
    "way": "VARCHAR",
    "propensity": "DOUBLE",
    "cost_usd": "DOUBLE",
    "latency": "DOUBLE",
    "input_tokens": "BIGINT",
    "output_tokens": "BIGINT",
}
"""Column → type. `score` is the posterior, `said` the word of `label_source`, the source that counts first; `labels` lists what each voice
said; USD and seconds. `query` is empty where the route keeps no text."""


def rows(labels: Labels, *, everything: bool = False) -> Iterator[dict[str, Any]]:
    """Answers with a trusted label; `everything`: also those asked for because another was not good enough."""
    with words(labels.path) as kept:
        for answer, combined in labels.combined():
            if combined.score is None or (answer.after_failure and not everything):
                continue
            exchanged = kept.of(answer.request_id)
            yield _row(place_of(labels.path).stem, answer, combined, "" if exchanged is None else exchanged.prompt)


def _row(dataset: str, answer: Answer, combined: Combined, prompt: str) -> dict[str, Any]:
    values = (
        dataset,
        answer.request_id,
        prompt or None,
        answer.task or None,
        answer.language or None,
        answer.model,
        combined.score,
        combined.certainty,
        combined.said,
        combined.source,
        "; ".join(f"{voice} {score:g}" for voice, score, _ in combined.voices),
        combined.conflict,
        answer.way,
        answer.propensity,
        answer.cost,
        answer.elapsed,
        answer.usage.input,
        answer.usage.output,
    )
    return dict(zip(COLUMNS, values, strict=True))
