"""What every experiment of a log says now, read from wherever the log is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

from tierline.config.spec import ExperimentSpec
from tierline.decision_log.opening import open_reader
from tierline.evaluation.experiments.reading import rows_of
from tierline.evaluation.experiments.verdict import Verdict, verdict
from tierline.evaluation.labels.sayings import said_of
from tierline.ledger.reader import LedgerReader


def verdicts(where: Path | str, experiments: Mapping[str, ExperimentSpec], most: int | None = None) -> Iterator[Verdict]:
    """The verdict on each experiment, in the order given; of each the first `most` requests count, all of them where it is left out.
    Raises LogFailure."""
    with closing(LedgerReader(where)) as ledger:
        arms = ledger.arms()
        entries = {name: [] if arms is None else arms.now(name) for name in experiments}
        began = {name: None if arms is None else arms.began(name) for name in experiments}
    said = said_of(where)
    with closing(open_reader(where)) as reader:
        for name, experiment in experiments.items():
            rows = dict(rows_of(reader, name, began[name] or 0.0, most))
            yield verdict(name, experiment, rows, said, entries[name], began[name])
