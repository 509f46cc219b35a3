"""The ledger: what must last beside the decision log, in the same file or database and over one connection of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from tierline.ledger.alerts import Alerts
from tierline.ledger.arms import Arms
from tierline.ledger.audit import Audit
from tierline.ledger.connection import Connection, open_file
from tierline.ledger.database import DatabaseConnection
from tierline.ledger.feedback import Feedbacks
from tierline.ledger.judges import Judges
from tierline.ledger.keys import Keys
from tierline.ledger.labels import Labels
from tierline.ledger.pins import Pins
from tierline.ledger.releases import Releases
from tierline.ledger.retention import Retention
from tierline.ledger.reviews import Reviews
from tierline.ledger.shadows import Shadows
from tierline.ledger.signoffs import Signoffs
from tierline.ledger.specs import Specs
from tierline.postgres.connection import is_address, place_of
from tierline.sqlite_file import Durability


class Ledger:
    """Specs, pins, keys, audit, feedback, labels, judges, shadows, arms, releases, alerts, sign-offs and reviews. Every write is on disk
    when its method returns; calls are rare, and take about a tenth of a millisecond. One ledger belongs to one thread at a time. `clock`
    gives Unix time in seconds.

    `where` is a file's path or the address of a PostgreSQL database that many processes share, which is reached when something is
    first asked of it. `durability` is that of a file.

    Raises LogFailure, here and in every method of its parts, when it cannot be opened, read or written; LedgerAway where that is for the
    database being away."""

    def __init__(self, where: str | Path, *, clock: Callable[[], float] = time.time, durability: Durability = "power") -> None:
        self.path = place_of(where)
        self.connection: Connection = DatabaseConnection(str(where)) if is_address(where) else open_file(self.path, durability)
        self.audit = Audit(self.path, self.connection, clock)
        self.specs = Specs(self.path, self.connection)
        self.pins = Pins(self.path, self.connection, self.audit, clock)
        self.keys = Keys(self.path, self.connection, self.audit, clock)
        self.feedback = Feedbacks(self.path, self.connection)
        self.labels = Labels(self.path, self.connection)
        self.judges = Judges(self.path, self.connection)
        self.shadows = Shadows(self.path, self.connection)
        self.arms = Arms(self.path, self.connection, self.audit, clock)
        self.releases = Releases(self.path, self.connection, self.audit, clock)
        self.alerts = Alerts(self.path, self.connection)
        self.signoffs = Signoffs(self.path, self.connection, self.audit, clock)
        self.reviews = Reviews(self.path, self.connection, self.audit, self.feedback, clock)
        self.retention = Retention(self.path, self.connection)

    def close(self) -> None:
        """Let go of the file or database."""
        self.connection.close()
