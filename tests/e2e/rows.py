"""Reading the log of a gateway that is still running."""

import time
from pathlib import Path

from tierline.decision_log.reader import LogReader
from tierline.types.record import Record


def row(log: Path, decision: str, within: float = 30.0) -> Record:
    """The row of a decision, as soon as the gateway has written it; `within` is in seconds."""
    until = time.monotonic() + within
    reader = LogReader(log)
    try:
        while True:
            found = reader.get(decision)
            if found is not None:
                return found
            assert time.monotonic() < until, f"no row for {decision}"
            time.sleep(0.02)
    finally:
        reader.close()
