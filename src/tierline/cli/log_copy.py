"""A log in PostgreSQL as a file, for as long as it is worked on by what reads all of it several times."""

from __future__ import annotations

import getpass
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tierline.decision_log.opening import open_reader
from tierline.decision_log.postgres.copying import into_file
from tierline.decision_log.reader import EVERYTHING
from tierline.ledger.copying import copy_ledger
from tierline.postgres.connection import is_address, place_of


@contextmanager
def as_file(log: str) -> Iterator[Path]:
    """The log's own file; of a database a copy, with its ledger but for the keys, which is gone when the block ends. Raises LogFailure."""
    if not is_address(log):
        yield Path(log)
        return
    with tempfile.TemporaryDirectory(prefix="tierline-log-") as folder:
        path = Path(folder, f"{place_of(log)}.db")
        with closing(open_reader(log)) as reader:
            into_file(reader, path, EVERYTHING, lambda *_: None)
        copy_ledger(log, path, getpass.getuser(), keys=False)
        yield path
