"""One view of every label about logged answers: verdicts of checks, feedback, reviews, judges and golden sets, page by page.

An answer is one attempt that a model answered, or what a shadow answered beside. Labels that name a request and a model are about the
answer that was given, where that model gave it, else about that model's last answer. Where a validated judge compares shadows, an
answer that says the same as the one given is worth the same: the judge is not asked about those, and without them only what differs
would be labelled."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

import msgspec

from tierline.decision_log.opening import open_reader
from tierline.decision_log.reader import LogReader
from tierline.ledger.feedback import Kind
from tierline.ledger.judges import JudgeVerdict, verdict_on
from tierline.ledger.reader import LedgerReader
from tierline.ledger.reviews import SOURCE as REVIEW
from tierline.postgres.connection import place_of
from tierline.types.errors import LogFailure
from tierline.types.label import Label, Source
from tierline.types.outcome import NO_USAGE, Usage, Verdict
from tierline.types.record import Tried

PAGE = 1_000
TOOLS = "tools"
"""As the `by` of a label: that the tools which the answer called did their work, as `/v1/feedback` tells it."""

SAME = "says the same as the answer given"
"""The note of a label that an answer given beside has from the one that the client got."""

Way = Literal["first", "fallback", "hedge", "branch", "escalation", "retry", "shadow"]

_DECISIONS = """
    SELECT seq, request_id, at, route, task, language, winner, flagged, propensity, fallbacks, escalations, cost, latency, tried
    FROM decisions WHERE {which} ORDER BY seq
"""
_FEEDBACK = (
    "SELECT request_id, at, score, accept, correction, source, tool_success, {kind} FROM feedback WHERE request_id IN ({these}) ORDER BY id"
)
_REVIEWED = "SELECT request_id, reviewed_by FROM reviews WHERE request_id IN ({these})"
_LABELS = 'SELECT request_id, model, score, source, at, "by", trust, note FROM labels WHERE request_id IN ({these}) ORDER BY id'
_SHADOWS = """
    SELECT request_id, at, model, cost, elapsed, detail, judgement, against, judge FROM shadows
    WHERE ok = 1 AND request_id IN ({these}) ORDER BY id
"""
_read_tried = msgspec.msgpack.Decoder(tuple[Tried, ...]).decode


class Answer(msgspec.Struct, frozen=True):
    """What one model answered to one request, and every label about it. `way`: why it was asked; `given`: the client got it; `propensity`:
    the chance with which the policy asked this model first; `after_failure`: it was asked because another answer was not good enough, so
    it stands for hard requests only. Seconds and USD."""

    request_id: str
    at: float
    route: str
    task: str
    language: str
    model: str
    way: Way
    given: bool
    flagged: bool
    after_failure: bool
    propensity: float
    cost: float
    elapsed: float
    usage: Usage
    labels: tuple[Label, ...] = ()


class Row(msgspec.Struct, frozen=True):
    """One logged request with its answers; `cost` and `latency` are the whole request's, `tried` every attempt."""

    request_id: str
    winner: int | None
    flagged: bool
    fallbacks: int
    escalations: int
    cost: float
    latency: float
    tried: tuple[Tried, ...]
    answers: tuple[Answer, ...]


class _Detail(msgspec.Struct, frozen=True):
    """What the ledger keeps of a shadow's answer beside its costs."""

    usage: Usage = NO_USAGE
    verdicts: tuple[Verdict, ...] = ()
    judging: float = 0.0


_read_detail = msgspec.json.Decoder(_Detail).decode


class _Beside(msgspec.Struct, frozen=True):
    """What the ledger says of one page of requests, by request."""

    labels: Mapping[str, Sequence[Label]]
    """About a named model's answer, or (model empty) about the one that was given."""
    shadows: Mapping[str, Sequence[tuple[Any, ...]]]


def heard(path: Path | str, only: Sequence[str] | None = None) -> Iterator[Row]:
    """Every logged request in the order of writing, or only those of these ids, a page of them after another; raises LogFailure when the
    log cannot be read."""
    with closing(open_reader(path)) as log, closing(LedgerReader(path)) as ledger:
        tables, standing = _tables(ledger), ledger.judges()
        for page in _pages(log, only):
            beside = _beside(ledger, tables, [row["request_id"] for row in page])
            for row in page:
                yield _row(row, beside, path, standing)


def _pages(log: LogReader, only: Sequence[str] | None) -> Iterator[Sequence[Any]]:
    if only is not None:
        for begin in range(0, len(only), PAGE):
            these = only[begin : begin + PAGE]
            yield log.query(_DECISIONS.format(which=f"request_id IN ({_places(these)})"), these)
        return
    after = 0
    while page := log.query(f"{_DECISIONS.format(which='seq > ?')} LIMIT ?", (after, PAGE)):
        yield page
        after = page[-1]["seq"]


def _places(these: Sequence[str]) -> str:
    return ", ".join("?" * len(these))


def answers(path: Path | str) -> Iterator[Answer]:
    """Every answer of a log, with its labels."""
    for row in heard(path):
        yield from row.answers


def _tables(ledger: LedgerReader) -> dict[str, Collection[str]]:
    """The ledger's tables and their columns: a file that an older release wrote has fewer."""
    found = {table: ledger.columns(table) for table in ("feedback", "reviews", "labels", "shadows")}
    return {table: columns for table, columns in found.items() if columns}


