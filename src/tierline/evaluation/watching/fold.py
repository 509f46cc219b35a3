"""From the rows of a decision log to the tally of each hour."""

from __future__ import annotations

from collections.abc import Mapping

from tierline.config.alerts import Watch
from tierline.config.loaded import Loaded
from tierline.decision_log.codec import attempted, first_call, stored_features
from tierline.decision_log.reader import Filter, LogReader
from tierline.watch.past import HOUR
from tierline.watch.tally import Hour, Seen, add

_COLUMNS = (
    "route", "task", "cost", "fallbacks", "escalations", "latency", "difficulty", "complexity", "operation", "language", "stopped",
    "answered", "features", "decision", "tried",
)  # fmt: skip
"""In the order of `schema.COLUMNS`, in which `LogReader.pages` gives them."""


def fold(reader: LogReader, hour: int, budgets: Mapping[str, float]) -> Hour:
    """What is kept of one hour, counted from the Unix epoch. What a tool answered or a client gave up counts as read alone."""
    found = Hour(hour)
    for page in reader.pages(_COLUMNS, Filter(since=hour * HOUR, until=(hour + 1) * HOUR)):
        found.rows += len(page)
        for row in page:
            at, _, route, task, cost, fallbacks, escalations, latency, difficulty, complexity, operation, language, stopped, answered = row[
                :14
            ]
            if answered or stopped == "cancelled":
                continue
            features, tier = stored_features(row[14]), first_call(row[15])[0]
            tried = attempted(row[16])
            seen = Seen(
                at, route, task, tier, cost, fallbacks, escalations, latency, operation, language, features.input_tokens, difficulty,
                complexity, features.prompt_fingerprint, tried,
            )  # fmt: skip
            add(found, seen, budgets)
    return found


def budgets_of(loaded: Loaded, watches: tuple[Watch, ...]) -> dict[str, float]:
    """The latency budget of each task, in seconds; under an empty name that of those without one, if the watch gives it."""
    found = {name: float(task.latency_budget) for name, task in loaded.spec.tasks.items() if task.latency_budget is not None}
    others = next((watch.budget for watch in watches if watch.name == "latency_slo" and watch.budget is not None), None)
    return found if others is None else {"": others, **found}


def prices_of(loaded: Loaded) -> dict[str, tuple[float, float]]:
    """What each model costs now, in and out, USD per million tokens; those whose price nobody knows are left out."""
    return {name: (model.price.input, model.price.output) for name, model in loaded.models.items() if model.price.known}
