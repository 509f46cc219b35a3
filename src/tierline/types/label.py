"""A label: what somebody or something says of one answer, with where it is from and how far it is trusted."""

from __future__ import annotations

from typing import Literal

import msgspec

Source = Literal["golden", "review", "feedback", "validator", "judge"]
"""Who speaks: a golden set, a person at the review queue, whoever used the answer, a check, a model that judged."""


class Label(msgspec.Struct, frozen=True):
    """That the answer of `model` to the request `request_id` was worth `score`, from 0 (wrong) to 1 (good enough).

    `by` names the key, the check or the judge; `trust` in [0, 1] is the share of such labels that is right, as far as that was measured
    (`note` says how); `at` is Unix time in seconds. Nothing is overwritten: labels that disagree stand side by side."""

    request_id: str
    model: str
    score: float
    source: Source
    at: float
    by: str = ""
    trust: float = 1.0
    note: str = ""
