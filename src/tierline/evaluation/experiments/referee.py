"""Who stops an arm: looks at the experiments of the spec at work again and again, and says what is to be done to their arms.

A look costs what has been written since the last one, and a pass over the numbers. Several workers may each have a referee: they see the
same rows and come to the same verdict, and what one has done the others find done."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from tierline.config.experiments import arms_of
from tierline.config.loaded import Loaded
from tierline.config.spec import ExperimentSpec
from tierline.decision_log.opening import open_reader
from tierline.decision_log.reader import LogReader
from tierline.evaluation.experiments.reading import Row, rows_of, units_of
from tierline.evaluation.experiments.thompson import moved, thompson
from tierline.evaluation.experiments.verdict import Verdict, verdict
from tierline.evaluation.labels.sayings import Sayings, said_of
from tierline.ledger.arms import ArmEntry
from tierline.ledger.ledger import Ledger
from tierline.ledger.reader import LedgerReader

_logger = logging.getLogger("tierline.experiments")

WHO = "tierline"
"""Who stops an arm when a guard does, in the table and in the audit trail."""

MOST = 200_000
"""Requests of one experiment that are held in memory; the first so many decide."""

OVERLAP = 60.0
"""Seconds by which a look begins before the last row that it saw: rows of several workers are not written in the order of their ends."""

Act = Callable[[Ledger], None]
"""One thing to be done to an arm."""

Seen = tuple[dict[str, Row], Sayings]
"""What took part, and what is said of the answers."""


class Referee:
    """Looks at the log at `path`, a file's or the address of a database."""

    def __init__(self, path: Path | str) -> None:
        self._path = path
        self._seen: dict[str, tuple[str, dict[str, Row]]] = {}
        self._shared: dict[str, float] = {}

    def look(self, loaded: Loaded, now: float) -> list[Act]:
        """What is to be done to arms, by what the log and the labels say at `now` (Unix seconds)."""
        watched = {name: found for name, found in loaded.spec.experiments.items() if is_watched(found)}
        self._seen = {name: seen for name, seen in self._seen.items() if name in watched}
        if not watched:
            return []
        ledger = LedgerReader(self._path)
        try:
            arms = ledger.arms()
            entries = {} if arms is None else {name: arms.now(name) for name in watched}
            began = {} if arms is None else {name: arms.began(name) for name in watched}
        finally:
            ledger.close()
        acts: list[Act] = []
        said = said_of(self._path) if any(entries.values()) else {}
        reader = open_reader(self._path)
        try:
            for name, experiment in watched.items():
                if entries.get(name):
                    rows = self._rows(reader, name, entries[name][0].definition, began.get(name) or 0.0)
                    acts += self._judged(name, experiment, (rows, said), entries[name], loaded, now)
        finally:
            reader.close()
        return acts

    def _rows(self, reader: LogReader, name: str, definition: str, began: float) -> dict[str, Row]:
        """What took part, with what has come since the last look."""
        known, rows = self._seen.get(name, ("", {}))
        if known != definition:
            rows = {}
        self._seen[name] = (definition, rows)
        if len(rows) < MOST:
            since = max((row.at for row in rows.values()), default=began)
            rows.update(rows_of(reader, name, max(began, since - OVERLAP), MOST))
        return rows

    def _judged(self, name: str, experiment: ExperimentSpec, seen: Seen, entries: list[ArmEntry], loaded: Loaded, now: float) -> list[Act]:
        found = verdict(name, experiment, *seen, entries, figures=False)
        acts = [*_stops(found, entries), *(_ends(found, entries) if experiment.stop else ())]
        due = experiment.adaptive is not None and now >= self._shared.get(name, 0.0) + float(experiment.adaptive.every)
        if due and not acts and (act := self._shares(name, experiment, seen, entries, loaded)):
            acts.append(act)
        if due:
            self._shared[name] = now
        return acts

    def _shares(self, name: str, experiment: ExperimentSpec, seen: Seen, entries: list[ArmEntry], loaded: Loaded) -> Act | None:
        """The adaptive shares, where they have moved. An experiment that has a winner adapts no more."""
        running = [entry.arm for entry in entries if entry.state == "running"]
        if experiment.adaptive is None or len(running) < len([entry for entry in entries if entry.state != "stopped"]) or len(running) < 2:
            return None
        given = {arm.name.partition("/")[2]: arm.share for arm in arms_of(name, experiment, loaded.models)}
        units = units_of(*seen, tuple(sorted(experiment.arms)), experiment.metric)
        wanted = thompson(units, running, experiment.adaptive.floor, sum(given[arm] for arm in running))
        now = {entry.arm: given[entry.arm] if entry.share is None else entry.share for entry in entries}
        if not moved(now, wanted):
            return None
        return lambda ledger: ledger.arms.share(name, wanted, f"Thompson sampling over {len(units.values)} units", WHO)


def is_watched(experiment: ExperimentSpec) -> bool:
    """Whether anything may happen to its arms by itself."""
    return bool(experiment.arms) and bool(experiment.guards or experiment.stop or experiment.adaptive is not None)


def _stops(found: Verdict, entries: list[ArmEntry]) -> list[Act]:
    stopped = {entry.arm for entry in entries if entry.state == "stopped"}
    acts: list[Act] = []
    for guard in found.guards:
        if guard.shown and guard.arm not in stopped:
            stopped.add(guard.arm)
            why = (
                f"guard {guard.metric}: worse than {found.baseline} by more than {guard.worse_by:g} "
                f"(over it by {guard.excess.value:.4g}, at least {max(guard.excess.low, 0.0):.4g}; evidence {guard.evidence:.3g}, "
                f"{guard.needed:.3g} needed)"
            )
            _logger.warning("experiment %s: the arm %s is stopped: %s", found.experiment, guard.arm, why)
            acts.append(_stop(found.experiment, guard.arm, why))
    return acts


def _stop(experiment: str, arm: str, why: str) -> Act:
    def act(ledger: Ledger) -> None:
        ledger.arms.stop(experiment, arm, why, WHO)

    return act


def _ends(found: Verdict, entries: list[ArmEntry]) -> list[Act]:
    """A winner is noted once; nobody's share changes."""
    if not found.winner or any(entry.state == "won" for entry in entries):
        return []
    evidence = min(one.evidence for one in found.comparisons if found.winner in (one.arm, one.other))
    why = f"better by {found.metric} than every other arm that runs (evidence {evidence:.3g})"
    _logger.info("experiment %s: the arm %s has won: %s", found.experiment, found.winner, why)

    def act(ledger: Ledger) -> None:
        ledger.arms.win(found.experiment, found.winner, why, WHO)

    return [act]
