"""What Tierline adds to a request: CPU µs of the gateway process per request, beside a plain reverse proxy in the same run.

`python -m bench overhead`, or `python -m bench.overhead [ROUNDS [SECONDS]]`. A C upstream answers at once, a C client keeps sixteen
connections busy; every stack is loaded in turn, round after round, and the medians are shown. The gateway checks a key, extracts
features, walks ten rules, decides over six models and logs a row. The reference is a proxy on the same server and client libraries that
decides nothing (`bench/proxy.py`); nginx is measured too where it is installed.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
BUILD = HERE / "build"
KEY = "sk-test-1234567890abcdef"
"""What bench/load.c sends as its bearer token."""
CONNECTIONS = 16
PAGE = os.sysconf("SC_PAGE_SIZE")
TICK = 1e6 / os.sysconf("SC_CLK_TCK")

SPEC = """
version: 1
providers:
  mock: {{dialect: openai_chat, base_url: "http://127.0.0.1:{port}/v1"}}
models:
  mini: {{provider: mock, tier: fast, price: {{input: 0.15, output: 0.6}}, context: 128000, capabilities: [tools]}}
  nano: {{provider: mock, tier: fast, price: {{input: 0.1, output: 0.4}}, context: 32000, capabilities: [tools]}}
  mid: {{provider: mock, tier: balanced, price: {{input: 1, output: 4}}, context: 128000, capabilities: [tools]}}
  mid-2: {{provider: mock, tier: balanced, price: {{input: 1.2, output: 4}}, context: 128000, capabilities: [tools]}}
  big: {{provider: mock, tier: best, price: {{input: 3, output: 15}}, context: 200000, capabilities: [tools]}}
  bigger: {{provider: mock, tier: best, price: {{input: 5, output: 25}}, context: 200000, capabilities: [tools]}}
signals:
  anger: {{keywords: [refund, lawyer, unacceptable, furious], patterns: ["(?i)speak to (a|your) (manager|human)"]}}
tasks:
  orders: {{why: Common., match: {{keywords: [shipment, parcel, delivery]}}, quality_bar: 0.9}}
  policy: {{why: Careful., match: {{keywords: [policy, terms, warranty]}}, quality_bar: 0.95}}
routes:
  auto:
    rules:
      - {{when: "signals.anger > 0", use: best, why: upset}}
      - {{when: "input_tokens > 100000", use: [big], why: window}}
      - {{when: "user_tier == 'free' && operation == 'reasoning'", use: fast, why: free}}
      - {{when: "team == 'support' && turns > 30", use: best, why: research}}
      - {{when: "code && complexity > 0.95", use: best, why: hard code}}
      - {{when: "language == 'fi'", use: [mid], why: Finnish}}
      - {{when: "turns > 40", use: [mid], why: long}}
      - {{when: "risk == 'high'", use: best, why: risk}}
      - {{when: "questions > 9", use: best, why: many questions}}
      - {{when: "'batch' in tags", use: [nano], why: batch}}
keys:
  bench: {{secret: "${{BENCH_KEY}}", scopes: [call], team: support}}
"""

NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log /dev/null;
events {{ worker_connections 1024; }}
http {{ access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder}; client_body_buffer_size 64k;
  upstream mock {{ server 127.0.0.1:{upstream}; keepalive 64; }}
  server {{ listen 127.0.0.1:{port}; location / {{
    proxy_pass http://mock; proxy_http_version 1.1; proxy_set_header connection ""; proxy_buffering off; }} }} }}
"""


TEXT = "the router sends each request to a model that can answer it and keeps count of what it cost and how long it took"


class Stack(NamedTuple):
    """Something between client and upstream."""

    name: str
    port: int
    process: subprocess.Popen[bytes]


class Load(NamedTuple):
    """One kind of request; `per` says what the CPU time is divided by."""

    name: str
    body: bytes
    per: str


def main(rounds: int = 5, seconds: float = 3.0) -> None:
    """Measure and print the table."""
    build()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        upstream = free_port()
        stack.enter_context(started([str(BUILD / "mock"), str(upstream)], upstream))
        stacks = [stack.enter_context(running) for running in contenders(Path(folder), upstream)]
        loads = [
            Load("2 KB", chat(2048), "request"),
            Load("10 KB", chat(10240), "request"),
            Load("stream", chat(2048, stream=True), "chunk"),
        ]
        for load in loads:
            figures: dict[str, list[tuple[float, float, float]]] = {each.name: [] for each in stacks}
            for _ in range(rounds):
                for each in stacks:
                    figures[each.name].append(measure(each, load, Path(folder), seconds))
            show(load, stacks, figures)


def build() -> None:
    """Compile the upstream and the client."""
    BUILD.mkdir(exist_ok=True)
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise SystemExit("the benchmark needs a C compiler for its upstream and its client")
    for name in ("mock", "load"):
        subprocess.run([compiler, "-O2", "-w", "-o", str(BUILD / name), str(HERE / f"{name}.c"), "-lm"], check=True)


