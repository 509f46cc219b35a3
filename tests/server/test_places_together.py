"""Two gateways over one Valkey count the calls of a model, and the requests of a key, at one time."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
from collections.abc import Iterator

import pytest

from server.harness import Running, serving, until
from server.loopback import Loopback, request
from server.upstream import whole
from valkeys import fresh_prefix, some_valkey

SPEC = """
version: 1
providers:
  slow: {{dialect: openai_chat, base_url: "http://127.0.0.1:{port}/v1", timeout: 60s}}
models:
  few: {{provider: slow, tier: fast, price: {{input: 1, output: 1}}, max_concurrency: 3}}
  many: {{provider: slow, tier: fast, price: {{input: 1, output: 1}}}}
routes:
  auto: {{deadline: 60s, cascade: {{retries: 0}}}}
keys:
  all: {{secret: "all-secret-all-secret"}}
  two: {{secret: "two-secret-two-secret", max_concurrency: 2}}
shared: {{url: "{url}", prefix: {prefix}, lease: 5s}}
"""


class Gate(Loopback):
    """An upstream that keeps every call until it is told to let some go."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = self.most = self.answered = 0

    async def _serve(self) -> None:
        self._open = asyncio.Semaphore(0)
        await super()._serve()

    def let_go(self, calls: int) -> None:
        for _ in range(calls):
            self._loop.call_soon_threadsafe(self._open.release)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                _, _, body = await request(reader)
                self.inside += 1
                self.most = max(self.most, self.inside)
                await self._open.acquire()
                self.inside -= 1
                self.answered += 1
                said = whole(body["model"])
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(said) + said)
                await writer.drain()
        writer.close()


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gate, tuple[Running, Running]]]:
    with some_valkey() as url, Gate().running() as gate, contextlib.ExitStack() as open_:
        prefix, running = fresh_prefix(), []
        for name in ("one", "other"):
            spec = tmp_path_factory.mktemp(name) / "tierline.yaml"
            spec.write_text(SPEC.format(port=gate.port, url=url, prefix=prefix))
            running.append(open_.enter_context(serving(spec)))
        yield gate, (running[0], running[1])


def ask(running: Running, model: str, key: str) -> int:
    return running.chat(model, {"authorization": f"Bearer {key}-secret-{key}-secret"}, max_tokens=30).status


def test_a_model_has_no_more_calls_at_one_time_than_it_may_and_waiting_ones_come_in_wherever_they_wait(
    two: tuple[Gate, tuple[Running, Running]],
) -> None:
    gate, both = two
    gate.most = gate.answered = 0
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        asked = [pool.submit(ask, running, "few", "all") for _ in range(5) for running in both]
        until(lambda: gate.inside == 3)
        for done in range(1, 11):
            gate.let_go(1)
            until(lambda done=done: gate.answered == done and gate.inside == min(3, 10 - done))
        assert [call.result() for call in asked] == [200] * 10
    assert gate.most == 3


def test_a_key_has_no_more_requests_in_flight_than_it_may_wherever_it_asks(two: tuple[Gate, tuple[Running, Running]]) -> None:
    gate, both = two
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(ask, running, "many", "two") for running in both]
        until(lambda: gate.inside == 2)
        assert [ask(running, "many", "two") for running in both] == [429, 429]
        gate.let_go(2)
        assert [call.result() for call in asked] == [200, 200]

    def in_again() -> bool:
        gate.let_go(1)
        return ask(both[1], "many", "two") == 200

    until(in_again)
