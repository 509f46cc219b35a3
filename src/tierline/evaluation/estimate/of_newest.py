"""The estimate of a spec by the newest rows of its log: what a page may ask for while the gateway works."""

from __future__ import annotations

import msgspec

from tierline.config.loaded import Loaded
from tierline.decision_log.codec import decode
from tierline.decision_log.reader import Filter, LogReader
from tierline.evaluation.estimate.document import Estimate
from tierline.evaluation.estimate.estimate import estimate
from tierline.evaluation.estimate.evidence import Evidence
from tierline.evaluation.estimate.from_log import from_log
from tierline.evaluation.estimate.sheet import to_csv
from tierline.evaluation.estimate.volume import Volume, parse
from tierline.evaluation.replay.logged import labels_of
from tierline.types.errors import BadRequest, EvaluationFailure


class Worked(msgspec.Struct, frozen=True):
    """An estimate, the requests that it was measured by, and its worksheet as CSV."""

    requests: int
    estimate: Estimate
    csv: str


def volume_of(text: str) -> Volume | None:
    """The volume that was typed, None where nothing was. Raises BadRequest."""
    try:
        return parse(text) if text else None
    except EvaluationFailure as failure:
        raise BadRequest(f"volume: {failure.message}", param="volume") from None


def evidence_of(log: LogReader, since: float, most: int) -> Evidence:
    """What the newest `most` rows from `since` on (Unix seconds) say, and what was said of their answers."""
    rows = log.last(most, Filter(since=since))
    return from_log(map(decode, rows), labels_of(log.where), "log") if rows else Evidence()


def worked(loaded: Loaded, evidence: Evidence, volume: Volume | None) -> Worked:
    """The estimate of what is known."""
    found = estimate(loaded, evidence, volume)
    return Worked(evidence.requests, found, to_csv(found.worksheet))