def contenders(folder: Path, upstream: int) -> Iterator[contextlib.AbstractContextManager[Stack]]:
    """The reference, nginx where there is one, and the gateway."""
    port = free_port()
    yield named("plain proxy", port, [sys.executable, "-m", "bench.proxy", str(port), str(upstream)])
    if nginx := shutil.which("nginx"):
        port = free_port()
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, upstream=upstream))
        yield named("nginx", port, [nginx, "-c", str(folder / "nginx.conf"), "-e", "/dev/null"])
    port = free_port()
    (folder / "tierline.yaml").write_text(SPEC.format(port=upstream))
    yield named("tierline", port, [sys.executable, "-m", "tierline", "serve", "-c", str(folder / "tierline.yaml"), "--port", str(port)])


@contextlib.contextmanager
def named(name: str, port: int, command: Sequence[str]) -> Iterator[Stack]:
    with started(command, port) as process:
        yield Stack(name, port, process)


@contextlib.contextmanager
def started(command: Sequence[str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A process that listens on `port`; stopped at the end."""
    with tempfile.TemporaryFile() as output:
        environ = {**os.environ, "BENCH_KEY": KEY}
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=HERE.parent, env=environ)
        try:
            if not until_listening(port, process):
                output.seek(0)
                raise SystemExit(f"{process.args} did not start: {output.read().decode(errors='replace')}")
            yield process
        finally:
            process.terminate()
            process.wait()


def until_listening(port: int, process: subprocess.Popen[bytes]) -> bool:
    end = time.monotonic() + 15
    while process.poll() is None and time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        time.sleep(0.02)
    return False


def measure(stack: Stack, load: Load, folder: Path, seconds: float) -> tuple[float, float, float]:
    """CPU µs for each request (or chunk), requests each second, and the median latency in µs."""
    body = folder / "body.json"
    body.write_bytes(load.body)
    command = [BUILD / "load", "-p", stack.port, "-P", "/v1/chat/completions", "-b", body, "-c", CONNECTIONS, "-d", seconds]
    command += ["-w", 0, *(["-s"] if load.per == "chunk" else [])]
    before = cpu(stack.process.pid)
    done = json.loads(subprocess.run([str(part) for part in command], capture_output=True, check=True).stdout)
    spent = cpu(stack.process.pid) - before
    if done["errs"] or not done["ok"]:
        raise SystemExit(f"{stack.name}: {done['errs']} of {done['ok'] + done['errs']} requests failed: {done.get('sample', '')}")
    return spent / (done["chunks"] if load.per == "chunk" else done["ok"]), done["rps"], done["p50"]


def cpu(pid: int) -> float:
    """CPU µs (user and system) of a process and its children so far."""
    stat = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return (int(stat[11]) + int(stat[12])) * TICK + sum(cpu(int(child)) for child in children)


def memory(pid: int) -> float:
    """Resident MB of a process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / 1e6 + sum(memory(int(child)) for child in children)


def show(load: Load, stacks: Sequence[Stack], figures: dict[str, list[tuple[float, float, float]]]) -> None:
    middle = {name: [statistics.median(column) for column in zip(*rows, strict=True)] for name, rows in figures.items()}
    reference = middle[stacks[0].name][0]
    table = Table(title=f"{load.name}, {CONNECTIONS} connections, one worker")
    for heading in ("stack", f"CPU µs / {load.per}", "spread", f"÷ {stacks[0].name}", "requests/s", "p50 ms", "RSS MB"):
        table.add_column(heading, justify="left" if heading == "stack" else "right")
    for each in stacks:
        spent, rate, latency = middle[each.name]
        all_spent = [row[0] for row in figures[each.name]]
        spread = f"{min(all_spent):.0f}–{max(all_spent):.0f}"
        rss = f"{memory(each.process.pid):.0f}"
        table.add_row(each.name, f"{spent:.1f}", spread, f"{spent / reference:.2f}", f"{rate:,.0f}", f"{latency / 1000:.2f}", rss)
    Console(width=100).print(table)


def chat(size: int, stream: bool = False) -> bytes:
    """A chat of about `size` bytes: a system prompt and turns of plain words with a little code."""
    words = TEXT.split()
    told = {"d": 0, "n": 100, "w": 0}
    pace = "pace:" + "".join(f"{key}{value}" for key, value in told.items()) + " " if stream else ""
    messages = [{"role": "system", "content": pace + 'You help the support desk. Answer in "plain" English.'}]
    turns = 3 if size < 5000 else 21
    for turn in range(turns):
        text = " ".join(words[(turn * 7 + place * 5) % len(words)] for place in range(size // turns // 5))
        code = "\n```python\nx = 1\n```" if turn % 3 == 1 else ""
        messages.append({"role": "user" if turn % 2 == 0 else "assistant", "content": text[: size // turns - 60] + code})
    body = {"model": "auto", "messages": messages, "temperature": 0.2, "max_tokens": 512}
    more = {"stream": True, "stream_options": {"include_usage": True}} if stream else {}
    return json.dumps(body | more).encode()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    given = [float(number) for number in sys.argv[1:]]
    main(int(given[0]) if given else 5, given[1] if len(given) > 1 else 3.0)
