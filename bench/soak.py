"""Mixed traffic with faults for half an hour: does memory stay flat, and does nothing leak?

`make soak`, or `python -m bench.soak [MINUTES]`. A scripted fleet fails in every way it can; sixteen clients ask whole and streamed,
hang up in the middle, name sessions, send what is malformed and time out. Every half minute one row: requests, resident memory, open
sockets, threads. At the end the clients stop and what is left is counted: calls in flight, places taken, sockets, rows missing in the
log. Exit code 1 when memory grew by more than `GROWTH` MB after the warm-up (the first sixth) or anything is left."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import wreq
from rich.console import Console

from bench.overhead import memory
from tierline.decision_log.reader import LogReader
from tierline.testing.serving import serving

CLIENTS = 16
GROWTH = 10.0
EVERY = 30.0
SESSIONS = 50_000
"""Names of sessions that clients draw from, so that what is kept for each has to be bounded."""

SPEC = """
version: 1
providers:
  fleet:
    kind: scripted
    script:
      seed: 5
      models:
        mini: {ability: 0.6, ttft: 5ms, tokens_per_second: 5000, fail: {kind: server, rate: 0.1}}
        nano: {ability: 0.5, ttft: 5ms, tokens_per_second: 5000, fail: {kind: cut, rate: 0.1}}
        mid:
          ability: 0.8
          ttft: 10ms
          tokens_per_second: 5000
          fail: [{kind: rate_limited, rate: 0.1, retry_after: 50ms}, {kind: malformed, rate: 0.05}]
        big: {ability: 0.98, ttft: 15ms, tokens_per_second: 5000, fail: {kind: overloaded, rate: 0.05}}
models:
  mini: {provider: fleet, tier: fast, price: {input: 0.1, output: 0.4}, context: 100000, max_concurrency: 12}
  nano: {provider: fleet, tier: fast, price: {input: 0.1, output: 0.3}, context: 100000, max_concurrency: 12}
  mid: {provider: fleet, tier: balanced, price: {input: 1, output: 4}, context: 100000, max_concurrency: 12}
  big: {provider: fleet, tier: best, price: {input: 5, output: 20}, context: 100000, max_concurrency: 12}
tasks:
  checked: {why: It has checks., models: [mini, mid, big], validate: [{pattern: "Answer", retry: 1}, {max_chars: 2000}]}
routes:
  auto: {deadline: 5s, cascade: {retries: 1, backoff: 20ms}}
  sticky: {deadline: 5s, session: {sticky: true, ttl: 60s}}
  both: {deadline: 5s, combine: {models: [mini, nano], by: agreement, else: big}}
  raced: {deadline: 5s, hedge: {after: 20ms}}
  shadowed: {deadline: 5s, shadow: {models: [mid, big], share: 0.3, judge: nano, max_cost_per_day: 1000}}
