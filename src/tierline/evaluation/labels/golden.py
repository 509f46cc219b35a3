"""Golden sets: answers that a team has labelled itself, brought to the answers in a log.

    {"request_id": "5f2c9a41d0b37e68", "score": 1}                       what this request was answered with is right
    {"prompt": "What is 6 × 7?", "reference": "42"}                      every logged answer to it is held against the right one
    {"prompt": "What is 6 × 7?", "answer": "It is 41.", "score": 0}      this answer to it is wrong
    {"prompt": "What is 6 × 7?", "model": "mini", "score": 1}            whatever this model answered to it is right

`model` may stand beside `request_id` too, for an answer given beside. A prompt finds the requests whose words are kept (`log_text`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from tierline.evaluation.collect.journal import AnswerLine
from tierline.evaluation.grade.reference import ReferenceGrader
from tierline.evaluation.judging.material import prompt_of
from tierline.evaluation.labels.heard import Answer, heard
from tierline.evaluation.labels.words import Exchanged, words
from tierline.ledger.ledger import Ledger
from tierline.types.errors import EvaluationFailure
from tierline.types.label import Label

_SHOWN = 10
_BATCH = 500


class GoldenRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of a golden set, as said above; `score` in [0, 1], `reference` the right answer, `answer` the one that the score is
    about."""

    request_id: str = ""
    prompt: str = ""
    model: str = ""
    answer: str = ""
    reference: str = ""
    score: float | None = None
    task: str = ""


class Imported(msgspec.Struct, frozen=True):
    """What came of an import: labels written, those that stood there already, and the lines that found no answer in the log."""

    rows: int
    written: int
    known: int
    unmatched: tuple[int, ...]


def read_golden(path: Path) -> list[GoldenRow]:
    """The lines of a golden set; raises EvaluationFailure with what is wrong, by line."""
    rows, problems = [], []
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise EvaluationFailure(f"{path} cannot be read: {error.strerror}") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = msgspec.json.decode(line, type=GoldenRow)
        except msgspec.DecodeError as error:
            problems.append(f"{path.name}:{number}: {error}")
            continue
        problems += [f"{path.name}:{number}: {fault}" for fault in _faults(row)]
        rows.append(row)
    if problems or not rows:
        raise EvaluationFailure("\n".join(problems[:_SHOWN]) or f"{path.name}: there is nothing in it")
    return rows


def import_golden(log: Path | str, rows: Sequence[GoldenRow], by: str, at: float, trust: float = 1.0) -> Imported:
    """Write the labels that the rows give to answers of the log; one that stands there already is not written again."""
    ledger = Ledger(log)
    try:
        written = known = 0
        matched: set[int] = set()
        batch: list[Label] = []
        for number, label in _labels(log, rows, by, at, trust):
            matched.add(number)
            there = {(one.model, one.source, one.by, one.score) for one in ledger.labels.of(label.request_id)}
            if (label.model, "golden", by, label.score) in there:
                known += 1
                continue
            batch.append(label)
            written += 1
            if len(batch) >= _BATCH:
                ledger.labels.add(batch)
                batch.clear()
        ledger.labels.add(batch)
        unmatched = tuple(number + 1 for number in range(len(rows)) if number not in matched)
        return Imported(len(rows), written, known, unmatched)
    finally:
        ledger.close()


def _faults(row: GoldenRow) -> Iterator[str]:
    if not row.request_id and not row.prompt:
        yield "say which answer: request_id, or prompt"
    if (row.score is None) == (not row.reference):
        yield "give a score or a reference, and not both"
    if row.score is not None and not 0.0 <= row.score <= 1.0:
        yield f"score must be between 0 and 1, not {row.score:g}"
    if row.prompt and not row.request_id and row.score is not None and not row.answer and not row.model:
        yield "a score needs the answer or the model that it is about; or give a reference"


def _labels(log: Path | str, rows: Sequence[GoldenRow], by: str, at: float, trust: float) -> Iterator[tuple[int, Label]]:
    by_id: dict[str, list[int]] = {}
    by_words: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        (by_id if row.request_id else by_words).setdefault(row.request_id or _same(row.prompt), []).append(number)
    grader = ReferenceGrader()
    with words(log) as kept:
        for found in heard(log, None if by_words else list(by_id)):
            numbers = by_id.get(found.request_id, [])
            exchanged = kept.of(found.request_id) if by_words or numbers else None
            if exchanged is not None:
                numbers = [*numbers, *by_words.get(_same(exchanged.prompt), ())]
            for number in numbers:
                for answer in found.answers:
                    score = _score(rows[number], answer, exchanged, grader)
                    if score is not None:
                        yield number, Label(answer.request_id, answer.model, score, "golden", at, by, trust)


def _score(row: GoldenRow, answer: Answer, exchanged: Exchanged | None, grader: ReferenceGrader) -> float | None:
    """What a row says of one answer; None where it is about another."""
    if row.model and answer.model != row.model:
        return None
    if not row.model and not answer.given:
        return None
    said = exchanged.words if exchanged is not None and answer.given else ""
    if row.answer and _same(row.answer) != _same(said):
        return None
    if row.score is not None:
        return row.score
    if not said:
        return None
    prompt = prompt_of(row.prompt, row.prompt, (), row.task, row.reference)
    return asyncio.run(grader.grade(prompt, AnswerLine("", "", answer.model, "", 0.0, said))).score


def _same(text: str) -> str:
    return " ".join(text.lower().split())
