"""The certificate of a candidate: measured on the half of the evidence that it was not made from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import numpy as np

from tierline.config.loaded import Loaded
from tierline.decision_log.opening import open_reader
from tierline.decision_log.reader import Filter, LogReader
from tierline.evaluation.datasets import Dataset
from tierline.evaluation.document import Row
from tierline.evaluation.evaluate import Settings, evaluate
from tierline.evaluation.interval import Figure, mean_of
from tierline.evaluation.labels.sayings import of_answers_given, said_of
from tierline.evaluation.propose.measured import learns
from tierline.evaluation.replay.document import Replay
from tierline.evaluation.replay.kept import specs_beside
from tierline.evaluation.replay.logged import Logged, from_log
from tierline.evaluation.replay.replay import replay
from tierline.evaluation.routers.routing import silent
from tierline.evaluation.routers.spec import SpecRouter, restricted
from tierline.evaluation.table import Table
from tierline.evaluation.training.log_texts import is_log
from tierline.postgres.connection import place_of
from tierline.routing.router import Router
from tierline.types.certificate import Basis, Certificate, Evidence, Measured, sealed
from tierline.types.errors import LogFailure

MARGIN = 0.01
"""A loss of quality that is taken as none, in points of [0, 1]."""

ENOUGH = 0.9
"""The share of changed decisions of which a log must be able to say what came of them, before its figures count for all of them."""


class Against(msgspec.Struct, frozen=True):
    """What two specs give on a table: the change of quality and cost a query, and the candidate's row of the evaluation."""

    quality: Measured
    cost: Measured
    row: Row
    rows: int


def certificate(
    before: Loaded, candidate: Loaded, log: Path | str | None, data: Dataset | None, made: float, margin: float = MARGIN, since: float = 0.0
) -> Certificate:
    """What is known of the candidate; `made` is Unix time in seconds."""
    read = Read()
    again = None if log is None else _replayed(before, candidate, log, since, read)
    against = None if data is None else _compared(before, candidate, data)
    quality, cost = _of_log(again) if against is None else (against.quality, against.cost)
    advantage = _advantage(against)
    basis, why = _basis(quality, cost, advantage, margin)
    contrary = again is not None and against is not None and _contradicts(again, margin)
    if contrary:
        basis, why = "none", "the log shows that quality falls, whatever the data say"
    row = None if against is None else against.row
    evidence = None if again is None else again.evidence
    made_of = tuple(_evidence(log, again, read, data, against))
    found = Certificate(
        candidate=candidate.fingerprint,
        before=before.fingerprint,
        made=made,
        basis=basis,
        why=why,
        margin=margin,
        data=made_of,
        advantage=advantage,
        quality=quality,
        cost=cost,
        regret=None if row is None or row.regret is None else row.regret.total.quality,
        savings=None if row is None or not row.save_at else row.save_at.get("100"),
        worst=_worst(row),
        decided=0 if again is None else again.rows.decided,
        changed=0 if again is None else again.rows.changed,
        coverage=None if evidence is None else evidence.coverage,
    )
    return sealed(found)


