"""What a replay reads of a logged request, from a decision log, an export of one, or a file of requests that nobody has decided yet."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from tierline.decision_log.codec import asked, attempted, planned
from tierline.decision_log.export import read_line
from tierline.decision_log.reader import EVERYTHING, Filter, LogReader
from tierline.ledger.reader import LedgerReader
from tierline.ledger.reviews import SOURCE
from tierline.routing.router import Router
from tierline.types.decision import Decision
from tierline.types.errors import LogFailure
from tierline.types.features import Features
from tierline.types.record import Record, Tried
from tierline.types.scores import Scores
from tierline.types.view import NO_VIEW, View


class Logged(msgspec.Struct, frozen=True):
    """One request that was decided on. `cost` (USD) and `latency` (seconds) are None where nobody answered; `quality` in [0, 1] is what was
    said of the answer, None where nothing was, `judge` who said it (`feedback` or `validators`); `model` is who answered; `alone`: in one
    attempt; `answered` names the tool that answered in a model's place; `at` is Unix time; `tried` and `winner` as in the record, where
    they were asked for."""

    features: Features
    scores: Scores
    view: View
    decision: Decision
    model: str = ""
    cost: float | None = None
    latency: float | None = None
    quality: float | None = None
    judge: str = ""
    alone: bool = False
    answered: str = ""
    at: float = 0.0
    tried: tuple[Tried, ...] = ()
    winner: int | None = None


_UNJUDGED = (None, "")

Batches = Iterable[Sequence[Logged]]

NO_LABELS: Mapping[str, float] = {}
"""Nobody has said anything."""


def labels_of(path: Path | str) -> dict[str, float]:
    """What people and programs said of answers, by request: the mean of all that was said, acceptance counting 1 and refusal 0. Where the
    answer was judged in the review queue, that alone counts: it was looked at for this."""
    said: dict[str, list[float]] = {}
    reviewed: dict[str, list[float]] = {}
    with closing(LedgerReader(path)) as ledger:
        for one in ledger.feedback():
            score = one.score if one.score is not None else None if one.accept is None else float(one.accept)
            if score is not None:
                (reviewed if one.source == SOURCE else said).setdefault(one.request_id, []).append(score)
    return {request: sum(scores) / len(scores) for request, scores in (said | reviewed).items()}


def from_log(
    reader: LogReader, labels: Mapping[str, float], which: Filter = EVERYTHING, limit: int | None = None, *, whole: bool = False
) -> Iterator[list[Logged]]:
    """The rows of a decision log by time, a page at a time; `whole`: with their attempts."""
    for page in stored_pages(reader, which, limit):
        try:
            yield [of_row(row, labels, whole) for row in page]
        except (ValueError, IndexError) as error:
            raise LogFailure(f"{reader.path}: a row cannot be read ({error}): a newer release wrote it, or the file is damaged") from error


class Stored(NamedTuple):
    """A row of the log as it is stored, in the log's order of columns."""

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
    cost: float
    attempts: int
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
    answered: str
    features: bytes
    scores: bytes | None
    view: bytes | None
    decision: bytes
    tried: bytes


_PLACE = {name: place for place, name in enumerate(Stored._fields)}


class Page:
    """Rows of the log as they are stored, to be read by row or by column: by column costs a fraction."""

    def __init__(self, rows: Sequence[tuple[Any, ...]]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Stored]:
        return map(Stored._make, self._rows)

    def row(self, place: int) -> Stored:
        """One row."""
        return Stored._make(self._rows[place])

    def value(self, place: int, name: str) -> Any:
        """One field of one row."""
        return self._rows[place][_PLACE[name]]

    def column(self, name: str) -> list[Any]:
        """What all rows have in one field of `Stored`."""
        place = _PLACE[name]
        return [row[place] for row in self._rows]

    def columns(self, *names: str) -> Iterable[tuple[Any, ...]]:
        """The same of several fields, two at least, a tuple for each row."""
        return map(operator.itemgetter(*[_PLACE[name] for name in names]), self._rows)

    def part(self, places: Iterable[int]) -> Page:
        """Some of the rows, in the order of `places`."""
        rows = self._rows
        return Page([rows[place] for place in places])


