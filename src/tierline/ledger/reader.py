"""Reading a ledger that others write, from any process."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from tierline.ledger.alerts import Alerts
from tierline.ledger.arms import Arms
from tierline.ledger.audit import Audit, Link
from tierline.ledger.connection import Connection, read_file, told
from tierline.ledger.database import DatabaseConnection
from tierline.ledger.feedback import Feedback, Feedbacks
from tierline.ledger.judges import Judges, JudgeVerdict
from tierline.ledger.labels import Labels
from tierline.ledger.releases import Releases
from tierline.ledger.shadows import Shadows
from tierline.ledger.signoffs import Signoff, Signoffs
from tierline.ledger.specs import KeptSpec, Specs
from tierline.postgres.connection import is_address, place_of
from tierline.types.errors import LogFailure
from tierline.types.label import Label


class LedgerReader:
    """Read-only access to what stands in a ledger beside a decision log, in a file or in the PostgreSQL database at an address. Raises
    LogFailure when it cannot be read; one in which no ledger was ever opened reads as an empty one."""

    def __init__(self, where: str | Path) -> None:
        self.path = place_of(where)
        self.connection = _of_database(str(where)) if is_address(where) else self._opened()

    def _opened(self) -> Connection | None:
        try:
            return read_file(self.path)
        except LogFailure as failure:
            if "holds no" in failure.message:
                return None
            raise

    def feedback(self) -> Iterator[Feedback]:
        """Every judgement, in the order of writing."""
        return iter(()) if self.connection is None else Feedbacks(self.path, self.connection).since()

    def judges(self) -> dict[tuple[str, str], JudgeVerdict]:
        """The newest verdict on each judge, by judge and task."""
        return Judges(self.path, self.connection).standing() if self.connection is not None and self.columns("judges") else {}

    def columns(self, table: str) -> Collection[str]:
        """The columns of a table; none where the release that wrote the ledger had no such table."""
        if self.connection is None:
            return ()
        with told(self.path):
            return self.connection.columns(table)

    def query(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of one SELECT over the tables of `schema`; values travel as parameters only."""
        if self.connection is None:
            return []
        with told(self.path):
            return self.connection.execute(statement, values).fetchall()

    def spec(self, fingerprint: str) -> KeptSpec | None:
        """The spec of that fingerprint, or None."""
        return None if self.connection is None else Specs(self.path, self.connection).get(fingerprint)

    @property
    def shadows(self) -> Shadows | None:
        """What answered beside, None where there is no ledger."""
        return None if self.connection is None else Shadows(self.path, self.connection)

    def specs(self) -> list[KeptSpec]:
        """Every spec that is kept, in the order in which they were first seen."""
        return [] if self.connection is None else Specs(self.path, self.connection).list()

    def labels(self, at: float = 0.0) -> Iterator[Label]:
        """Every label from a moment on (Unix seconds), in the order of writing."""
        return iter(()) if self.connection is None else Labels(self.path, self.connection).since(at)

    def audit(self) -> Iterator[Link]:
        """The whole audit trail, the oldest entry first."""
        return iter(()) if self.connection is None else Audit(self.path, self.connection, time.time).links()

    def arms(self) -> Arms | None:
        """The arms of experiments; None where no ledger was ever opened."""
        return None if self.connection is None else Arms(self.path, self.connection, None, time.time)

    def releases(self) -> Releases | None:
        """The life cycle of the routing; None where no ledger was ever opened."""
        return None if self.connection is None else Releases(self.path, self.connection, None, time.time)

    def signoffs(self) -> dict[str, Signoff]:
        """The last sign-off of every task that has one."""
        known = self.connection is not None and self.columns("signoffs")
        return Signoffs(self.path, self.connection, None, time.time).newest() if known and self.connection is not None else {}

    def alerts(self) -> Alerts | None:
        """What was watched and has moved; None where no ledger was ever opened, or an older release wrote it."""
        return Alerts(self.path, self.connection) if self.connection is not None and self.columns("watchers") else None

    def close(self) -> None:
        """Let go of the file or database."""
        if self.connection is not None:
            self.connection.close()


def _of_database(url: str) -> Connection | None:
    connection = DatabaseConnection(url, reading=True)
    try:
        known = connection.columns("audit")
    except BaseException:
        connection.close()
        raise
    if known:
        return connection
    connection.close()
    return None
