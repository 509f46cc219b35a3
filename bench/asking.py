"""Asking a small model when the scorer is unsure: how many answers come in time, and what it adds. `python -m bench asking`.

Scripted models that need a given time, and (after `make .e2e`) a real one: SmolLM2-135M on llama.cpp's own server, on this machine's CPU.
Every request is unclear to the built-in scorer; each is sent once with words of its own, then all of them once more."""

from __future__ import annotations

import contextlib
import http.client
import statistics
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from rich.console import Console
from rich.table import Table

from bench import small_model
from tierline.decision_log.reader import LogReader
from tierline.testing.serving import serving
from tierline.types.record import Record

SPEC = """
version: 1
providers:
  scripted:
    kind: scripted
    script:
      seed: 7
      difficulty: {{order: 0.0}}
      answers: {{"": refunds}}
      models:
        asked: {{ability: 0.99, ttft: {milliseconds}ms, tokens_per_second: 100000}}
        answers: {{ability: 0.99, ttft: 0ms, tokens_per_second: 100000}}
  llama: {{dialect: openai_chat, base_url: "http://127.0.0.1:{port}/v1"}}
models:
  small: {{provider: {provider}, model: {model}, tier: fast, price: {{input: 0.02, output: 0.04}}, capabilities: [json_schema]}}
  middle: {{provider: scripted, model: answers, tier: balanced, price: {{input: 1, output: 4}}}}
  large: {{provider: scripted, model: answers, tier: best, price: {{input: 3, output: 15}}}}
tiers: [fast, balanced, best]
tasks:
  orders: {{why: Where a parcel is., match: {{keywords: [order]}}, models: [middle]}}
  refunds: {{why: Money that goes back., match: {{keywords: [refund]}}, models: [middle]}}
routes:
  auto: {{scorer: {{ask: {{model: small, timeout: {timeout}}}}}}}
"""
COUNT = 60


def measured(count: int, timeout: str, milliseconds: int = 0, port: int = 0) -> tuple[list[Record], list[Record]]:
    """The rows of so many requests with words of their own, and of the same words again."""
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder) / "tierline.yaml"
        real = {"provider": "llama", "model": small_model.ALIAS} if port else {"provider": "scripted", "model": "asked"}
        spec.write_text(SPEC.format(milliseconds=milliseconds, timeout=timeout, port=port or 1, **real))
        words = [f"My order number {number}: I would like a refund, please." for number in range(count)]
        with serving(spec) as gateway:
            for text in (*words, *words):
                _send(gateway.url, text)
        with closing(LogReader(Path(folder) / "tierline.db")) as reader:
            rows = list(reader.records())
        return rows[:count], rows[count:]


def _send(url: str, text: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    with contextlib.closing(connection):
        connection.request(
            "POST", "/v1/chat/completions", msgspec.json.encode({"model": "auto", "messages": [{"role": "user", "content": text}]})
        )
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise SystemExit(f"a request failed with status {answer.status}")


def row(name: str, timeout: str, first: Sequence[Record], again: Sequence[Record]) -> tuple[str, ...]:
    """One line of the table."""
    asked = [aside for record in first for aside in record.asides]
    waited = sorted(1000 * aside.elapsed for aside in asked)
    named = sum(record.decision.task != "" for record in first)
    repeated = sum(aside.detail == "remembered" for record in again for aside in record.asides)
    cost = sum(aside.cost for aside in asked) / sum(record.cost for record in first)
    return (
        name,
        timeout,
        f"{sum(aside.ok for aside in asked) / len(first):.0%}",
        f"{named / len(first):.0%}",
        f"{statistics.median(waited):.1f}",
        f"{waited[int(0.95 * len(waited))]:.1f}",
        f"{cost:.1%}",
        f"{repeated / len(again):.0%}",
    )


def main(count: int = COUNT) -> None:
    """Measure and print."""
    heads = (
        "the model asked",
        "time-out",
        "replied in time",
        "named a task",
        "added p50, ms",
        "p95, ms",
        "share of cost",
        "remembered the second time",
    )
    table = Table(*heads, title=f"{count} unclear requests, one after another", title_justify="left")
    for milliseconds in (5, 30, 60, 300):
        table.add_row(*row(f"scripted, {milliseconds} ms", "50ms", *measured(count, "50ms", milliseconds)))
    if small_model.available():
        with small_model.llama_server() as model:
            for timeout in ("50ms", "1s", "5s"):
                table.add_row(*row("SmolLM2-135M on this CPU", timeout, *measured(count // 3, timeout, port=model.port)))
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