def stored_pages(reader: LogReader, which: Filter = EVERYTHING, limit: int | None = None) -> Iterator[Page]:
    """The rows of a decision log as they are stored, a page at a time."""
    return map(Page, reader.pages(Stored._fields[2:], which, limit))


def from_export(path: Path, labels: Mapping[str, float], limit: int | None = None) -> Iterator[list[Logged]]:
    """The rows of an NDJSON export, in its order. Raises LogFailure with the number of a line that is none."""
    batch: list[Logged] = []
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if limit is not None and number > limit:
                break
            try:
                batch.append(of_record(read_line(line), labels))
            except (ValueError, msgspec.MsgspecError) as error:
                raise LogFailure(f"{path}:{number}: no row of an export ({error}): make one with `tierline log export`") from error
            if len(batch) == 1000:
                yield batch
                batch = []
    if batch:
        yield batch


def is_export(path: Path) -> bool:
    """Whether the first line of a file is a row of an export, and not a request."""
    with path.open("rb") as lines:
        line = next((line for line in lines if line.strip()), b"")
    try:
        return "features" in msgspec.json.decode(line, type=dict[str, msgspec.Raw])
    except msgspec.MsgspecError:
        return True


def from_requests(router: Router, asked: Iterable[tuple[Features, Scores]]) -> list[Logged]:
    """Requests that nobody has decided yet, as this router decides them in a world where everything is up."""
    return [Logged(features, scores, NO_VIEW, router.decide(features, scores, NO_VIEW)) for features, scores in asked]


def of_row(stored: Stored, labels: Mapping[str, float], whole: bool = False) -> Logged:
    """One row of a log; `whole`: with its attempts."""
    row = stored._asdict()
    features, scores, view = asked(row)
    answered_by_model = row["winner"] is not None
    quality, judge = judged(row["request_id"], labels, row["tried"], row["winner"])
    return Logged(
        features,
        scores,
        view,
        planned(row),
        row["model"],
        row["cost"] if answered_by_model else None,
        row["latency"] if answered_by_model else None,
        quality,
        judge,
        row["attempts"] == 1,
        row["answered"],
        row["at"],
        attempted(row["tried"]) if whole else (),
        row["winner"],
    )


def of_record(record: Record, labels: Mapping[str, float] = NO_LABELS) -> Logged:
    """A record, as a replay reads it."""
    answered_by_model = record.winner is not None
    quality, judge = judged(record.features.request_id, labels, record.tried, record.winner)
    taken = sum(tried.elapsed + tried.wait for tried in record.tried) + sum(aside.elapsed for aside in record.asides) + record.overhead
    return Logged(
        record.features,
        record.scores,
        record.view,
        record.decision,
        record.model,
        record.cost if answered_by_model else None,
        taken if answered_by_model else None,
        quality,
        judge,
        len(record.tried) == 1,
        record.answered,
        record.at,
        record.tried,
        record.winner,
    )


def all_judged(page: Page, labels: Mapping[str, float]) -> list[tuple[float | None, str]]:
    """As `judged`, of every row of a page."""
    asked = page.columns("tried", "winner", "request_id")
    if labels:
        return [judged(request, labels, tried, winner) for tried, winner, request in asked]
    return [_UNJUDGED if winner is None else _accepted(attempted(tried)[winner]) for tried, winner, _ in asked]


def judged(request: str, labels: Mapping[str, float], tried: bytes | tuple[Tried, ...], winner: int | None) -> tuple[float | None, str]:
    """What is known of an answer's quality: what was said of it, else whether its validators accepted it."""
    said = labels.get(request)
    if said is not None:
        return said, "feedback"
    return _UNJUDGED if winner is None else _accepted((attempted(tried) if isinstance(tried, bytes) else tried)[winner])


def _accepted(answer: Tried) -> tuple[float | None, str]:
    """What the validators said of an answer."""
    return (float(all(verdict.passed for verdict in answer.verdicts)), "validators") if answer.verdicts else _UNJUDGED
