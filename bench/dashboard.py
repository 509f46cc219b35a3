"""How quickly the dashboard comes on a log of a million rows: `python -m bench dashboard`.

A log of thirty days is made up, served by a gateway of one worker, and asked over HTTP; then, where Chromium is installed, the pages are
opened in it, each in a fresh window, until their figures are seen. While the sums are still being made the overview is asked once, too."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from bench.made_log import DESK, make_log
from tierline.config.load import load

ROWS = int(os.environ.get("BENCH_ROWS", "1000000"))
DAY = 86400.0
ROUNDS = 5
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--no-first-run"]


class Served(msgspec.Struct):
    """A gateway that runs."""

    port: int

    def get(self, path: str) -> tuple[float, Any]:
        """Seconds to the whole answer, and the answer."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)) as connection:
            began = time.perf_counter()
            connection.request("GET", path)
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != 200:
                raise SystemExit(f"{path}: {answer.status} {body[:300]!r}")
            return time.perf_counter() - began, msgspec.json.decode(body)


@contextmanager
def served(spec: Path) -> Iterator[Served]:
    """A gateway on a spec, in a process of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "tierline", "serve", "--config", str(spec), "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            running, until = Served(port), time.monotonic() + 60
            while True:
                try:
                    running.get("/health/readiness")
                    break
                except OSError:
                    if time.monotonic() > until:
                        raise
                    time.sleep(0.05)
            yield running
        finally:
            process.send_signal(signal.SIGTERM)


def asked(running: Served, now: float) -> Mapping[str, str]:
    """What is measured over HTTP: name → address."""
    page = running.get("/admin/decisions?limit=50")[1]
    one = page["decisions"][0]["request_id"]
    return {
        "overview, 24 hours": f"/admin/overview?since={now - DAY}",
        "overview, 7 days": f"/admin/overview?since={now - 7 * DAY}",
        "overview, 30 days": f"/admin/overview?since={now - 30 * DAY}",
        "decisions, the newest": "/admin/decisions?limit=50",
        "decisions, the next page": f"/admin/decisions?limit=50&before={page['next']}",
        "decisions, flagged ones": "/admin/decisions?limit=50&flagged=1",
        "decisions, of one model and task": "/admin/decisions?limit=50&model=swift&task=order_extraction",
        "decisions, none there is": "/admin/decisions?limit=50&min_cost=999",
        "decisions, an id's beginning": f"/admin/decisions?limit=50&id={one[:14]}",
        "one decision, explained": f"/admin/explanations/{one}",
    }


def in_browser(port: int) -> Iterator[tuple[str, float]]:
    """Seconds until the figures of a page are seen, in a fresh window, the median of ROUNDS; nothing where there is no Chromium."""
    if not Path(CHROMIUM).is_file():
        return
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # only where there is a browser

    seen = {"overview": ".tiles .tile", "overview?range=30d": ".tiles .tile", "decisions": "tr.opens"}
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS) as browser:
        for place, what in seen.items():
            taken = []
            for _ in range(ROUNDS):
                with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
                    page = context.new_page()
                    began = time.perf_counter()
                    page.goto(f"http://127.0.0.1:{port}/dashboard#/{place}")
                    page.wait_for_selector(what)
                    taken.append(time.perf_counter() - began)
            yield place, sorted(taken)[ROUNDS // 2]


def main(rows: int = ROWS) -> None:
    """Measure and print."""
    table = Table("what", "first, ms", "then, ms", title=f"the dashboard on {rows:,} rows")
    with tempfile.TemporaryDirectory() as folder:
        spec, now = Path(folder, "tierline.yaml"), time.time()
        spec.write_text(DESK.read_text())
        make_log(Path(folder, "desk.db"), load(spec, {}), rows, now)
        with served(spec) as running:
            early = running.get(f"/admin/overview?since={now - 30 * DAY}")[0]
            table.add_row("overview, 30 days, while the sums are made", f"{early * 1e3:,.0f}", "")
            began = time.perf_counter()
            while running.get(f"/admin/overview?since={now - 3600}")[1]["left"]:
                time.sleep(0.5)
            table.add_row("  the sums of all rows are made after", f"{(time.perf_counter() - began) * 1e3:,.0f}", "")
        with served(spec) as running:  # anew, so that the first look finds nothing warm but the disk
            for name, path in asked(running, now).items():
                first = running.get(path)[0]
                again = sorted(running.get(path)[0] for _ in range(ROUNDS))[ROUNDS // 2]
                table.add_row(name, f"{first * 1e3:,.1f}", f"{again * 1e3:,.1f}")
            for place, seconds in in_browser(running.port):
                table.add_row(f"Chromium, until #/{place} is seen", "", f"{seconds * 1e3:,.0f}")
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