class Read:
    """What was read of a log: a digest of every request, who decided it, and what is said of its answer."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def add(self, row: Logged) -> None:
        """One more."""
        self._digest.update(f"{row.features.request_id} {row.decision.policy} {row.model} {row.quality}\n".encode())

    @property
    def digest(self) -> str:
        """Of all so far."""
        return self._digest.hexdigest()[:16]


def _replayed(before: Loaded, candidate: Loaded, log: Path | str, since: float, read: Read) -> Replay | None:
    """The half of the log that measures, decided by the candidate; None where that half is empty."""
    router = Router(candidate)
    with closing(open_reader(log)) as reader:
        which = Filter(since=since)
        own = Filter(since=since, policy=before.fingerprint)
        held = _held(reader, log, own if reader.count(own) else which, read)
        try:
            return replay(held, router, source=str(place_of(log)), spec_of=specs_beside(log, (Router(before), router)))
        except LogFailure:
            if reader.count(which):
                raise
            return None


def _held(reader: LogReader, log: Path | str, which: Filter, read: Read) -> Iterator[list[Logged]]:
    for batch in from_log(reader, of_answers_given(said_of(log)), which):
        learnt = learns([row.features.request_id for row in batch])
        held = [row for row, used in zip(batch, learnt, strict=True) if not used]
        for row in held:
            read.add(row)
        yield held


def _compared(before: Loaded, candidate: Loaded, data: Dataset) -> Against:
    routers = [SpecRouter(loaded, tell_task=True, name=name) for name, loaded in (("before", before), ("candidate", candidate))]
    table = restricted(routers[1], data.table)
    table = table.take(~np.array(learns(table.query), dtype=bool) & table.complete)
    folds, dice = np.zeros(len(table.query), dtype=np.intp), np.random.default_rng(0)
    given = []
    for router in routers:
        choice = router.route(table, folds, dice, silent).choice
        assert choice is not None, "a spec chooses for every query"
        rows = np.arange(len(choice))
        given.append([np.where(choice < 0, 0.0, cells[rows, choice]) for cells in (table.score, table.cost)])
    document = evaluate(msgspec.structs.replace(data, table=table), [routers[1]], Settings(candidates=("candidate",)))
    quality = _measured(mean_of(given[1][0] - given[0][0]))
    cost = _measured(mean_of(given[1][1] - given[0][1])) if table.has_costs else Measured(why="the data have no costs")
    return Against(quality, cost, document.routers["candidate"], len(table.query))


def _of_log(again: Replay | None) -> tuple[Measured, Measured]:
    """What a log alone can say: only where it knows what came of nearly all that would change."""
    if again is None or again.evidence is None:
        return Measured(why="there is no evidence"), Measured(why="there is no evidence")
    evidence = again.evidence
    if again.rows.changed and evidence.changed_coverage < ENOUGH:
        why = (
            f"the log says what came of {evidence.changed_coverage:.0%} of the changed decisions: give a table (--data), or let the route "
            "explore, or shadow the models"
        )
        return Measured(why=why), Measured(why=why)
    found = [Measured(why="nothing was judged") if one is None else _measured(one.change) for one in (evidence.quality, evidence.cost)]
    return found[0], found[1]


def _contradicts(again: Replay, margin: float) -> bool:
    quality = _of_log(again)[0]
    return quality.high is not None and quality.high < -margin


def _basis(quality: Measured, cost: Measured, advantage: Measured, margin: float) -> tuple[Basis, str]:
    if quality.low is None:
        return "none", f"the change of quality is not known: {quality.why or 'it has no interval'}"
    if (quality.value, quality.low, cost.value) == (0.0, 0.0, 0.0):
        return "none", "on this evidence it decides nothing otherwise"
    if quality.low < -margin:
        return "none", f"quality may fall by {-quality.low:.4f} a request, which is more than the margin of {margin:g}"
    if cost.high is not None and cost.high < 0:
        return "cheaper", f"it costs less, and quality falls by no more than the margin of {margin:g}"
    if advantage.low is not None and advantage.low > 0:
        return "better", "it is better than a mix of single models that costs the same"
    return "none", "it is neither shown to cost less nor to be better than a mix of single models that costs the same"


def _advantage(against: Against | None) -> Measured:
    if against is None:
        return Measured(why="a log shows only the models that were asked: give a table of several models (--data)")
    found = against.row.advantage
    if found is None:
        return Measured(why=against.row.why.get("advantage", "it cannot be told from these data"))
    return Measured(found.value, found.low, found.high, against.rows)


def _worst(row: Row | None) -> str:
    if row is None or row.worst_slice is None:
        return ""
    worst = row.worst_slice
    told = f", advantage {worst.advantage:+.4f}" if worst.advantage is not None else ""
    return f"{worst.dimension} {worst.name}: quality {worst.quality:.3f}{told} over {worst.queries}"


def _evidence(
    log: Path | str | None, again: Replay | None, read: Read, data: Dataset | None, against: Against | None
) -> Iterator[Evidence]:
    if log is not None and again is not None:
        yield Evidence(place_of(log).name, read.digest, again.rows.read)
    if data is None:
        return
    for file in data.files:
        digest = _of_table(data.table) if is_log(file) else hashlib.sha256(file.read_bytes())
        yield Evidence(file.name, digest.hexdigest()[:16], 0 if against is None else against.rows)


def _of_table(table: Table) -> hashlib._Hash:
    """A log's file grows while it is read: what was read of it stands for it."""
    digest = hashlib.sha256("\n".join((*table.models, *table.query)).encode())
    digest.update(table.score.tobytes())
    return digest


def _measured(figure: Figure) -> Measured:
    """A change that is the same on every row is known exactly."""
    if figure.value is not None and figure.low is None and figure.rows > 1:
        return Measured(figure.value, figure.value, figure.value, figure.rows)
    return Measured(figure.value, figure.low, figure.high, figure.rows, figure.why)
