"""A stream on its way: what is held back, when it commits, and how it ends. Pieces may be cut anywhere."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as some

from server.upstream import event, usage_event
from tierline.dialects.openai_chat import OpenAIChat
from tierline.gateway.downstream import ClientGone, Opening
from tierline.gateway.stream import End, relay
from tierline.types.decision import Decision
from tierline.types.errors import ProviderFailure

START = event({"role": "assistant", "content": ""})
WORDS = [event({"content": word}) for word in ("Hel", "lo ", "there.")]
STOP = event({}, "stop")
DONE = b"data: [DONE]\n\n"


class Pieces:
    """A reply that gives these pieces, then ends, or breaks, or falls silent."""

    def __init__(self, pieces: Sequence[bytes], then: str = "end") -> None:
        self.status, self.headers = 200, {}
        self._pieces, self._then = list(pieces), then

    async def chunk(self) -> bytes | None:
        if self._pieces:
            return self._pieces.pop(0)
        if self._then == "break":
            raise ProviderFailure("cut", "the connection broke")
        if self._then == "silence":
            await asyncio.Event().wait()
        return None

    async def body(self) -> bytes:
        return b""

    async def close(self) -> None:
        return


class Client:
    def __init__(self, leaves_after: int = 10**9) -> None:
        self.begun, self.got, self._leaves_after = 0, b"", leaves_after

    def begin(self, opening: Opening) -> None:
        self.begun += 1

    async def send(self, data: bytes) -> None:
        assert self.begun == 1
        if len(self.got) >= self._leaves_after:
            raise ClientGone
        self.got += data


def run(reply: Pieces, client: Client, seconds: float | None = None) -> End:
    request = OpenAIChat().parse(b'{"model": "m", "stream": true, "messages": [{"role": "user", "content": "x"}]}')
    opening = Opening(Decision("r", "auto", "p", ()), "a", 1, 0.0)
    deadline = None if seconds is None else perf_counter() + seconds
    return asyncio.run(relay(reply, OpenAIChat().reader(request), client, opening, deadline))


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    edges = [0, *sorted({place % len(data) for place in places}), len(data)]
    return [data[low:high] for low, high in itertools.pairwise(edges) if low < high]


@given(some.lists(some.integers(0, 10_000), max_size=12))
def test_wherever_it_is_cut_the_client_gets_the_same_bytes(places: list[int]) -> None:
    client = Client()
    end = run(Pieces(cut(START + b"".join(WORDS) + STOP + usage_event() + DONE, places)), client)
    assert client.got == START + b"".join(WORDS) + STOP + DONE, "usage was not asked for by this client"
    assert end.error == "" and end.committed_at is not None


@given(some.lists(some.integers(0, 10_000), max_size=8), some.sampled_from(["end", "break"]))
def test_before_the_first_content_nothing_reaches_the_client(places: list[int], then: str) -> None:
    client = Client()
    with pytest.raises(ProviderFailure):
        run(Pieces(cut(START + START, places), then), client)
    assert (client.begun, client.got) == (0, b"")


@given(some.lists(some.integers(0, 10_000), max_size=8), some.sampled_from(["end", "break"]))
def test_after_it_a_break_is_a_cut(places: list[int], then: str) -> None:
    client = Client()
    end = run(Pieces(cut(START + WORDS[0] + WORDS[1], places), then), client)
    assert end.error == "cut"
    assert client.got.startswith(START + WORDS[0]) and b"[DONE]" not in client.got


def test_an_error_inside_the_stream_is_a_cut_and_is_not_passed_on_as_it_is() -> None:
    client = Client()
    end = run(Pieces([START, WORDS[0], b'data: {"error": {"message": "boom", "type": "server_error"}}\n\n', WORDS[1]]), client)
    assert end.error == "cut" and b"boom" not in client.got


def test_an_answer_without_any_content_is_an_answer() -> None:
    client = Client()
    assert run(Pieces([START, STOP, DONE]), client).error == ""
    assert client.got == START + STOP + DONE


def test_silence_before_the_first_content_ends_at_the_deadline() -> None:
    with pytest.raises(ProviderFailure) as failure:
        run(Pieces([START], "silence"), Client(), 0.02)
    assert failure.value.kind == "timeout"


def test_a_client_that_leaves_ends_it() -> None:
    assert run(Pieces([START, *WORDS, STOP, DONE]), Client(leaves_after=1)).error == "cancelled"
