"""What everyone together says of an answer, for whoever counts answers: experiments, the watch over releases, proposals.

Only answers that somebody spoke of are read, so a look costs what was said and not what was asked. Voices weigh by their trust
(`combine.py`), at an even prior: what is said of one answer must not hang on how its model did elsewhere, or arms would be compared with
what is believed of them. A judge that was not validated is not heard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import msgspec

from tierline.evaluation.labels.combine import Combined, combine
from tierline.evaluation.labels.heard import SAME, Answer, heard
from tierline.evaluation.labels.trust import Hits, Trusts, measure
from tierline.evaluation.labels.view import standing
from tierline.ledger.reader import LedgerReader

GOOD = 0.5
"""From here on an answer is good enough."""

_TIED = 1e-9


class Said(msgspec.Struct, frozen=True):
    """What is said of one answer: how good it is in [0, 1], when the last word came (Unix seconds), and whether the client got it."""

    score: float
    at: float
    given: bool = True


Sayings = Mapping[tuple[str, str], Said]
"""What is said of answers, by request and model."""


def said_of(path: Path | str) -> dict[tuple[str, str], Said]:
    """What labels, feedback, reviews and validated judges say of the answers of a log, together with their checks."""
    answers = [answer for row in heard(path, _spoken_of(path)) for answer in row.answers if answer.labels]
    measured: dict[tuple[str, str], Hits] = {}
    for answer in answers:
        measure(measured, [label for label in answer.labels if label.note != SAME], answer.task)
    trusts = Trusts(measured, standing(path), {})
    found: dict[tuple[str, str], Said] = {}
    for answer in answers:
        said = _said(answer, combine(answer.labels, answer.task, trusts))
        known = found.get((answer.request_id, answer.model))
        if said is not None and (known is None or said.given or not known.given):
            found[answer.request_id, answer.model] = said
    return found


def of_answers_given(said: Sayings) -> dict[str, float]:
    """The scores of the answers that clients got, by request."""
    return {request: one.score for (request, _), one in said.items() if one.given}


def _said(answer: Answer, combined: Combined) -> Said | None:
    """The word that counts first, where it and the weight of all voices point the same way; else that weight."""
    weight, word = combined.score, combined.said
    if weight is None or word is None:
        return None
    agreed = abs(weight - GOOD) < _TIED or (weight >= GOOD) == (word >= GOOD)
    return Said(word if agreed else weight, max(label.at for label in answer.labels), answer.given)


def _spoken_of(path: Path | str) -> list[str]:
    """The requests that anybody said anything of."""
    with closing(LedgerReader(path)) as ledger:
        return list(dict.fromkeys(_named(ledger)))


def _named(ledger: LedgerReader) -> Iterator[str]:
    for label in ledger.labels():
        yield label.request_id
    for one in ledger.feedback():
        yield one.request_id
