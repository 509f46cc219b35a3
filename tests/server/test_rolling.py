"""Reloads and restarts while clients call: not one request is lost."""

from __future__ import annotations

import concurrent.futures
import contextlib
import http.client
import json
import select
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from server.conftest import FLEET
from server.harness import HOST, Running, launch, serving, until

NOTICE = 1.0
PROBE = 0.1
"""Seconds between two looks at a gateway's readiness: less than its notice."""
BODY = json.dumps({"model": "auto", "messages": [{"role": "user", "content": "What is the capital of France?"}]}).encode()


class Balanced:
    """A client of several gateways: it asks those that say that they are ready, over connections that it keeps as every pool does (one
    that the other end has closed is not used again), and asks another where a connection is refused. It repeats nothing else."""

    def __init__(self, ports: Sequence[int]) -> None:
        self._ready = dict.fromkeys(ports, True)
        self._stop = threading.Event()
        self.said: Counter[str] = Counter()

    @contextlib.contextmanager
    def calling(self, clients: int) -> Iterator[None]:
        with concurrent.futures.ThreadPoolExecutor(clients + 1) as pool:
            going = [pool.submit(self._probe), *(pool.submit(self._client, number) for number in range(clients))]
            try:
                yield
            finally:
                self._stop.set()
        for done in going:
            done.result()

    def _probe(self) -> None:
        while not self._stop.wait(PROBE):
            for port in self._ready:
                try:
                    with contextlib.closing(http.client.HTTPConnection(HOST, port, timeout=5)) as probe:
                        self._ready[port] = self._ask(probe, "GET", "/health/readiness") == 200
                except OSError:
                    self._ready[port] = False

    def _client(self, turn: int) -> None:
        kept: dict[int, http.client.HTTPConnection] = {}
        while not self._stop.is_set():
            turn += 1
            ports = [port for port, ready in self._ready.items() if ready]
            if not ports:
                self.said["nobody is ready"] += 1
                time.sleep(PROBE)
                continue
            port = ports[turn % len(ports)]
            connection = kept.setdefault(port, http.client.HTTPConnection(HOST, port, timeout=10))
            if connection.sock is not None and select.select([connection.sock], [], [], 0)[0]:
                connection.close()
            try:
                self.said[str(self._ask(connection, "POST", "/v1/chat/completions"))] += 1
            except ConnectionRefusedError:
                self._ready[port] = False
                kept.pop(port).close()
            except (OSError, http.client.HTTPException) as lost:
                self.said[f"lost: {type(lost).__name__}"] += 1
                kept.pop(port).close()
        for connection in kept.values():
            connection.close()

    @staticmethod
    def _ask(connection: http.client.HTTPConnection, method: str, path: str) -> int:
        connection.request(method, path, BODY if method == "POST" else None)
        answer = connection.getresponse()
        answer.read()
        return answer.status


def spec_in(folder: Path, notice: float = NOTICE) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "tierline.yaml"
    path.write_text(FLEET.replace("drain: 5s", f"drain: 5s, notice: {notice}s"))
    return path


def ready(running: Running) -> int:
    return running.ask("GET", "/health/readiness").status


def test_a_rolling_restart_of_two_gateways_loses_no_request(tmp_path: Path) -> None:
    with contextlib.ExitStack() as running:
        fleet = [running.enter_context(serving(spec_in(tmp_path / name))) for name in "ab"]
        client = Balanced([gateway.port for gateway in fleet])
        with client.calling(4):
            for gateway in fleet:
                until(lambda before=client.said["200"]: client.said["200"] > before + 50)
                assert gateway.stop() == 0
                again = launch(gateway.spec, port=gateway.port)
                running.callback(again.stop)
                until(lambda again=again: "answers at" in again.output)
            until(lambda before=client.said["200"]: client.said["200"] > before + 50)
    assert set(client.said) == {"200"}, client.said
    assert client.said["200"] > 200


def test_a_stopping_gateway_says_so_and_answers_until_its_notice_is_over(tmp_path: Path) -> None:
    with serving(spec_in(tmp_path)) as running:
        assert ready(running) == 200
        kept = http.client.HTTPConnection(HOST, running.port, timeout=10)
        assert Balanced._ask(kept, "POST", "/v1/chat/completions") == 200
        told = time.monotonic()
        running.process.send_signal(signal.SIGTERM)
        until(lambda: ready(running) == 503)
        assert "draining" in running.ask("GET", "/health/readiness").body.decode()
        said = running.chat()
        assert (said.status, said.headers["connection"]) == (200, "close")
        kept.request("POST", "/v1/chat/completions", BODY)
        answer = kept.getresponse()
        assert (answer.status, answer.getheader("connection")) == (200, "close")
        answer.read()
        assert running.process.wait(10) == 0
        assert NOTICE <= time.monotonic() - told < NOTICE + 3


def test_a_stream_says_too_that_its_connection_ends(tmp_path: Path) -> None:
    with serving(spec_in(tmp_path)) as running:
        running.process.send_signal(signal.SIGTERM)
        until(lambda: ready(running) == 503)
        said = running.chat(stream=True)
        assert (said.status, said.headers["connection"]) == (200, "close") and said.body.endswith(b"data: [DONE]\n\n")


def test_who_is_told_twice_or_interrupted_waits_for_nobody_to_notice(tmp_path: Path) -> None:
    for signals, workers in (((signal.SIGINT,), ()), ((signal.SIGTERM, signal.SIGTERM), ()), ((signal.SIGINT,), ("--workers", "2"))):
        with serving(spec_in(tmp_path, notice=60.0), *workers) as running:
            began = time.monotonic()
            running.process.send_signal(signals[0])
            for number in signals[1:]:
                until(lambda: ready(running) == 503)
                running.process.send_signal(number)
            assert running.process.wait(20) == 0
            assert time.monotonic() - began < 10


def test_several_workers_give_notice_together(tmp_path: Path) -> None:
    with serving(spec_in(tmp_path), "--workers", "2") as running:
        told = time.monotonic()
        running.process.send_signal(signal.SIGTERM)
        until(lambda: ready(running) == 503)
        assert running.chat().status == 200
        assert running.process.wait(10) == 0 and time.monotonic() - told >= NOTICE
        with contextlib.suppress(OSError):
            socket.create_connection((HOST, running.port), 1).close()
            raise AssertionError("somebody still listens")


def test_reloads_of_several_workers_under_load_lose_no_request(tmp_path: Path) -> None:
    with serving(spec_in(tmp_path), "--workers", "2") as running:
        client, spec = Balanced([running.port]), running.spec.read_text()
        with client.calling(4):
            for number in range(6):
                until(lambda before=client.said["200"]: client.said["200"] > before + 30)
                running.spec.write_text(spec.replace("context: 8000", f"context: {8001 + number}"))
                if number % 2:
                    running.process.send_signal(signal.SIGHUP)
            policies: set[str] = set()
            until(lambda: policies.add(running.chat().headers["x-tierline-policy"]) or client.said["200"] > 300)
        assert set(client.said) == {"200"}, client.said
        assert running.output.count("took the place of") >= 2