def _beside(ledger: LedgerReader, tables: Mapping[str, Collection[str]], ids: Sequence[str]) -> _Beside:
    labels: dict[str, list[Label]] = {}
    for label in _said(ledger, tables, ids):
        labels.setdefault(label.request_id, []).append(label)
    shadows: dict[str, list[tuple[Any, ...]]] = {}
    for shadow in ledger.query(_SHADOWS.format(these=_places(ids)), ids) if "shadows" in tables else ():
        shadows.setdefault(shadow[0], []).append(shadow)
    return _Beside(labels, shadows)


def _said(ledger: LedgerReader, tables: Mapping[str, Collection[str]], ids: Sequence[str]) -> Iterator[Label]:
    """Labels out of the ledger: feedback and reviews about the answer given (no model named), and those that name a model."""
    these = _places(ids)
    if "feedback" in tables:
        reviewers = dict(ledger.query(_REVIEWED.format(these=these), ids)) if "reviews" in tables else {}
        kind = "kind" if "kind" in tables["feedback"] else "''"
        for said in ledger.query(_FEEDBACK.format(kind=kind, these=these), ids):
            yield from _of_feedback(*said, reviewer=reviewers.get(said[0], ""))
    if "labels" in tables:
        yield from (Label(*stored) for stored in ledger.query(_LABELS.format(these=these), ids))


def _of_feedback(
    request_id: str,
    at: float,
    score: float | None,
    accept: int | None,
    correction: str | None,
    key: str,
    tools: int | None,
    kind: Kind,
    *,
    reviewer: str,
) -> Iterator[Label]:
    """A score, else acceptance, else that a right answer was given in its place; and beside it whether the tools did their work."""
    worth = score if score is not None else float(accept) if accept is not None else 0.0 if correction is not None else None
    if worth is not None:
        source: Source = "review" if key == REVIEW else "feedback"
        who = reviewer if key == REVIEW else f"{key}/{kind}" if kind else key
        yield Label(request_id, "", worth, source, at, who)
    if tools is not None:
        yield Label(request_id, "", float(tools), "validator", at, TOOLS)


def _row(row: Any, beside: _Beside, path: Path | str, standing: Mapping[tuple[str, str], JudgeVerdict]) -> Row:
    try:
        tried = _read_tried(row["tried"])
    except (ValueError, IndexError) as error:
        raise LogFailure(f"{place_of(path)}: the row of request {row['request_id']!r} cannot be read ({error})") from error
    said = beside.labels.get(row["request_id"], ())
    last = {attempt.target: place for place, attempt in enumerate(tried) if attempt.ok}
    if row["winner"] is not None:
        last[tried[row["winner"]].target] = row["winner"]
    found = list(_attempts(row, tried, said, last))
    given = next((answer for answer in found if answer.given), None)
    for stored in beside.shadows.get(row["request_id"], ()):
        if stored[2] not in last:
            *_, judgement, against, judge = stored
            verdict = verdict_on(standing, judge, row["task"])
            same = given is not None and judgement == "same" and against == given.model and verdict is not None and verdict.valid
            found.append(_shadow(row, stored, said, given.labels if given is not None and same else ()))
    counts = (row["fallbacks"], row["escalations"], row["cost"], row["latency"])
    return Row(row["request_id"], row["winner"], bool(row["flagged"]), *counts, tried, tuple(found))


def _attempts(row: Any, tried: Sequence[Tried], said: Sequence[Label], last: Mapping[str, int]) -> Iterator[Answer]:
    refused = False
    for place, attempt in enumerate(tried):
        if not attempt.ok:
            continue
        given = place == row["winner"]
        named = [label for label in said if label.model == attempt.target] if last[attempt.target] == place else []
        about = [*(label for label in said if given and not label.model), *named]
        way: Any = attempt.cause if attempt.cause != "judge" else "branch"
        late = way in ("escalation", "retry") or (refused and way == "fallback")
        yield _answer(row, attempt.target, way, (given, bool(row["flagged"]) and given, late), attempt, about)
        refused = refused or not all(verdict.passed for verdict in attempt.verdicts)


def _answer(row: Any, model: str, way: Way, how: tuple[bool, bool, bool], attempt: Tried, said: Iterable[Label]) -> Answer:
    named = _verdicts(row, model, row["at"], attempt.verdicts)
    about = (*named, *[msgspec.structs.replace(label, model=model) for label in said])
    place = (row["request_id"], row["at"], row["route"], row["task"], row["language"])
    return Answer(*place, model, way, *how, row["propensity"], attempt.cost, attempt.elapsed, attempt.usage, about)


def _shadow(row: Any, stored: tuple[Any, ...], said: Sequence[Label], same: Sequence[Label]) -> Answer:
    _, at, model, cost, elapsed, detail, *_ = stored
    try:
        kept = _read_detail(detail)
    except msgspec.MsgspecError:
        kept = _Detail()
    own = [*_verdicts(row, model, at, kept.verdicts), *(label for label in said if label.model == model)]
    spoken = {label.source for label in own} | {"validator"}
    about = (*own, *[msgspec.structs.replace(label, model=model, note=SAME) for label in same if label.source not in spoken])
    place = (row["request_id"], at, row["route"], row["task"], row["language"])
    return Answer(
        *place, model, "shadow", False, False, False, row["propensity"], max(cost - kept.judging, 0.0), elapsed, kept.usage, about
    )


def _verdicts(row: Any, model: str, at: float, verdicts: Sequence[Verdict]) -> list[Label]:
    return [Label(row["request_id"], model, float(verdict.passed), "validator", at, verdict.validator) for verdict in verdicts]
