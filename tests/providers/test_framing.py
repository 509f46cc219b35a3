"""Where a reply begins and ends: every way to write it, cut into pieces anywhere, whole, broken off, or not to be had."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.raw_upstream import Connection, Run, call, listening
from tierline.providers.http import HttpProvider
from tierline.providers.line import MAX_HEAD, Line
from tierline.types.errors import ProviderFailure

LENGTH = b"content-length: 5\r\n"
CHUNKS = b"transfer-encoding: chunked\r\n"
OK = b"HTTP/1.1 200 OK\r\n"

WHOLE = {
    "by its length": (OK + LENGTH + b"\r\nhello", 200, b"hello"),
    "in chunks": (OK + CHUNKS + b"\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", 200, b"hello"),
    "in chunks with extensions and trailers": (
        OK + CHUNKS + b"\r\n2;a=b\r\nhe\r\n03\r\nllo\r\n0\r\nx-sum: 1\r\nhost: x\r\n\r\n",
        200,
        b"hello",
    ),
    "in chunks of another spelling": (OK + b"Transfer-Encoding: Chunked \r\n\r\n5\r\nhello\r\n0\r\n\r\n", 200, b"hello"),
    "by the end of the connection": (OK + b"\r\nhello", 200, b"hello"),
    "by the end of a connection that is to be closed": (OK + b"connection: close\r\n\r\nhello", 200, b"hello"),
    "of HTTP/1.0": (b"HTTP/1.0 200 OK\r\n" + LENGTH + b"\r\nhello", 200, b"hello"),
    "of HTTP/1.0 by the end": (b"HTTP/1.0 200 OK\r\n\r\nhello", 200, b"hello"),
    "without words beside its status": (b"HTTP/1.1 200\r\n" + LENGTH + b"\r\nhello", 200, b"hello"),
    "of no length": (OK + b"content-length: 0\r\n\r\n", 200, b""),
    "behind a 100": (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + LENGTH + b"\r\nhello", 200, b"hello"),
    "behind several that announce it": (b"HTTP/1.1 103 E\r\nlink: x\r\n\r\n" * 3 + OK + LENGTH + b"\r\nhello", 200, b"hello"),
    "behind empty lines": (b"\r\n\r\n" + OK + LENGTH + b"\r\nhello", 200, b"hello"),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
    "204 with a length": (b"HTTP/1.1 204 No Content\r\n" + LENGTH + b"\r\n", 204, b""),
    "304 with the length of what it stands for": (b"HTTP/1.1 304 Not Modified\r\n" + LENGTH + b"\r\n", 304, b""),
    "that could speak something else": (OK + b"upgrade: h2c\r\nconnection: upgrade\r\n" + LENGTH + b"\r\nhello", 200, b"hello"),
    "packed": (
        OK + b"content-encoding: gzip\r\n" + CHUNKS + b"\r\n19\r\n" + gzip.compress(b"hello", mtime=0) + b"\r\n0\r\n\r\n",
        200,
        b"hello",
    ),
}
CUT = {
    "before its length is full": OK + LENGTH + b"\r\nhell",
    "within a chunk": OK + CHUNKS + b"\r\n5\r\nhel",
    "before its last chunk": OK + CHUNKS + b"\r\n5\r\nhello\r\n",
    "before the end of its trailers": OK + CHUNKS + b"\r\n5\r\nhello\r\n0\r\nx: 1\r\n",
    "within its head": OK + LENGTH,
    "within its first line": b"HTT",
    "after what announces it": b"HTTP/1.1 100 Continue\r\n\r\n",
}
MALFORMED = {
    "another protocol": b"SSH-2.0-OpenSSH\r\n",
    "101": b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n\x81\x05hello",
    "101 to nothing": b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + OK + LENGTH + b"\r\nhello",
    "a length beside chunks": OK + LENGTH + CHUNKS + b"\r\n5\r\nhello\r\n0\r\n\r\n",
    "chunks beside a length": OK + CHUNKS + LENGTH + b"\r\n5\r\nhello\r\n0\r\n\r\n",
    "two lengths": OK + LENGTH + b"content-length: 6\r\n\r\nhello!",
    "a length that is none": OK + b"content-length: five\r\n\r\nhello",
    "a chunk of no length": OK + CHUNKS + b"\r\nhello\r\n",
    "packed in transfer": OK + b"transfer-encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "packed in transfer to the end": OK + b"transfer-encoding: gzip\r\n\r\nhello",
    "a header over two lines": OK + b"x: a\r\n b\r\n" + LENGTH + b"\r\nhello",
    "bare line feeds": b"HTTP/1.1 200 OK\ncontent-length: 5\n\nhello",
    "no name": OK + b": x\r\n" + LENGTH + b"\r\nhello",
    "a head without end": OK + b"x: " + b"y" * 2 * MAX_HEAD,
    "headers without end": OK + b"x: y\r\n" * (MAX_HEAD // 3),
    "announcements without end": b"HTTP/1.1 103 Early Hints\r\n\r\n" * (MAX_HEAD // 10),
    "trailers without end": OK + CHUNKS + b"\r\n5\r\nhello\r\n0\r\n" + b"x: y\r\n" * MAX_HEAD,
    "an extension without end": OK + CHUNKS + b"\r\n5;" + b"x" * 4 * MAX_HEAD,
}


async def of(wire: bytes, *, stream: bool = False) -> tuple[int, bytes]:
    """What a call gives when this comes, and then the end of the connection."""

    async def says(connection: Connection) -> None:
        await connection.request()
        await connection.send(wire)

    async with listening(says) as upstream:
        provider = HttpProvider(upstream.endpoint())
        try:
            reply = await provider.send(call(stream=stream))
            if not stream:
                return reply.status, await reply.body()
            pieces = []
            while (piece := await reply.chunk()) is not None:
                pieces.append(piece)
            return reply.status, b"".join(pieces)
        finally:
            await provider.close()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("how", WHOLE)
def test_a_reply_that_is_whole_is_given_whole(run: Run, how: str, stream: bool) -> None:
    async def test() -> None:
        wire, status, body = WHOLE[how]
        assert await of(wire, stream=stream) == (status, body)

    run(test())


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("how", "kind"), [(how, "cut") for how in CUT] + [(how, "malformed") for how in MALFORMED])
def test_a_reply_that_is_not_whole_or_none_is_a_failure(run: Run, how: str, kind: str, stream: bool) -> None:
    async def test() -> None:
        with pytest.raises(ProviderFailure) as failed:
            await of(CUT[how] if kind == "cut" else MALFORMED[how], stream=stream)
        assert failed.value.kind == kind

    run(test())


def test_a_reply_that_ends_with_a_reset_instead_of_an_end_is_cut(run: Run) -> None:
    async def test() -> None:
        taken = asyncio.Event()

        async def resets(connection: Connection) -> None:
            await connection.request()
            await connection.send(OK + b"\r\nhello")
            await taken.wait()
            await connection.reset()

        async with listening(resets) as upstream:
            provider = HttpProvider(upstream.endpoint())
            reply = await provider.send(call(stream=True))
            assert await reply.chunk() == b"hello"
            taken.set()
            with pytest.raises(ProviderFailure) as failed:
                await reply.chunk()
            assert failed.value.kind == "cut"
            await provider.close()

    run(test())


def test_a_reply_by_the_end_of_the_connection_is_whole_though_the_call_has_not_gone_out(run: Run) -> None:
    async def test() -> None:
        async def reads_nothing_more(connection: Connection) -> None:
            await connection.head()
            await connection.send(b"HTTP/1.1 413 Too Large\r\n\r\ntoo large")
            connection.end()
            await left.wait()

        left = asyncio.Event()
        async with listening(reads_nothing_more) as upstream:
            provider = HttpProvider(upstream.endpoint())
            reply = await provider.send(call(b"x" * 20_000_000))
            assert (reply.status, await reply.body()) == (413, b"too large")
            left.set()
            await provider.close()

    run(test())


def test_headers_come_as_they_are_but_for_the_space_around_them(run: Run) -> None:
    head = b"A:\r\nb: \r\nC:  x \t \r\nnbsp: caf\xc3\xa0\r\nlatin: caf\xe9\r\nx-twice: 1\r\nX-Twice: 2\r\n"

    async def test() -> None:
        async def says(connection: Connection) -> None:
            await connection.request()
            await connection.send(OK + head + LENGTH + b"\r\nhello")

        async with listening(says) as upstream:
            provider = HttpProvider(upstream.endpoint())
            reply = await provider.send(call())
            found = {"a": "", "b": "", "c": "x", "nbsp": "caf\xc3\xa0", "latin": "caf\xe9", "x-twice": "1", "content-length": "5"}
            assert reply.headers == found
            await provider.close()

    run(test())


def test_trailers_are_no_headers(run: Run) -> None:
    async def test() -> None:
        async def says(connection: Connection) -> None:
            await connection.request()
            await connection.begin_stream()
            await connection.send(b"5\r\nhello\r\n0\r\nretry-after: 1\r\n\r\n")

        async with listening(says) as upstream:
            provider = HttpProvider(upstream.endpoint())
            reply = await provider.send(call())
            assert await reply.body() == b"hello"
            assert "retry-after" not in reply.headers
            await provider.close()

    run(test())


# without a socket


class Wire:
    """What a line needs of a transport."""

    def __init__(self) -> None:
        self.closing = False

    def is_closing(self) -> bool:
        return self.closing

    def abort(self) -> None:
        self.closing = True

    def write(self, data: bytes) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0

    def get_extra_info(self, _name: str) -> None:
        return None


@dataclass
class Heard:
    """What a line tells."""

    status: int = 0
    headers: Mapping[bytes, bytes] = field(default_factory=dict)
    body: bytes = b""
    ends: list[str | None] = field(default_factory=list)

    def begun(self, status: int, headers: Mapping[bytes, bytes]) -> None:
        self.status, self.headers = status, dict(headers)

    def take(self, piece: bytes) -> None:
        self.body += piece

    def over(self, problem: str | None, why: str = "") -> None:
        self.ends.append(problem)


def heard(pieces: Sequence[bytes]) -> tuple[Heard, bool]:
    """What is told of a reply in these pieces and then the end, and whether the connection is kept for the next call."""
    kept: list[Line] = []
    line, wire, listener = Line(kept.append, lambda line: None), Wire(), Heard()
    line.connection_made(wire)  # type: ignore[arg-type]
    line.send(b"", b"", listener)
    for piece in pieces:
        if not wire.closing:
            line.data_received(piece)
    is_kept = bool(kept) and line.open
    if not wire.closing:
        line.eof_received()
    line.connection_lost(None)
    return listener, is_kept


@given(
    st.sampled_from([wire for wire, _, _ in WHOLE.values()] + [*CUT.values()] + [wire for wire in MALFORMED.values() if len(wire) < 200]),
    st.data(),
)
def test_a_reply_is_the_same_however_it_is_cut_into_pieces(wire: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, len(wire) - 1)), max_size=8)))
    pieces = [wire[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(wire)], strict=True) if end > begin]
    whole, at_once = heard([wire])
    assert len(whole.ends) == 1
    if whole.ends == ["malformed"]:
        assert heard(pieces)[0].ends == ["malformed"]
    else:
        assert heard(pieces) == (whole, at_once)


@pytest.mark.parametrize("how", WHOLE)
def test_a_reply_is_the_same_byte_by_byte(how: str) -> None:
    wire = WHOLE[how][0]
    assert heard([wire[at : at + 1] for at in range(len(wire))]) == heard([wire])


@pytest.mark.parametrize("how", ["by its length", "in chunks", "204", "behind a 100"])
@pytest.mark.parametrize("more", [b"H", b"HTTP/1.1 2", OK, OK + LENGTH + b"\r\nhello", b"HTTP/1.1 100 Continue\r\n\r\n", b"garbage"])
@pytest.mark.parametrize("at_once", [True, False])
def test_a_connection_on_which_more_comes_than_was_asked_for_is_not_kept(how: str, more: bytes, at_once: bool) -> None:
    wire, status, _ = WHOLE[how]
    assert heard([wire])[1]
    told, kept = heard([wire + more] if at_once else [wire, more])
    assert (told.status, told.ends, kept) == (status, [None], False)
    assert heard([wire])[0] == told


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK\r\nconnection: close\r\n", b"HTTP/1.0 200 OK\r\n", b"HTTP/1.1 200 OK\r\nConnection: x, Close\r\n"]
)
def test_a_connection_that_is_to_be_closed_is_not_kept(head: bytes) -> None:
    assert not heard([head + LENGTH + b"\r\nhello"])[1]


def test_a_connection_of_http_1_0_is_kept_where_it_says_so() -> None:
    assert heard([b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\n" + LENGTH + b"\r\nhello"])[1]
