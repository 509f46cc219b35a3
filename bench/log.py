"""What a row of the decision log costs: `python bench/log.py`.

Prints µs for each `put` on the hot path (target ≤ 1), µs of CPU for each written row with its encoding (target ≤ 12), rows a second
and bytes a row, each the best of three rounds, for random ids and for ids that begin with the time; then how long a busy main
thread is kept waiting while the writer works beside it."""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from contextlib import closing
from pathlib import Path

import msgspec

from tierline.decision_log.codec import decode, encode
from tierline.decision_log.reader import LogReader
from tierline.decision_log.schema import COLUMNS
from tierline.decision_log.sqlite import SqliteLog
from tierline.decision_log.stats import stats
from tierline.types.decision import Decision, Drop, Dropped, Reason, Step, Why
from tierline.types.features import Complexity, Features
from tierline.types.outcome import NO_USAGE, Usage, Verdict
from tierline.types.record import Record, Tried
from tierline.types.scores import Scores
from tierline.types.view import Latency, View


def typical(request_id: str, at: float) -> Record:
    """Three models dropped, five reasons, two attempts, latencies of three models."""
    features = Features(
        request_id,
        key="support-bot",
        team="support",
        dialect="openai_chat",
        operation="extraction",
        operations=("extraction", "generation"),
        input_tokens=912,
        output_tokens=180,
        needs=("chat", "json_schema"),
        turns=2,
        language="en",
        complexity=Complexity(0.3125, {"length": 0.09, "questions": 0.05, "turns": 0.0225, "structure": 0.15}),
        prompt_fingerprint="9f2c1e77ab01",
        signals={"anger": 1},
        matches={"order_extraction": 2},
        draw=0.7312345678912345,
    )
    decision = Decision(
        request_id,
        "auto",
        "3f9a1c0b77de",
        (Step("fast", ("mini", "local"), (0.00034, 0.00041), ("schema",)), Step("balanced", ("sonnet",), (0.0061,), ("schema",))),
        task="order_extraction",
        draw=0.7312345678912345,
        reasons=(
            Reason(Why.TASK_SCORED, "order_extraction", 0.8231),
            Reason(Why.DIFFICULTY, "", 0.3125, 0.35),
            Reason(Why.CHEAPEST_ABOVE_BAR, "mini", 0.971234, 0.97),
            Reason(Why.ASSUMED_QUALITY, "local", 0.94),
            Reason(Why.LAST_RESORT, "sonnet"),
        ),
        dropped=(
            Dropped("opus", Drop.PRICE, "max_cost", 0.0301, 0.01),
            Dropped("tiny", Drop.CONTEXT, "", 1092, 1024),
            Dropped("haiku", Drop.RESTING, "", 12.3),
        ),
        margin=0.0012,
    )
    tried = (
        Tried("mini", "first", False, 0.0, 0.25, None, NO_USAGE, "overloaded", 529),
        Tried("local", "fallback", True, 0.000412, 0.75, 0.2112, Usage(931, 151, 512), verdicts=(Verdict("schema", True),)),
    )
    view = View(
        load={"mini": 4, "local": 1, "sonnet": 2},
        latency={"mini": Latency(0.6123, 1.712, 200), "local": Latency(0.81, 2.2, 120), "sonnet": Latency(1.2, 3.9, 200)},
    )
    scores = Scores({"order_extraction": 0.8231, "policy_questions": 0.11}, 0.3125, by="hints")
    return Record(at, features, decision, tried, scores, view, 1, overhead=0.000131)


def measure(path: Path, count: int, ordered: bool) -> dict[str, float]:
    names = [f"{n:08x}{os.urandom(4).hex()}" if ordered else os.urandom(8).hex() for n in range(count)]
    records = [typical(name, 1_790_000_000 + n / 1000) for n, name in enumerate(names)]
    figures = {
        "encode_us": _each(encode, records),
        "decode_us": _each(decode, [dict(zip(COLUMNS, encode(r), strict=True)) for r in records]),
    }
    log = SqliteLog(path, max_queue=count + 1)
    started, used = time.perf_counter(), time.process_time()
    for record in records:
        log.put(record)
    figures["put_us"] = (time.perf_counter() - started) / count * 1e6
    log.close(patience=600)
    took = time.perf_counter() - started
    figures["row_cpu_us"] = (time.process_time() - used) / count * 1e6
    figures["rows_per_s"] = count / took
    figures["file_bytes_per_row"] = path.stat().st_size / count
    with closing(LogReader(path)) as reader:
        started = time.perf_counter()
        assert sum(1 for _ in reader.records()) == count
        figures["read_us"] = (time.perf_counter() - started) / count * 1e6
        started = time.perf_counter()
        assert stats(reader, "model").total.requests == count
        figures["stats_ms"] = (time.perf_counter() - started) * 1e3
    return figures


def steady(path: Path, rate: int, seconds: float) -> dict[str, float]:
    """A main thread that works 100 µs for each row at `rate` rows a second: how late it is, beyond its own work."""
    late: list[float] = []
    log = SqliteLog(path)
    due = time.perf_counter()
    for number in range(int(rate * seconds)):
        while time.perf_counter() < due:
            time.sleep(0)
        started = time.perf_counter()
        record = typical(f"{number:016x}", 1_790_000_000.0)
        while time.perf_counter() - started < 0.0001:
            pass
        log.put(record)
        late.append(time.perf_counter() - started - 0.0001)
        due += 1 / rate
    waiting = log.waiting
    log.close(patience=600)
    late.sort()
    return {
        "rate": rate,
        "late_p50_us": late[len(late) // 2] * 1e6,
        "late_p99_us": late[len(late) * 99 // 100] * 1e6,
        "waiting_at_end": waiting,
    }


def _each(work: object, items: list[object] | list[Record] | list[dict[str, object]]) -> float:
    assert callable(work)
    started = time.perf_counter()
    for item in items:
        work(item)
    return (time.perf_counter() - started) / len(items) * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = {}
        for kind in ("random", "ordered"):
            rounds = [measure(Path(folder, f"{kind}-{n}.db"), options.rows, kind == "ordered") for n in range(3)]
            best = {name: (max if name == "rows_per_s" else min)(one[name] for one in rounds) for name in rounds[0]}
            figures |= {f"{kind}_{name}": value for name, value in best.items()}
        beside = [steady(Path(folder, f"{rate}.db"), rate, 3.0) for rate in (1000, 4000)]
    if options.json:
        print(json.dumps({"figures": figures, "beside": beside}))
        return
    for name, value in figures.items():
        print(f"{name:>28} {value:>12,.2f}")
    for one in beside:
        print("  beside a busy thread:", msgspec.json.encode({name: round(value, 1) for name, value in one.items()}).decode())


if __name__ == "__main__":
    main()
