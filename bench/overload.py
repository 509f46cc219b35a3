"""Five times more requests than the best models can serve: does the interactive p95 keep to its target, and does traffic come back?

`python -m bench overload`, or `python -m bench.overload [SCALE]`. A scripted fleet with real latencies: every request would go to the
best model, which serves 8 at a time in half a second each, so 16 a second. The client does not wait for answers before it sends the
next (an open loop): a minute of calm, a minute of 80 requests a second, then calm until the best model has its traffic back.
Background requests (a latency budget of ten minutes) run beside them. SCALE below 1 shortens the phases."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec
import wreq
from rich.console import Console
from rich.table import Table

from tierline.decision_log.reader import LogReader
from tierline.testing.serving import serving

TARGET = 2.0
"""Seconds: the p95 that interactive requests are to keep to."""
CALM, STORM = 8.0, 80.0
"""Requests a second. The best model serves 16."""
BACKGROUND = 1.0
"""Background requests a second, all the time."""

SPEC = """
version: 1
providers:
  fleet:
    kind: scripted
    script:
      seed: 3
      models:
        small: {ability: 0.9, ttft: 100ms, tokens_per_second: 1000, output: 40, jitter: 0.3}
        middle: {ability: 0.95, ttft: 250ms, tokens_per_second: 800, output: 40, jitter: 0.3}
        large: {ability: 0.99, ttft: 450ms, tokens_per_second: 800, output: 40, jitter: 0.3}
models:
  small: {provider: fleet, tier: fast, price: {input: 0.1, output: 0.4}, context: 100000, max_concurrency: 200}
  middle: {provider: fleet, tier: balanced, price: {input: 1, output: 4}, context: 100000, max_concurrency: 40}
  large: {provider: fleet, tier: best, price: {input: 5, output: 20}, context: 100000, max_concurrency: 8}
tasks:
  advice:
    why: Our best model answers as long as it can.
    quality_bar: 0.95
    tolerance: 0.1
    latency_budget: 20s
    quality: {small: 0.86, middle: 0.92, large: 0.97}
routes:
  auto: {task: advice, deadline: 20s}
load:
  target: {p95: 2s, queue: 16}
"""


class Answer(msgspec.Struct, frozen=True):
    """One request: when it was sent (seconds from the start), how long it took, its status and who answered."""

    sent: float
    took: float
    status: int
    model: str
    background: bool


async def storm(url: str, phases: Sequence[tuple[float, float]]) -> list[Answer]:
    """Sends at each phase's rate for its seconds, and waits for every answer."""
    client = wreq.Client()
    began = time.perf_counter()
    answers: list[Answer] = []

    async def ask(background: bool) -> None:
        sent = time.perf_counter()
        body = json.dumps({"model": "auto", "messages": [{"role": "user", "content": f"Please advise me, case {sent}"}]}).encode()
        headers = {"content-type": "application/json"} | ({"x-tierline-latency-budget": "10m"} if background else {})
        reply = await client.post(f"{url}/v1/chat/completions", body=body, headers=headers)
        await reply.bytes()
        said = reply.headers.get("x-tierline-model")
        model = bytes(said).decode() if said else ""
        answers.append(Answer(sent - began, time.perf_counter() - sent, reply.status.as_int(), model, background))

    async def send(rate: float, seconds: float, background: bool) -> None:
        start = time.perf_counter()
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(start + number / rate - time.perf_counter(), 0))
            group.create_task(ask(background))

    async with asyncio.TaskGroup() as group:
        group.create_task(send(BACKGROUND, sum(seconds for _, seconds in phases), True))
        for rate, seconds in phases:
            await send(rate, seconds, False)
    return answers


def show(console: Console, answers: Sequence[Answer], phases: Sequence[tuple[str, float, float]]) -> None:
    """A row for every slice of ten seconds (or a sixth of the run's phases) with p50, p95 and who answered."""
    table = Table("from, s", "phase", "interactive", "answered", "p50, s", "p95, s", "large", "middle", "small")
    start = 0.0
    for name, _, seconds in phases:
        width = min(10.0, seconds / 3)
        for number in range(max(round(seconds / width), 1)):
            low = start + number * width
            mine = [one for one in answers if not one.background and low <= one.sent < low + width]
            if mine:
                table.add_row(f"{low:.0f}", name, *_row(mine))
        start += seconds
    console.print(table)


def _row(mine: Sequence[Answer]) -> list[str]:
    went = Counter(one.model for one in mine if one.status == 200)
    took = sorted(one.took for one in mine)
    good = sum(went.values())
    shares = [f"{went[name] / len(mine):.0%}" for name in ("large", "middle", "small")]
    return [str(len(mine)), str(good), f"{took[len(took) // 2]:.2f}", f"{quantile(took):.2f}", *shares]


def quantile(took: Sequence[float], share: float = 0.95) -> float:
    """Nearest rank of values in order."""
    return took[min(int(share * len(took)), len(took) - 1)]


def main(scale: float = 1.0) -> None:
    """Run and print."""
    console = Console(width=120)
    phases = [("calm", CALM, 20 * scale), ("storm", STORM, 60 * scale), ("relief", CALM, 70 * scale)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "tierline.yaml")
        path.write_text(SPEC)
        with serving(path) as gateway:
            answers = asyncio.run(storm(gateway.url, [(rate, seconds) for _, rate, seconds in phases]))
        reader = LogReader(Path(folder, "tierline.db"))
        rows = reader.count()
        reader.close()
    show(console, answers, phases)
    lost = [one for one in answers if one.status != 200]
    background = sorted(one.took for one in answers if one.background)
    console.print(f"{len(answers)} requests, {len(lost)} not answered, {rows} rows in the log")
    strong = sum(one.model == "large" for one in answers if one.background) / len(background)
    console.print(f"background: {len(background)} requests, {strong:.0%} by the best model, p95 {quantile(background):.2f} s")
    settled = sorted(one.took for one in answers if not one.background and (20 + 10) * scale <= one.sent < 80 * scale)
    console.print(f"interactive p95 in the storm, after its first {10 * scale:.0f} s: {quantile(settled):.2f} s (target {TARGET:g} s)")
    first = [one for one in answers if not one.background and one.sent >= 80 * scale]
    back = next((one.sent - 80 * scale for one in first if _all_large(first, one.sent, 5 * scale)), None)
    console.print(f"after relief, nine of ten go to the best model again after {'–' if back is None else f'{back:.0f} s'}")


def _all_large(answers: Sequence[Answer], since: float, seconds: float) -> bool:
    mine = [one for one in answers if since <= one.sent < since + seconds]
    return bool(mine) and sum(one.model == "large" for one in mine) >= 0.9 * len(mine)


if __name__ == "__main__":
    main(*map(float, sys.argv[1:]))
