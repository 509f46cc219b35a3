"""Answers whose worth is known: from a log with golden labels or reviews, or from a file of labelled answers. What a judge is held against.

A file has a row an answer: `query` (or `prompt`), `response` (or `answer`) and `score`, with task, model and reference if there are
any: what `tierline collect` writes. All answers to one question are taken or left together, by a hash of its words, so that they can
be compared."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path

import duckdb
import msgspec

from tierline.evaluation.collect.prompts import Prompt
from tierline.evaluation.datasets.columns import literal, named, quoted
from tierline.evaluation.labels.combine import combine
from tierline.evaluation.labels.heard import heard
from tierline.evaluation.labels.trust import ANCHORS, Trusts
from tierline.evaluation.labels.view import standing
from tierline.evaluation.labels.words import words
from tierline.evaluation.training.log_texts import is_log
from tierline.types.errors import EvaluationFailure

PAIRS_A_QUESTION = 3
"""Pairs of answers to one question that are compared at most."""
MOST_ANSWERS = 200_000
_READERS = {".parquet": "read_parquet", ".csv": "read_csv", ".jsonl": "read_json", ".ndjson": "read_json"}


class Labelled(msgspec.Struct, frozen=True):
    """An answer that is known to be worth `label` in [0, 1], to the question that `prompt` holds; `source` says how that is known."""

    id: str
    prompt: Prompt
    answer: str
    label: float
    source: str
    task: str = ""
    model: str = ""


class Pair(msgspec.Struct, frozen=True):
    """Two different answers to one question; which of them is `one` is left to a hash, so that it says nothing."""

    one: Labelled
    other: Labelled

    @property
    def id(self) -> str:
        """Of the pair."""
        return f"{self.one.id}|{self.other.id}"

    @property
    def decided(self) -> bool:
        """Whether the labels say which is better: one is good enough, the other is not."""
        return (self.one.label >= 0.5) != (self.other.label >= 0.5)


def material(path: Path, task: str | None, most: int, seed: int) -> list[Labelled]:
    """At most about `most` labelled answers of a log or a file, of one task or (None) all; raises EvaluationFailure where there is none."""
    found = _chosen(_of_log(path) if is_log(path) else _of_file(path), task, most, seed)
    if not found:
        what = "golden label or review of an answer whose text is kept (log_text)" if is_log(path) else "row with query, response and score"
        raise EvaluationFailure(f"{path.name} has no {what}{f' in task {task!r}' if task else ''}")
    return found


def pairs(answers: Sequence[Labelled], seed: int) -> list[Pair]:
    """Pairs of answers to the same question that do not say the same."""
    together: dict[str, list[Labelled]] = {}
    for answer in answers:
        together.setdefault(answer.prompt.digest, []).append(answer)
    found = []
    for same in together.values():
        differing = [(one, other) for one, other in combinations(same, 2) if one.answer.strip() != other.answer.strip()]
        ranked = sorted(differing, key=lambda pair: _rank(f"{pair[0].id}|{pair[1].id}", seed))[:PAIRS_A_QUESTION]
        found += [Pair(one, other) if _rank(f"{other.id}|{one.id}", seed) % 2 else Pair(other, one) for one, other in ranked]
    return found


def prompt_of(digest_of: str, text: str, messages: Sequence[Mapping[str, object]], task: str, reference: str | None) -> Prompt:
    """The question as graders know it."""
    digest = hashlib.sha256(" ".join(digest_of.lower().split()).encode("utf-8", "replace")).hexdigest()[:12]
    return Prompt(digest, tuple(messages), text, digest, task, reference)


def _chosen(answers: Iterable[Labelled], task: str | None, most: int, seed: int) -> list[Labelled]:
    """Those whose questions have the least hashes: the same ones whatever their order, and in little memory."""
    wanted = (answer for answer in answers if task is None or answer.task == task)
    ranked = ((_rank(answer.prompt.digest, seed), answer.id, answer) for answer in wanted)
    return [answer for _, _, answer in heapq.nsmallest(most, ranked, key=lambda one: one[:2])]


def _rank(what: str, seed: int) -> int:
    return int.from_bytes(hashlib.blake2b(f"{seed}/{what}".encode(), digest_size=8).digest(), "big")


def _of_log(path: Path) -> Iterator[Labelled]:
    """Answers given that a golden set or a reviewer spoke of, and whose words were kept."""
    trusts = Trusts({}, standing(path), {})
    with words(path) as kept:
        for row in heard(path):
            for answer in row.answers:
                anchored = [label for label in answer.labels if label.source in ANCHORS]
                if not answer.given or not anchored:
                    continue
                said = combine(anchored, answer.task, trusts)
                exchanged = kept.of(answer.request_id)
                if exchanged is None or not exchanged.words or said.said is None:
                    continue
                messages = [{"role": "user", "content": exchanged.prompt}]
                prompt = prompt_of(exchanged.prompt, exchanged.prompt, messages, answer.task, None)
                yield Labelled(answer.request_id, prompt, exchanged.words, said.said, said.source, answer.task, answer.model)


def _of_file(path: Path) -> Iterator[Labelled]:
    reader = _READERS.get(path.suffix.lower())
    if reader is None or not path.is_file():
        raise EvaluationFailure(f"{path}: give a decision log, or a .parquet, .csv or .jsonl file of labelled answers")
    with duckdb.connect() as database:
        try:
            source = f"{reader}({literal(str(path))})"
            columns = [str(name) for name in database.sql(f"SELECT * FROM {source} LIMIT 0").columns]  # noqa: S608  # quoted
            yield from _rows(database, source, columns, path)
        except duckdb.Error as error:
            raise EvaluationFailure(f"{path.name} cannot be read: {str(error).splitlines()[0][:300]}") from None


def _rows(database: duckdb.DuckDBPyConnection, source: str, columns: Sequence[str], path: Path) -> Iterator[Labelled]:
    folded = {column.lower(): column for column in columns}
    found = named(columns)
    response = folded.get("response") or folded.get("answer")
    if response is None or "query" not in found or "score" not in found:
        raise EvaluationFailure(f"{path.name} needs the columns query, response and score; it has {', '.join(columns)}")
    terms = [
        f"CAST({quoted(found['query'])} AS VARCHAR)",
        f"CAST({quoted(response)} AS VARCHAR)",
        f"CAST({quoted(found['score'])} AS DOUBLE)",
    ]
    for name in ("task", "model", "reference"):
        column = found.get(name) or folded.get(name)
        terms.append(f"CAST({quoted(column)} AS VARCHAR)" if column else "NULL")
    graders = f" AND coalesce(CAST({quoted(folded['grade'])} AS VARCHAR), '') <> 'judge'" if "grade" in folded else ""
    where = f"{terms[0]} IS NOT NULL AND coalesce({terms[1]}, '') <> '' AND {terms[2]} BETWEEN 0 AND 1{graders}"
    rows = database.execute(f"SELECT {', '.join(terms)} FROM {source} WHERE {where} LIMIT {MOST_ANSWERS}")  # noqa: S608  # quoted names
    number = 0
    while page := rows.fetchmany(1_000):
        for query, answer, score, task, model, reference in page:
            number += 1
            prompt = prompt_of(query, query, [{"role": "user", "content": query}], task or "", reference)
            yield Labelled(f"{prompt.id}.{model or number}", prompt, answer, score, "reference", task or "", model or "")
