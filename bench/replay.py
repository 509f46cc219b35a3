"""What a replay costs: a log of 12 models, 10 rules and 5 tasks decided again, whole. `python -m bench replay`.

Reading, decoding, deciding, comparing, evidence: everything that `tierline replay` does, on one core, with the collector off as there.
Both figures are given: by the clock, and by the processor's own time, which other work on the machine does not touch."""

from __future__ import annotations

import asyncio
import gc
import resource
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from bench.decide import FLEET, SPEC, records, requests
from tierline.decision_log.reader import LogReader
from tierline.decision_log.sqlite import SqliteLog
from tierline.evaluation.replay.document import Replay
from tierline.evaluation.replay.logged import from_log, stored_pages
from tierline.evaluation.replay.replay import replay, replay_screened
from tierline.routing.router import Router
from tierline.scoring.hints import HintScorer
from tierline.testing import builders
from tierline.types.request import Request

ROWS = 50_000
GOAL = 60_000


def write(path: Path, router: Router, rows: int) -> None:
    """A log of so many rows, scored by the built-in scorer."""
    log = SqliteLog(path, retention=None, text_retention=60.0, max_queue=rows + 1000, clock=lambda: 2.0)
    scorer, nobody = HintScorer(router.loaded, 0.6), Request("", "", "")
    asked = []
    for features, scores in requests(rows):
        hit = msgspec.structs.replace(features, matches=dict.fromkeys(scores.task, 2))
        asked.append((hit, scorer.score(nobody, hit)))
    for record in records(router, asked):
        log.put(record)
    asyncio.run(log.flushed())
    log.close()


def moved(router: Router) -> Router:
    """The same spec, but for one task's bar and under another name."""
    tasks = {**router.loaded.spec.tasks}
    tasks["labels"] = msgspec.structs.replace(tasks["labels"], quality_bar=0.9)
    return Router(
        msgspec.structs.replace(router.loaded, fingerprint="moved", spec=msgspec.structs.replace(router.loaded.spec, tasks=tasks))
    )


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock and of the processor; the better of two rounds."""
    best = (float("inf"), float("inf"))
    for _ in range(2):
        gc.collect()
        began, used = time.perf_counter(), time.process_time()
        work()
        best = min(best, (time.perf_counter() - began, time.process_time() - used), key=lambda pair: pair[1])
    return best


def main(rows: int = ROWS) -> None:
    """Measure and print."""
    gc.disable()
    tasks = {name: {**task, "match": {"keywords": [name]}} for name, task in SPEC["tasks"].items()}
    old = builders.router({**SPEC, "tasks": tasks}, FLEET)
    other = moved(old)
    same = Router(msgspec.structs.replace(old.loaded, fingerprint="another name"))
    table = Table("what", "rows/s, by the clock", "rows/s of processor time", "µs a row", "goal", title=f"a log of {rows:,} rows, one core")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "tierline.db")
        write(path, old, rows)
        with closing(LogReader(path)) as reader:
            found: list[Replay] = []
            what: dict[str, Callable[[], object]] = {
                "read and decode": lambda: sum(len(batch) for batch in from_log(reader, {})),
                "replay under its own spec": lambda: found.append(replay(from_log(reader, {}), old, source="bench")),
                "replay under another": lambda: found.append(replay(from_log(reader, {}), same, source="bench")),
                "replay --quick, nothing changes": lambda: found.append(replay_screened(stored_pages(reader), {}, old, source="bench")),
                "replay --quick, some change": lambda: found.append(replay_screened(stored_pages(reader), {}, other, source="bench")),
            }
            for name, work in what.items():
                clock, used = timed(work)
                goal = f"≥ {GOAL:,}" if name.startswith("replay") else ""
                table.add_row(name, f"{rows / clock:,.0f}", f"{rows / used:,.0f}", f"{used / rows * 1e6:.1f}", goal)
    console = Console(width=120)
    console.print(table)
    own = found[0].rows
    last = found[-1].rows
    console.print(f"--quick, some change: {last.changed:,} changed, {last.screened:,} screened")
    console.print(f"{own.own:,} rows of its own spec, {len(own.unfaithful)} came out otherwise; largest memory {_memory():,.0f} MB")


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