load: {target: {p95: 1s}, breaker: {failures: 0.6, window: 10s, rest: 500ms}}
decision_log: {retention: 10m}
"""


class Traffic:
    """What the clients ask, and what came of it."""

    def __init__(self, url: str, until: float) -> None:
        self.came: Counter[str] = Counter()
        self._url, self._until = url, until

    async def client(self, number: int) -> None:
        """Asks until the time is over."""
        dice = random.Random(number)
        client = wreq.Client()
        while time.monotonic() < self._until:
            kind = dice.choice(("whole", "whole", "stream", "stream", "hang up", "malformed", "impatient"))
            try:
                self.came[await self._ask(client, dice, kind)] += 1
            except Exception as error:
                self.came[f"{kind}: {type(error).__name__}"] += 1

    async def _ask(self, client: wreq.Client, dice: random.Random, kind: str) -> str:
        stream = kind in {"stream", "hang up"}
        words = " ".join(dice.choices(("order", "refund", "prove", "weather", "sum", "please"), k=dice.randint(3, 300)))
        model = dice.choice(("auto", "auto/sticky", "auto/both", "auto/raced", "auto/shadowed"))
        headers = {"content-type": "application/json", "x-tierline-session": f"s{dice.randrange(SESSIONS)}"}
        if model == "auto" and dice.random() < 0.5:
            headers["x-tierline-task"] = "checked"
        if kind == "impatient":
            headers["x-tierline-latency-budget"] = "8ms"
        body = json.dumps({"model": model, "stream": stream, "messages": [{"role": "user", "content": words}]}).encode()
        reply = await client.post(f"{self._url}/v1/chat/completions", body=body[:-9] if kind == "malformed" else body, headers=headers)
        if kind != "hang up":
            await reply.bytes()
        await reply.close()
        return f"{kind}: {reply.status.as_int()}"


def sockets(pid: int) -> int:
    """Open sockets of a process."""
    found = 0
    for each in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found += str(each.readlink()).startswith("socket:")
        except OSError:
            continue
    return found


def threads(pid: int) -> int:
    """Threads of a process."""
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


async def watch(console: Console, pid: int, traffic: Traffic, until: float) -> list[float]:
    """Prints a row now and then; resident MB of each."""
    seen: list[float] = []
    began = time.monotonic()
    while (now := time.monotonic()) < until:
        await asyncio.sleep(min(EVERY, until - now))
        seen.append(memory(pid))
        asked = sum(traffic.came.values())
        held = f"{seen[-1]:7.1f} MB {sockets(pid):5} sockets {threads(pid):4} threads"
        console.print(f"{time.monotonic() - began:6.0f} s {asked:9,} requests {held}")
    return seen


_GOING_ON = (
    "tierline_requests_in_flight",
    "tierline_calls_in_flight",
    "tierline_calls_waiting",
    "tierline_shadows_running",
    "tierline_shadows_waiting",
)


async def settled(url: str) -> dict[str, float]:
    """What the gateway says is still going on, a few seconds after the last client has gone."""
    await asyncio.sleep(8)
    reply = await wreq.Client().get(f"{url}/metrics")
    text = bytes(await reply.bytes()).decode()
    left: dict[str, float] = {}
    for line in text.splitlines():
        name, _, value = line.rpartition(" ")
        own = float(name == "tierline_requests_in_flight")  # the scrape itself
        if name.startswith(_GOING_ON) and float(value) > own:
            left[name] = float(value)
    return left


async def storm(console: Console, url: str, pid: int, seconds: float) -> tuple[Traffic, list[float], dict[str, float]]:
    """The whole run: traffic, memory, and what is left at the end."""
    until = time.monotonic() + seconds
    traffic = Traffic(url, until)
    clients = [asyncio.create_task(traffic.client(number)) for number in range(CLIENTS)]
    seen = await watch(console, pid, traffic, until)
    await asyncio.gather(*clients)
    return traffic, seen, await settled(url)


def main(minutes: float = 30.0) -> int:
    """Run, print, and say whether it held."""
    console = Console(width=130)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "tierline.yaml")
        path.write_text(SPEC)
        with serving(path) as gateway:
            traffic, seen, left = asyncio.run(storm(console, gateway.url, gateway.pid, minutes * 60))
            open_sockets = sockets(gateway.pid)
        reader = LogReader(Path(folder, "tierline.db"))
        rows = reader.count()
        reader.close()
    warm = seen[max(len(seen) // 6, 1) - 1]
    grown = max(seen[-3:]) - warm
    for name, count in sorted(traffic.came.items()):
        console.print(f"  {name:24} {count:9,}")
    console.print(f"{sum(traffic.came.values()):,} requests, {rows:,} rows kept (the log keeps ten minutes)")
    console.print(f"memory: {warm:.1f} MB after the warm-up, {seen[-1]:.1f} MB at the end, grown by {grown:+.1f} MB (limit {GROWTH:g})")
    console.print(f"left: {left or 'nothing in flight'}; {open_sockets} sockets")
    return 1 if grown > GROWTH or left else 0


if __name__ == "__main__":
    sys.exit(main(*map(float, sys.argv[1:])))
