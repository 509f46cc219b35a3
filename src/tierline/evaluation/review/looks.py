"""When a task was last looked at: its newest sign-off, or the day that stands in the spec."""

from __future__ import annotations

import datetime

import msgspec

from tierline.config.loaded import Loaded
from tierline.evaluation.review.due import Looked
from tierline.evaluation.review.facts import TaskFacts
from tierline.ledger.signoffs import Signoff


def looked(loaded: Loaded, task: str, signed: Signoff | None) -> Looked | None:
    """The last look at a task: its sign-off, or the day that the spec says where that is later; None where nobody ever looked."""
    day = loaded.spec.tasks[task].reviewed
    if signed is None:
        return None if day is None else Looked(day)
    at = datetime.date.fromtimestamp(signed.at)
    facts = msgspec.convert(signed.facts, TaskFacts) if signed.facts else None
    return Looked(at if day is None else max(day, at), signed.by, signed.why, facts)
