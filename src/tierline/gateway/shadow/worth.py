"""What a shadow's answer is worth, as labels: what its validators said, and how it stood against the client's."""

from __future__ import annotations

from collections.abc import Iterator

from tierline.ledger.shadows import Shadowed
from tierline.types.label import Label

_SCORES = {"won": 1.0, "lost": 0.0, "disagreed": 0.5}
_NOTES = {"won": "both orders agreed", "lost": "both orders agreed", "disagreed": "the orders disagreed"}


def labels_of(row: Shadowed) -> Iterator[Label]:
    """The labels of both answers. A judge's trust is 0 until it has been measured; its scores compare two answers, and say of neither
    alone that it was good enough."""
    for verdict in row.verdicts:
        score = float(verdict.passed)
        yield Label(row.request_id, row.model, score, "validator", row.at, verdict.validator, note="of an answer given beside")
    if row.judgement in _SCORES:
        score, note = _SCORES[row.judgement], f"pairwise, blind; {_NOTES[row.judgement]}"
        own = {row.model, row.against} & {row.judge.rpartition("@")[0]}
        note += f"; the answer of {next(iter(own))} is the judge's own" if own else ""
        yield Label(row.request_id, row.model, score, "judge", row.at, row.judge, 0.0, f"{note}; against {row.against}")
        yield Label(row.request_id, row.against, 1.0 - score, "judge", row.at, row.judge, 0.0, f"{note}; against {row.model}")
