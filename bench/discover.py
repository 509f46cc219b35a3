"""Do the types that `tierline discover` finds agree with the tasks that requests truly are of? `python -m bench discover`.

Real questions with known tasks, given as requests without one: grouped by features alone, and by words and features, under several
seeds (each draws other requests where there are more than `DRAWN`). Adjusted Rand index: 1 for the same groups, 0 for chance; purity:
the share of requests that are of the commonest task of their type. The weight of words,
the traits that count beside words and the rule for the number were settled with all of these sets in sight: none is unseen data.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import duckdb
import numpy as np
from rich.console import Console
from rich.table import Table

from tierline.config.load import load
from tierline.evaluation.discover.agreement import adjusted_rand, purity
from tierline.evaluation.discover.asked import Asked
from tierline.evaluation.discover.discover import group
from tierline.evaluation.discover.sample import lot
from tierline.evaluation.simulate.workload import Asker
from tierline.routing.router import Router
from tierline.types.hints import Hints

DATA = Path(os.environ.get("TIERLINE_DATA", Path(__file__).parents[2] / "shared" / "data"))
SEEDS = (0, 1, 2)
DRAWN = 6_000
SPEC = "{version: 1, providers: {fleet: {kind: scripted}}, models: {one: {provider: fleet, tier: fast, price: {input: 1, output: 4}}}}"
ROUTING = "SELECT query_id, any_value(query), any_value(task) FROM '{}' GROUP BY 1"
INTENTS = "SELECT DISTINCT text, text, label FROM '{}' WHERE dataset = '{}' AND label != 'oos'"
SETS = {
    "ulab_llmrouter": ROUTING.format(DATA / "ulab_llmrouter.parquet"),
    "zeroeval": ROUTING.format(DATA / "zeroeval.parquet"),
    "mmlu_pro": ROUTING.format(DATA / "mmlu_pro.parquet"),
    "banking77": INTENTS.format(DATA / "intents.parquet", "banking77"),
    "clinc150": INTENTS.format(DATA / "intents.parquet", "clinc150"),
}
Row = tuple[str, str, str]


def main() -> int:
    """Print the table; returns 2 where the data are absent."""
    if not (DATA / "ulab_llmrouter.parquet").exists():
        print(f"no data at {DATA}: set TIERLINE_DATA", file=sys.stderr)
        return 2
    table = Table(
        "data", "tasks", "requests", "by", "types", "ARI", "purity", "stability", "seconds", title=f"Seeds {SEEDS}: mean (least to most)"
    )
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder) / "tierline.yaml"
        spec.write_text(SPEC)
        asker = Asker(Router(load(spec, need_secrets=False)))
        for name, statement in SETS.items():
            rows: list[Row] = duckdb.sql(statement).fetchall()
            for words in (False, True):
                table.add_row(name, str(len({task for *_, task in rows})), f"{min(len(rows), DRAWN):,}", *_measured(asker, rows, words))
    Console(width=140).print(table)
    return 0


def _measured(asker: Asker, rows: Sequence[Row], words: bool) -> tuple[str, ...]:
    found = [_once(asker, rows, words, seed) for seed in SEEDS]
    columns = list(zip(*found, strict=True))
    return "words" if words else "features", *[
        _shown(column, form) for column, form in zip(columns, (".0f", ".2f", ".2f", ".2f", ".1f"), strict=True)
    ]


def _once(asker: Asker, rows: Sequence[Row], words: bool, seed: int) -> tuple[float, ...]:
    drawn = sorted(rows, key=lambda row: lot(seed, row[0]))[:DRAWN]
    asked = [_asked(asker, row, words) for row in drawn]
    begun = time.perf_counter()
    found = group(asked, seed)
    taken = time.perf_counter() - begun
    tasks = [task for *_, task in drawn]
    stable = adjusted_rand(*found.halves)
    return len(np.unique(found.groups)), adjusted_rand(found.groups, tasks), purity(found.groups, tasks), stable, taken


def _asked(asker: Asker, row: Row, words: bool) -> Asked:
    identity, text, _ = row
    features, _ = asker.ask(identity, {"model": "auto", "messages": [{"role": "user", "content": text}]}, Hints())
    return Asked(identity, features, "", "one", 0.0, features.input_tokens, features.output_tokens, text=text if words else None)


def _shown(values: Sequence[float], form: str) -> str:
    return f"{np.mean(values):{form}} ({min(values):{form}}–{max(values):{form}})"


if __name__ == "__main__":
    sys.exit(main())
