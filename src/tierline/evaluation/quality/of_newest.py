"""What the newest rows of a log prove of the routing at work: what a page may ask for while the gateway works."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from tierline.config.loaded import Loaded
from tierline.decision_log.codec import decode
from tierline.decision_log.reader import Filter, LogReader
from tierline.evaluation.document import Document, Regret, read
from tierline.evaluation.quality.judged import Held, Judged, Predicted, Rate, Slice, held, predicted, rate_of, slices
from tierline.evaluation.quality.paired import Beside, Confused, Explored, Pair, beside_of, confused, explored, regret_of
from tierline.evaluation.replay.again import Decider
from tierline.evaluation.replay.logged import labels_of, of_record
from tierline.evaluation.replay.support import WHOLE
from tierline.evaluation.review.facts import GOOD
from tierline.ledger.reader import LedgerReader
from tierline.routing.router import Router
from tierline.types.record import Record

BESIDE_THE_SPEC = "evaluation.json"
"""What `tierline evaluate --json evaluation.json` wrote, put beside the spec."""


class Climbed(msgspec.Struct, frozen=True):
    """Of the requests whose first answer was checked: `rate`, those that climbed and were answered well by a model above; `wasted`: USD of
    the answers that were not given, over all requests."""

    rate: Rate
    wasted: float
    spent: float


class Proven(msgspec.Struct, frozen=True):
    """All that the log says. Empty lists and None where it has no evidence."""

    requests: int
    judged: int
    since: float | None
    until: float | None
    shadowed: int
    by_chance: int
    held: list[Held]
    predicted: list[Predicted]
    slices: list[Slice]
    climbed: Climbed | None
    beside: list[Beside]
    confused: Confused | None
    regret: Regret | None
    explored: list[Explored]


def proven_of(log: LogReader, loaded: Loaded, since: float, most: int) -> Proven:
    """Of the newest `most` rows from `since` on (Unix seconds), what was said of their answers, and what answered beside them."""
    labels = labels_of(log.where)
    records = [decode(row) for row in log.last(most, Filter(since=since))]
    level = {name: loaded.spec.tiers.index(model.tier) for name, model in loaded.models.items()}
    said = [one for record in records if (one := _judged(record, labels)) is not None]
    pairs = list(_pairs(log.where, records, labels, since, level))
    rows = (of_record(record, labels) for record in reversed(records) if 0 < record.decision.propensity < WHOLE)
    return Proven(
        requests=len(records),
        judged=len(said),
        since=records[0].at if records else None,
        until=records[-1].at if records else None,
        shadowed=len(pairs),
        by_chance=sum(0 < record.decision.propensity < WHOLE for record in records),
        held=held(loaded, said),
        predicted=predicted(said),
        slices=slices(loaded, said),
        climbed=_climbed(records, level),
        beside=beside_of(pairs, level),
        confused=confused(pairs, level),
        regret=regret_of(pairs),
        explored=explored(rows, Decider(Router(loaded)), level),
    )


def evaluation_of(spec: Path) -> dict[str, Any] | None:
    """The evaluation that stands beside a spec, with the day it was written and its fingerprint; None where there is none."""
    at = spec.parent / BESIDE_THE_SPEC
    try:
        written, day = at.read_bytes(), at.stat().st_mtime
    except OSError:
        return None
    made = datetime.datetime.fromtimestamp(day, datetime.UTC).isoformat(timespec="seconds")
    about = {"file": at.name, "made": made, "fingerprint": hashlib.sha256(written).hexdigest()[:12]}
    try:
        return {**about, **_shown(read(at))}
    except (ValueError, msgspec.MsgspecError) as error:
        return {**about, "wrong": f"{at.name} is no evaluation ({error}): write it with tierline evaluate --json {at.name}"}


def _shown(document: Document) -> dict[str, Any]:
    """The document without its curves, slices and bins."""
    names = document.candidates or tuple(document.routers)
    kept = ("quality", "quality_interval", "cost", "advantage", "regret", "confusion", "brier", "ece", "worst_slice", "why", "at")
    rows = {name: {key: getattr(document.routers[name], key) for key in kept} for name in names if name in document.routers}
    return {"queries": document.data.queries, "compared": document.data.compared, "files": document.data.files, "routers": rows}


def _judged(record: Record, labels: Mapping[str, float]) -> Judged | None:
    """Whose answer was judged: what was said of the answer given, else what the checks say of the first."""
    label, first = labels.get(record.features.request_id), record.tried[0] if record.tried else None
    if label is not None and record.model:
        model, good = record.model, label >= GOOD
    elif first is not None and first.ok and first.verdicts:
        model, good = first.target, all(verdict.passed for verdict in first.verdicts)
    else:
        return None
    features, done = record.features, record.decision
    return Judged(model, good, record.scores.good.get(model), done.task, done.route, features.language, features.input_tokens)


def _pairs(
    where: str | Path, records: Sequence[Record], labels: Mapping[str, float], since: float, level: Mapping[str, int]
) -> Iterator[Pair]:
    """The requests that a shadow answered, where both answers were checked."""
    known = {record.features.request_id: record for record in records}
    with closing(LedgerReader(where)) as ledger:
        found = [] if ledger.shadows is None or not ledger.columns("shadows") else list(ledger.shadows.since(since))
    for one in found:
        record = known.get(one.request_id)
        if (
            record is None
            or record.winner is None
            or one.passed is None
            or not one.ok
            or one.model not in level
            or record.model not in level
        ):
            continue
        verdicts, label = record.tried[record.winner].verdicts, labels.get(one.request_id)
        if verdicts or label is not None:
            good = label >= GOOD if label is not None else all(verdict.passed for verdict in verdicts)
            yield Pair(record.model, one.model, good, one.passed, record.cost, one.cost - one.judging)


def _climbed(records: Sequence[Record], level: Mapping[str, int]) -> Climbed | None:
    """How often the first answer was too weak and one above was good; None where no first answer was checked."""
    checked = [record for record in records if record.tried and record.tried[0].ok and record.tried[0].verdicts]
    if not checked:
        return None
    wasted = sum(tried.cost for record in records for place, tried in enumerate(record.tried) if place != record.winner)
    return Climbed(rate_of([_too_low(record, level) for record in checked]), wasted, sum(record.cost for record in records))


def _too_low(record: Record, level: Mapping[str, int]) -> bool:
    """The first answer failed its checks, and one of a higher tier passed them."""
    first, winner = record.tried[0], record.winner
    if not winner or all(verdict.passed for verdict in first.verdicts):
        return False
    given = record.tried[winner]
    return bool(given.verdicts) and all(v.passed for v in given.verdicts) and level.get(given.target, 0) > level.get(first.target, 0)
