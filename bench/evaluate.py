"""How long an evaluation takes and how much memory it needs: mmlu_pro.parquet whole, and a made table of ten million rows.

`python -m bench evaluate` · `TIERLINE_ROWS` sets the size of the made table. Each run is a process of its own; its peak memory is what the
system says of it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Table

ROWS = int(os.environ.get("TIERLINE_ROWS", "10000000"))
MODELS = 10
MOST = 4_096
"""MB of memory that a run may take."""

_RUN = """
import json, resource, sys, time
from pathlib import Path
from tierline.evaluation.datasets import read
from tierline.evaluation.evaluate import Settings, evaluate
from tierline.evaluation.routers import routers
started = time.perf_counter()
dataset = read([Path(sys.argv[1])])
read_in = time.perf_counter() - started
evaluate(dataset, routers(["random", "prompt_length", "task_mean"]), Settings())
took = time.perf_counter() - started
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"cells": dataset.cells, "read": read_in, "evaluate": took - read_in, "peak": peak}))
"""


def make(path: Path, rows: int) -> None:
    """A table of so many rows: ten models, forty tasks, prompts of about 120 characters."""
    with duckdb.connect() as database:
        database.execute(
            f"""COPY (
            SELECT 'q' || q AS query_id, repeat('a word of query ' || q || ' ', 6) AS query, 'task ' || (q % 40) AS task,
                'model ' || m AS model,
                (hash(q * 31 + m) % 1000 < 400 + 50 * m)::INT AS score, 0.0001 * (m + 1) * (1 + (hash(q) % 100) / 100.0) AS cost_usd
            FROM range({rows // MODELS}) AS queries(q), range({MODELS}) AS models(m)) TO '{path}' (FORMAT parquet)"""
        )


def main() -> None:
    """Both tables, a line each."""
    table = Table(
        "table", "answers", "read, s", "evaluate, s", "peak memory, MB", title="tierline evaluate, three routers and five reference rows"
    )
    peaks: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, "made.parquet")
        make(made, ROWS)
        real = Path(os.environ.get("TIERLINE_DATA") or Path(__file__).parents[2] / "shared" / "data", "mmlu_pro.parquet")
        for name, path in (("mmlu_pro, 29 models", real), (f"made, {MODELS} models", made)):
            if not path.is_file():
                print(f"{path.name} is not there: set TIERLINE_DATA to the folder that holds it")
                continue
            done = subprocess.run([sys.executable, "-c", _RUN, str(path)], check=True, capture_output=True, text=True)
            found = json.loads(done.stdout)
            peaks.append(found["peak"])
            table.add_row(name, f"{found['cells']:,}", f"{found['read']:.1f}", f"{found['evaluate']:.1f}", f"{found['peak']:,.0f}")
    Console(width=120).print(table)
    if max(peaks, default=0.0) > MOST:
        raise SystemExit(f"a run took {max(peaks):,.0f} MB; at most {MOST:,} are allowed")


if __name__ == "__main__":
    main()
