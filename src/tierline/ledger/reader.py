"""Reading a ledger that others write, from any process."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tierline import sqlite_file
from tierline.ledger.alerts import Alerts
from tierline.ledger.arms import Arms
from tierline.ledger.feedback import Feedback, Feedbacks
from tierline.ledger.judges import Judges, JudgeVerdict
from tierline.ledger.labels import Labels
from tierline.ledger.releases import Releases
from tierline.ledger.schema import MIGRATIONS, PART
from tierline.ledger.shadows import Shadows
from tierline.ledger.specs import KeptSpec, Specs
from tierline.types.errors import LogFailure
from tierline.types.label import Label


class LedgerReader:
    """Read-only access to what stands in a ledger beside a decision log. Raises LogFailure when the file cannot be read; a file in which
    no ledger was ever opened reads as an empty one."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._connection = self._opened()

    def _opened(self) -> sqlite3.Connection | None:
        try:
            return sqlite_file.open_for_reading(self.path, PART, len(MIGRATIONS))
        except LogFailure as failure:
            if "holds no" in failure.message:
                return None
            raise

    def feedback(self) -> Iterator[Feedback]:
        """Every judgement, in the order of writing."""
        return iter(()) if self._connection is None else Feedbacks(self.path, self._connection).since()

    def judges(self) -> dict[tuple[str, str], JudgeVerdict]:
        """The newest verdict on each judge, by judge and task."""
        known = self.query("SELECT 1 FROM sqlite_master WHERE name = 'judges'")
        return Judges(self.path, self._connection).standing() if known and self._connection is not None else {}

    def query(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of one SELECT over the tables of `schema`; values travel as parameters only."""
        if self._connection is None:
            return []
        with sqlite_file.told(self.path):
            return self._connection.execute(statement, values).fetchall()

    def spec(self, fingerprint: str) -> KeptSpec | None:
        """The spec of that fingerprint, or None."""
        return None if self._connection is None else Specs(self.path, self._connection).get(fingerprint)

    @property
    def shadows(self) -> Shadows | None:
        """What answered beside, None where there is no ledger."""
        return None if self._connection is None else Shadows(self.path, self._connection)

    def specs(self) -> list[KeptSpec]:
        """Every spec that is kept, in the order in which they were first seen."""
        return [] if self._connection is None else Specs(self.path, self._connection).list()

    def labels(self, at: float = 0.0) -> Iterator[Label]:
        """Every label from a moment on (Unix seconds), in the order of writing."""
        return iter(()) if self._connection is None else Labels(self.path, self._connection).since(at)

    def arms(self) -> Arms | None:
        """The arms of experiments; None where no ledger was ever opened."""
        return None if self._connection is None else Arms(self.path, self._connection, None, time.time)

    def releases(self) -> Releases | None:
        """The life cycle of the routing; None where no ledger was ever opened."""
        return None if self._connection is None else Releases(self.path, self._connection, None, time.time)

    def alerts(self) -> Alerts | None:
        """What was watched and has moved; None where no ledger was ever opened, or an older release wrote it."""
        known = self.query("SELECT 1 FROM sqlite_master WHERE name = 'watchers'")
        return Alerts(self.path, self._connection) if known and self._connection is not None else None

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
