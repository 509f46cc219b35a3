"""What traces and the access log add to a request: CPU µs of the gateway process, threads that export and write included.

`python -m bench telemetry`, or `python -m bench.telemetry [ROUNDS [SECONDS]]`. The load and the upstream of `bench/overhead.py`; the same
gateway with everything off, with a share of its requests traced, and with a line for each. Every stack is loaded in turn, round after
round; ratios are to the first. The collector is the C upstream, which takes whatever it is sent. A spec without `tracing` and without
`access_log` is the first row. `--against FOLDER` puts a checkout of another commit beside it, with a `.venv` of its own.
"""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
import time
import timeit
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import msgspec
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from rich.console import Console
from rich.table import Table

from bench.overhead import BUILD, SPEC, Load, Stack, build, chat, free_port, measure, named, show, started
from tierline.config.spec import TracingSpec
from tierline.gateway.trace import Finished, Trace
from tierline.gateway.waiting import Waiting
from tierline.server.access_log import AccessLog, line_of
from tierline.server.metrics import TOGETHER, Meters
from tierline.server.telemetry import Telemetry
from tierline.server.tracing.exporting import Exporter
from tierline.server.tracing.spans import Span, spans_of
from tierline.server.tracing.tracer import Tracer
from tierline.types.decision import Decision, Step
from tierline.types.features import Features
from tierline.types.outcome import Usage
from tierline.types.record import Record, Tried

TRACED = """
tracing: {{endpoint: "http://127.0.0.1:{port}", sample: {sample}}}
"""
LOGGED = """
server: {access_log: true}
"""


def main(rounds: int = 7, seconds: float = 2.0, against: str = "") -> None:
    """Measure and print the tables."""
    parts()
    build()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        upstream = free_port()
        stack.enter_context(started([str(BUILD / "mock"), str(upstream)], upstream))
        stacks = [stack.enter_context(running) for running in contenders(Path(folder), upstream, against)]
        load = Load("2 KB", chat(2048), "request")
        figures: dict[str, list[tuple[float, float, float]]] = {each.name: [] for each in stacks}
        for number in range(rounds):
            for each in stacks if number % 2 else reversed(stacks):
                figures[each.name].append(measure(each, load, Path(folder), seconds))
        show(load, stacks, figures)


def parts() -> None:
    """The pieces by themselves, in µs: the least of many rounds, which other processes disturb least."""
    record = Record(
        time.time(),
        Features("0198f3c2a1b2c3d4e5f601"),
        Decision("0198f3c2a1b2c3d4e5f601", "auto", "0123456789ab", (Step("fast", ("mini",)),), "orders"),
        (Tried("mini", "first", True, 1e-4, 0.6, 0.2, Usage(900, 150)),),
        winner=0,
        overhead=2e-4,
    )
    meters, kept = Meters(), _Kept()
    loaded = SimpleNamespace(models={}, providers={})
    telemetry, waiting, asked = Telemetry(meters), Waiting(), SimpleNamespace(trace=None)

    def counted() -> None:
        for _ in range(TOGETHER):
            meters.observe(record)

    def looked() -> None:
        for _ in range(TOGETHER):
            if telemetry.tracer is not None or waiting.trace is not None or asked.trace is not None:
                raise AssertionError

    def traced(sample: float) -> None:
        tracer = Tracer(TracingSpec(endpoint="http://collector", sample=sample, max_queue=10**6), _nothing, _nothing, _Kept)
        for _ in range(TOGETHER):
            trace = tracer.begin("POST /v1/chat/completions", None, None, 0.0)
            trace.attempt(1, trace.started)
            trace.answered(record, loaded, "stop")  # type: ignore[arg-type]
        tracer.stop()

    trace = Trace(kept, "POST /v1/chat/completions", 0.0, 1, True)
    trace.attempt(1, trace.started)
    done = Finished(trace, trace.started + 0.6, record=record)
    exporter = Exporter(TracingSpec(endpoint="http://collector"))
    log = AccessLog(_nothing, io.StringIO())
    rows = (
        ("off: the three looks for a trace", looked, TOGETHER),
        ("metrics: counted together", counted, TOGETHER),
        ("traced, not sampled: ids and headers", lambda: traced(0.0), TOGETHER),
        ("traced, sampled: ids, headers, queue", lambda: traced(1.0), TOGETHER),
        ("… its thread: a row as two spans", lambda: spans_of(done), 1),
        (
            "… its thread: two spans as protobuf",
            lambda: encode_spans([exporter.readable(span) for span in spans_of(done)]).SerializeToString(),
            1,
        ),
        ("access log: queue", lambda: log.answered(record), 1),
        ("… its thread: a line", lambda: msgspec.json.encode(line_of(record)), 1),
    )
    table = Table(title="µs a request")
    table.add_column("what")
    table.add_column("µs", justify="right")
    for name, act, many in rows:
        table.add_row(name, f"{min(timeit.repeat(act, number=10, repeat=400)) / 10 / many * 1e6:.2f}")
    Console(width=100).print(table)


class _Kept:
    """Takes spans and traces, and does nothing with them."""

    propagate = True

    def __init__(self, _: TracingSpec | None = None) -> None:
        """Nothing is held."""

    def __call__(self, _: Sequence[Span]) -> bool:
        return True

    def take(self, _: Finished) -> None:
        """Nothing is held."""

    def close(self) -> None:
        """Nothing is held."""


def _nothing(*_: object) -> None:
    """Counts nothing."""


def contenders(folder: Path, upstream: int, against: str) -> Iterator[contextlib.AbstractContextManager[Stack]]:
    """The gateway, once for each way in which it can tell of requests."""
    plain = SPEC.format(port=upstream)
    yield _gateway(folder, "off", plain, sys.executable)
    if against:
        yield _gateway(folder, "off, other checkout", plain, str(Path(against) / ".venv/bin/python"))
    for sample in (0, 0.01, 0.1, 1):
        yield _gateway(folder, f"traced {sample:.0%}", plain + TRACED.format(port=upstream, sample=sample), sys.executable)
    yield _gateway(folder, "access log", plain + LOGGED, sys.executable)


def _gateway(folder: Path, name: str, spec: str, python: str) -> contextlib.AbstractContextManager[Stack]:
    place = folder / name.replace(" ", "-").replace("%", "").replace(",", "")
    place.mkdir()
    (place / "tierline.yaml").write_text(spec)
    port = free_port()
    return named(name, port, [python, "-m", "tierline", "serve", "-c", str(place / "tierline.yaml"), "--port", str(port)])


def begun(words: Sequence[str]) -> None:
    """`[ROUNDS [SECONDS]] [--against FOLDER]`."""
    numbers = [word for word in words if not word.startswith("--") and word.replace(".", "").isdigit()]
    against = words[words.index("--against") + 1] if "--against" in words else ""
    main(int(numbers[0]) if numbers else 7, float(numbers[1]) if len(numbers) > 1 else 2.0, against)


if __name__ == "__main__":
    begun(sys.argv[1:])
