"""What is due by the newest rows of a log: for those who look while it is written, and must not look at all of it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence

from tierline.config.loaded import Loaded
from tierline.decision_log.reader import LogReader
from tierline.evaluation.review.due import Due, all_due
from tierline.evaluation.review.facts import TaskFacts, now_of
from tierline.evaluation.review.looks import looked
from tierline.ledger.signoffs import Signoff
from tierline.types.alert import Alert

DAY = 86400.0
WINDOW = 30 * DAY
"""Seconds that are looked back, as long as the rows are not too many."""

MOST_ROWS = 30_000
"""Rows, the newest, that are looked at."""

_OLDEST = "SELECT at FROM decisions ORDER BY at DESC LIMIT 1 OFFSET ?"


def facts_of_newest(loaded: Loaded, log: LogReader, labels: Mapping[str, float], now: float) -> tuple[float, Mapping[str, TaskFacts]]:
    """Seconds that were looked back, and the facts of every task in them."""
    oldest = log.query(_OLDEST, (MOST_ROWS,))
    window = min(WINDOW, now - oldest[0][0]) if oldest else WINDOW
    return window, now_of(loaded, log, labels, window, now)


def due_now(loaded: Loaded, facts: Mapping[str, TaskFacts], signed: Mapping[str, Signoff], alerts: Sequence[Alert]) -> list[Due]:
    """Every task with each reason to look at it again today."""
    looks = {name: found for name in loaded.spec.tasks if (found := looked(loaded, name, signed.get(name))) is not None}
    return all_due(loaded.spec.tasks, facts, looks, alerts, datetime.date.today())
