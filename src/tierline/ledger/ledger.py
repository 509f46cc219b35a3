"""The ledger: what must last beside the decision log, in the same file and over one connection of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from tierline import sqlite_file
from tierline.ledger.arms import Arms
from tierline.ledger.audit import Audit
from tierline.ledger.feedback import Feedbacks
from tierline.ledger.judges import Judges
from tierline.ledger.keys import Keys
from tierline.ledger.labels import Labels
from tierline.ledger.pins import Pins
from tierline.ledger.releases import Releases
from tierline.ledger.retention import Retention
from tierline.ledger.reviews import Reviews
from tierline.ledger.schema import MIGRATIONS, PART
from tierline.ledger.shadows import Shadows
from tierline.ledger.specs import Specs
from tierline.sqlite_file import Durability


class Ledger:
    """Specs, pins, keys, audit, feedback, labels, judges, shadows, arms, releases and reviews. Every write is on disk when its method
    returns; calls are rare, and take about a tenth of a millisecond. One ledger belongs to one thread at a time. `clock` gives Unix
    time in seconds.

    Raises LogFailure, here and in every method of its parts, when the file cannot be opened, read or written."""

    def __init__(self, path: str | Path, *, clock: Callable[[], float] = time.time, durability: Durability = "power") -> None:
        self.path = Path(path)
        self._connection = sqlite_file.open_file(self.path, PART, MIGRATIONS, durability=durability)
        self.audit = Audit(self.path, self._connection, clock)
        self.specs = Specs(self.path, self._connection)
        self.pins = Pins(self.path, self._connection, self.audit, clock)
        self.keys = Keys(self.path, self._connection, self.audit, clock)
        self.feedback = Feedbacks(self.path, self._connection)
        self.labels = Labels(self.path, self._connection)
        self.judges = Judges(self.path, self._connection)
        self.shadows = Shadows(self.path, self._connection)
        self.arms = Arms(self.path, self._connection, self.audit, clock)
        self.releases = Releases(self.path, self._connection, self.audit, clock)
        self.reviews = Reviews(self.path, self._connection, self.audit, self.feedback, clock)
        self.retention = Retention(self.path, self._connection)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()
