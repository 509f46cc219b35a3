"""What clients feel of shadows: the time to an answer on four routes of one gateway, asked in turns. `python -m bench shadow`.

`plain` has no shadow. Beside every request of `quick` another model answers at once and is judged; beside those of `hanging` one that
says nothing for a minute; `crowded` asks a model of one place that its own shadow holds. The column `ratio` is against `plain` in the
same run."""

from __future__ import annotations

import http.client
import json
import statistics
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table

from tierline.testing.serving import serving

SPEC = """
version: 1
providers:
  fleet:
    kind: scripted
    script: {latency: none, answers: {"Which of the answers": "1"}, models: {mini: {}, big: {}, owl: {ability: 1, noise: 0, output: 20}}}
  slow:
    kind: scripted
    script: {latency: real, models: {snail: {ttft: 60s}, narrow: {ttft: 2ms, tokens_per_second: 100000}}}
models:
  mini: {provider: fleet, tier: fast, price: {input: 0.1, output: 0.4}}
  big: {provider: fleet, tier: best, price: {input: 1, output: 4}}
  owl: {provider: fleet, tier: best, price: {input: 1, output: 4}, capabilities: []}
  snail: {provider: slow, tier: best, price: {input: 1, output: 4}}
  narrow: {provider: slow, tier: best, price: {input: 1, output: 4}, max_concurrency: 1}
tiers: [fast, best]
tasks:
  short: {why: It is answered at once., models: [mini]}
  alone: {why: Its model takes one call at a time., models: [narrow]}
routes:
  auto: {task: short}
  quick: {task: short, shadow: {models: [big], share: 1, judge: owl, max_cost_per_day: 1000}}
  hanging: {task: short, shadow: {models: [snail], share: 1, max_cost_per_day: 1000}}
  one_place: {task: alone}
  crowded: {task: short, shadow: {models: [narrow], share: 1, max_cost_per_day: 1000}}
"""
TURNS = 400
PAUSE = 0.002
"""Seconds between two turns, in which shadows run."""


def milliseconds(connection: http.client.HTTPConnection, route: str, number: int) -> float:
    """How long a client waits for one answer."""
    body = json.dumps({"model": route, "messages": [{"role": "user", "content": f"What is {number} and {number}?"}]})
    began = time.perf_counter()
    connection.request("POST", "/v1/chat/completions", body, {"content-type": "application/json"})
    answer = connection.getresponse()
    answer.read()
    took = 1000 * (time.perf_counter() - began)
    if answer.status != 200:
        raise RuntimeError(f"{route}: {answer.status}")
    return took


def main(turns: int = TURNS) -> None:
    """Measure and print."""
    routes = {"plain": "auto", "quick": "auto/quick", "hanging": "auto/hanging", "one place": "auto/one_place"}
    took: dict[str, list[float]] = {name: [] for name in [*routes, "crowded"]}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "tierline.yaml")
        path.write_text(SPEC)
        with serving(path) as gateway:
            connection = http.client.HTTPConnection(urlsplit(gateway.url).netloc, timeout=30)
            for number in range(turns):
                milliseconds(connection, "auto", number)  # the first after a pause is slower, whoever it is
                for name, route in routes.items():
                    took[name].append(milliseconds(connection, route, number))
                milliseconds(connection, "auto/crowded", number)  # leaves a guest in the one place
                took["crowded"].append(milliseconds(connection, "auto/one_place", number))
                time.sleep(PAUSE)
            connection.request("GET", "/metrics")
            told = connection.getresponse().read().decode()
    _show(took, told, turns)


def _show(took: dict[str, list[float]], told: str, turns: int) -> None:
    table = Table(title=f"milliseconds to an answer, {turns} turns", title_justify="left")
    for name in ("route", "p50", "p95", "p99", "ratio of p50"):
        table.add_column(name, justify="left" if name == "route" else "right")
    for name, times in took.items():
        base = statistics.median(took["one place" if name in ("one place", "crowded") else "plain"])
        cuts = statistics.quantiles(times, n=100)
        table.add_row(name, *[f"{cuts[at - 1]:.2f}" for at in (50, 95, 99)], f"{cuts[49] / base:.2f}")
    console = Console(width=120)
    console.print(table)
    for line in told.splitlines():
        if line.startswith(("tierline_shadows_total", "tierline_shadows_skipped_total", "tierline_judgements_total")):
            console.print(f"  {line}", highlight=False)


if __name__ == "__main__":
    main()
