"""Requests of a decision log, with their words where the log keeps them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec

from tierline.decision_log.codec import asked as asked_of
from tierline.decision_log.codec import attempted
from tierline.decision_log.reader import EVERYTHING, Filter, LogReader
from tierline.evaluation.discover.asked import Asked, Gathered
from tierline.evaluation.discover.sample import Sample, lot
from tierline.evaluation.labels.words import Words
from tierline.evaluation.review.facts import GOOD
from tierline.routing.extract.reading import read
from tierline.types.errors import EvaluationFailure, LogFailure
from tierline.types.record import Tried

MOST = 100_000
"""Requests that are drawn where there are more."""
MOST_TEXTS = 20_000
"""Requests whose words are read, the first of the draw."""


class _Row(NamedTuple):
    """A row of the log, in the log's order of columns."""

    at: float
    seq: int
    request_id: str
    route: str
    task: str
    key: str
    team: str
    model: str
    first_model: str
    policy: str
    status: int
    cost: float
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    fallbacks: int
    escalations: int
    latency: float
    propensity: float
    arm: str
    draw: float
    margin: float | None
    difficulty: float | None
    complexity: float
    operation: str
    language: str
    winner: int | None
    stopped: str
    answered: str
    features: bytes
    scores: bytes | None
    view: bytes | None
    decision: bytes
    tried: bytes


def from_log(
    reader: LogReader,
    labels: Mapping[str, float],
    which: Filter = EVERYTHING,
    *,
    where: str = "",
    most: int = MOST,
    seed: int = 0,
    texts: bool = True,
    advance: Callable[[int], None] | None = None,
) -> Gathered:
    """A draw of the log's requests; `labels` is what was said of answers, by request. Requests that a tool answered or whose client
    went away are left out. `texts`: read words where they are kept. Raises LogFailure, and EvaluationFailure for a log without a
    request."""
    sample, by_tool = Sample[_Row](most), 0
    since, until = float("inf"), float("-inf")
    for page in reader.pages(_Row._fields[2:], which):
        for row in map(_Row._make, page):
            by_tool += bool(row.answered)
            if row.answered or row.stopped == "cancelled":
                continue
            since, until = min(since, row.at), max(until, row.at)
            drawn = lot(seed, row.request_id)
            if sample.wants(drawn):
                sample.keep(drawn, row.request_id, row)
        if advance is not None:
            advance(len(page))
    if not sample.seen:
        tools = f", {by_tool:,} by tools" if by_tool else ""
        raise EvaluationFailure(f"{where or reader.path} holds no request that a model was to answer{tools}")
    try:
        found = [_asked(row, labels) for row in sample.taken()]
    except (ValueError, IndexError) as error:
        raise LogFailure(f"{reader.path}: a row cannot be read ({error}): a newer release wrote it, or the file is damaged") from error
    if texts:
        found[:MOST_TEXTS] = _with_words(reader, found[:MOST_TEXTS])
    return Gathered(where, tuple(found), sample.seen, True, by_tool, since, until)


def _asked(row: _Row, labels: Mapping[str, float]) -> Asked:
    features, _, _ = asked_of(row._asdict())
    tried = attempted(row.tried)
    usage = tried[row.winner].usage if row.winner is not None else None
    return Asked(
        row.request_id,
        features,
        row.task,
        row.model or row.first_model,
        row.cost,
        usage.input if usage and usage.input else features.input_tokens,
        usage.output if usage and usage.output else features.output_tokens,
        usage.cached if usage else 0,
        row.latency if row.winner is not None else None,
        row.escalations > 0,
        row.fallbacks > 0,
        row.status >= 500,
        _judged(row, tried, labels),
    )


def _judged(row: _Row, tried: tuple[Tried, ...], labels: Mapping[str, float]) -> tuple[str, bool] | None:
    """As a month's report judges: what was said of the answer given, else what the checks say of the first."""
    said = labels.get(row.request_id)
    if said is not None and row.model:
        return row.model, said >= GOOD
    first = tried[0] if tried else None
    if first is None or not first.ok or not first.verdicts:
        return None
    return first.target, all(verdict.passed for verdict in first.verdicts)


def _with_words(reader: LogReader, found: list[Asked]) -> list[Asked]:
    if not reader.query("SELECT 1 FROM texts LIMIT 1"):
        return found
    words, with_words = Words(reader), []
    for one in found:
        kept = words.of(one.id)
        told = {} if kept is None else {"text": kept.prompt, "system": read(kept.request).system}
        with_words.append(msgspec.structs.replace(one, **told) if told else one)
    return with_words
