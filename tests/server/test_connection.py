"""Requests and answers over one connection, byte for byte."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.raw import LIMIT, PLAIN, body_of, echo, play, served
from tierline.server.connection import MAX_HEADERS, MOST_AHEAD, target_of
from tierline.server.incoming import Incoming

GET = b"GET /a HTTP/1.1\r\nhost: x\r\n"
CLOSE = b"connection: close\r\n\r\n"
POST = b"POST /b HTTP/1.1\r\nhost: x\r\n"
CHUNKED = POST + b"transfer-encoding: chunked\r\n\r\n"


def test_a_whole_answer_tells_its_length_and_the_connection_goes_on() -> None:
    async def story() -> None:
        async with served(echo) as server:
            client = await server.client()
            for number in range(3):
                client.send(b"POST /a?n=%d HTTP/1.1\r\ncontent-length: 2\r\n\r\nhi" % number)
                head, _, body = (await client.answer()).partition(b"\r\n\r\n")
                lines = head.split(b"\r\n")
                assert lines[:2] == [b"HTTP/1.1 200 OK", b"content-type: text/plain"] and lines[2].endswith(b" GMT")
                assert lines[3:] == [b"content-length: 14"] and body == b"POST /a n=%d hi" % number

    play(story())


def test_the_answer_to_head_tells_the_length_and_has_no_body() -> None:
    async def story() -> None:
        async with served(echo) as server:
            said = await server.said(b"HEAD /a HTTP/1.1\r\n" + CLOSE)
            assert b"content-length: 9\r\n" in said and said.endswith(b"connection: close\r\n\r\n")

    play(story())


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_tells_no_length(status: int) -> None:
    async def story() -> None:
        async def answer(incoming: Incoming) -> None:
            incoming.reply(status, PLAIN, b"")

        async with served(answer) as server:
            said = await server.said(GET + CLOSE)
            assert said.startswith(b"HTTP/1.1 %d " % status) and b"content-length" not in said and said.endswith(b"\r\n\r\n")

    play(story())


def test_a_status_without_a_name_is_said_too() -> None:
    async def story() -> None:
        async def answer(incoming: Incoming) -> None:
            incoming.reply(529, PLAIN, b"overloaded")

        async with served(answer) as server:
            assert (await server.said(GET + CLOSE)).startswith(b"HTTP/1.1 529 \r\ncontent-type")

    play(story())


async def streaming(incoming: Incoming) -> None:
    incoming.begin(200, PLAIN)
    for piece in (b"one", b"", b"t" * 20):
        await incoming.send(piece)
    incoming.end()
    incoming.end()


def test_a_stream_comes_in_chunks_and_the_connection_goes_on() -> None:
    async def story() -> None:
        async with served(streaming) as server:
            client = await server.client()
            for _ in range(2):
                client.send(GET + b"\r\n")
                assert b"transfer-encoding: chunked\r\n\r\n" in await client.until(b"\r\n\r\n")
                assert await client.until(b"0\r\n\r\n") == b"3\r\none\r\n14\r\n" + b"t" * 20 + b"\r\n0\r\n\r\n"

    play(story())


def test_http_1_0_gets_no_chunks_and_keeps_its_connection_only_if_it_asks() -> None:
    async def story() -> None:
        async with served(streaming) as server:
            said = await server.said(b"GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n")
            assert b"chunked" not in said and b"connection: close" in said and body_of(said) == b"one" + b"t" * 20
        async with served(echo) as server:
            assert body_of(await server.said(b"GET / HTTP/1.0\r\n\r\n")) == b"GET /  "
            client = await server.client()
            for _ in range(2):
                client.send(b"GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n")
                assert b"connection: keep-alive\r\n" in await client.answer()

    play(story())


def test_a_line_break_in_a_header_splits_no_answer() -> None:
    async def story() -> None:
        async def answer(incoming: Incoming) -> None:
            incoming.reply(
                200, [("x-a", "1\r\nset-cookie: a=b\r\n\r\n<html>"), ("x-b", "2\nx-c: 3"), ("x-d", "4\rx-e: 5"), ("x-f", "ü→")], b"ok"
            )

        async with served(answer) as server:
            said = await server.said(GET + CLOSE)
            head, _, body = said.partition(b"\r\n\r\n")
            names = [line.partition(b":")[0] for line in head.split(b"\r\n")[1:]]
            assert names == [b"x-a", b"x-b", b"x-d", b"x-f", b"date", b"content-length", b"connection"] and body == b"ok"
            assert head.count(b"\n") == head.count(b"\r") == len(names) and b"x-f: \xfc?" in head

    play(story())


def test_requests_that_come_together_are_answered_in_order_one_at_a_time() -> None:
    async def story() -> None:
        going: list[str] = []
        most = 0

        async def answer(incoming: Incoming) -> None:
            nonlocal most
            going.append(incoming.path)
            most = max(most, len(going))
            body = await incoming.body(LIMIT)
            await asyncio.sleep(0)
            going.remove(incoming.path)
            incoming.reply(200, PLAIN, incoming.path.encode() + b" " + body)

        async with served(answer) as server:
            client = await server.client()
            client.send(b"".join([b"POST /%d HTTP/1.1\r\ncontent-length: 3\r\n\r\nn%02d" % (n, n) for n in range(20)]))
            for number in range(20):
                assert body_of(await client.answer()) == b"/%d n%02d" % (number, number)
            client.send(GET + CLOSE)
            assert body_of(await client.rest()) == b"/a "
            assert most == 1

    play(story())


def test_of_more_requests_than_may_wait_those_that_were_taken_are_answered() -> None:
    async def story() -> None:
        async with served(echo) as server:
            said = await server.said(b"".join([b"GET /%d HTTP/1.1\r\n\r\n" % n for n in range(200)]))
            assert said.count(b"HTTP/1.1 200 OK") == MOST_AHEAD + 1 and said.count(b"connection: close") == 1
            assert body_of(said).startswith(b"GET /0") and said.endswith(b"GET /%d  " % MOST_AHEAD)

    play(story())


def test_a_client_that_waits_to_be_told_to_send_its_body_is_told_once_somebody_reads() -> None:
    async def story() -> None:
        async with served(echo) as server:
            client = await server.client()
            client.send(POST + b"content-length: 5\r\nexpect: 100-continue\r\n\r\n")
            assert await client.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            client.send(b"hello")
            assert body_of(await client.answer()) == b"POST /b  hello"
            client.send(POST + b"content-length: %d\r\nexpect: 100-continue\r\n\r\n" % (LIMIT + 1))
            assert (await client.rest()).startswith(b"HTTP/1.1 413"), "told no, and not to go on"

    play(story())


def test_bodies_in_chunks_and_in_single_bytes_are_whole() -> None:
    async def story() -> None:
        async with served(echo) as server:
            client = await server.client()
            sent = CHUNKED + b"3;ext=1\r\nabc\r\nA\r\n0123456789\r\n0\r\nx-trailer: 1\r\n\r\n"
            for byte in sent + sent:
                client.send(bytes([byte]))
                await asyncio.sleep(0)
            for _ in range(2):
                assert body_of(await client.answer()) == b"POST /b  abc0123456789"

    play(story())


def test_a_trailer_is_no_header_of_this_request_nor_of_the_next() -> None:
    async def story() -> None:
        seen: list[Any] = []

        async def answer(incoming: Incoming) -> None:
            await incoming.body(LIMIT)
            seen.append(dict(incoming.headers))
            incoming.reply(200, PLAIN, b"")

        async with served(answer) as server:
            await server.said(CHUNKED + b"1\r\na\r\n0\r\nauthorization: Bearer boss\r\n\r\n" + GET + CLOSE)
            assert seen == [{"host": "x", "transfer-encoding": "chunked"}, {"host": "x", "connection": "close"}]

    play(story())


def test_of_a_repeated_header_the_first_counts_and_what_is_not_ascii_is_none() -> None:
    async def story() -> None:
        seen: list[Any] = []

        async def answer(incoming: Incoming) -> None:
            seen.append(dict(incoming.headers))
            incoming.reply(200, PLAIN, b"")

        async with served(answer) as server:
            await server.said(b"GET / HTTP/1.1\r\nX-Key:  one \t\r\nx-key: two\r\nX-Name: \xe4\r\nx-empty:\r\n" + CLOSE)
            assert seen == [{"x-key": "one", "x-name": None, "x-empty": "", "connection": "close"}]

    play(story())


def test_a_large_body_arrives_as_it_was_sent() -> None:
    async def story() -> None:
        body = bytes(range(256)) * 32 * 1024  # 8 MB
        got: list[bool] = []

        async def answer(incoming: Incoming) -> None:
            got.append(await incoming.body(len(body)) == body)
            incoming.reply(200, PLAIN, body)

        async with served(answer) as server:
            client = await server.client()
            for _ in range(2):
                client.send(POST + b"content-length: %d\r\n\r\n" % len(body) + body)
                assert body_of(await client.answer()) == body
            assert got == [True, True]

    play(story())


def test_a_client_learns_that_its_body_is_too_large_although_it_still_sends() -> None:
    async def story() -> None:
        async with served(echo) as server:
            for head, piece in (
                (POST + b"content-length: 5000000\r\n\r\n", b"a" * 1000),
                (CHUNKED, b"3e8\r\n" + b"a" * 1000 + b"\r\n"),
            ):
                client = await server.client()
                client.send(head + piece * 4000)
                said = await client.rest()
                assert said.startswith(b"HTTP/1.1 413") and b"connection: close" in said and said.endswith(b"too large")

    play(story())


def test_an_answer_before_the_body_has_come_is_the_connections_last() -> None:
    async def story() -> None:
        async def refuse(incoming: Incoming) -> None:
            incoming.reply(401, PLAIN, b"no")

        async with served(refuse) as server:
            client = await server.client()
            client.send(POST + b"content-length: 100\r\n\r\nabc")
            assert (await client.rest()).startswith(b"HTTP/1.1 401")
            client = await server.client()
            client.send(POST + b"content-length: 3\r\n\r\nabc")
            assert b"connection: close" not in await client.answer(), "its body is here, so it may go on"

    play(story())


def test_nobody_reads_so_no_more_is_taken() -> None:
    async def story() -> None:
        begun, read_on = asyncio.Event(), asyncio.Event()
        held: list[Incoming] = []

        async def answer(incoming: Incoming) -> None:
            held.append(incoming)
            begun.set()
            await read_on.wait()
            incoming.reply(200, PLAIN, str(len(await incoming.body(10**8))).encode())

        async with served(answer) as server:
            client = await server.client()
            client.send(POST + b"content-length: 50000000\r\n\r\n" + b"a" * 50_000_000)
            await begun.wait()
            before = -1
            while held[0].unread != before:  # until nothing comes any more
                before = held[0].unread
                for _ in range(50):
                    await asyncio.sleep(0)
            assert 0 < held[0].unread < 1_000_000
            read_on.set()
            assert body_of(await client.answer()) == b"50000000"

    play(story())


def test_a_client_that_takes_nothing_makes_the_stream_wait() -> None:
    async def story() -> None:
        sent = 0
        full = asyncio.Event()

        async def answer(incoming: Incoming) -> None:
            nonlocal sent
            incoming.begin(200, PLAIN)
            for _ in range(1000):
                sending = asyncio.ensure_future(incoming.send(b"a" * 100_000))
                await asyncio.sleep(0)
                if not sending.done():
                    full.set()
                await sending
                sent += 1
            incoming.end()

        async with served(answer) as server:
            client = await server.client()
            client.send(GET + CLOSE)
            await full.wait()
            assert sent < 1000
            said = await client.rest()
            assert sent == 1000 and said.count(b"a") > 100_000_000 and said.endswith(b"0\r\n\r\n")

    play(story())


def test_a_client_that_takes_no_answers_gets_no_more_of_them() -> None:
    async def story() -> None:
        begun, large = 0, b"a" * 5_000_000

        async def answer(incoming: Incoming) -> None:
            nonlocal begun
            begun += 1
            incoming.reply(200, PLAIN, large)

        async with served(answer) as server:
            client, other = await server.client(), await server.client()
            client.writer.transport.pause_reading()  # type: ignore[attr-defined]
            for number in range(30):
                client.send(b"GET /%d HTTP/1.1\r\n\r\n" % number)
                for _ in range(20):
                    await asyncio.sleep(0)
            other.send(GET + b"\r\n")
            await other.answer()
            assert begun < 10
            client.writer.transport.resume_reading()  # type: ignore[attr-defined]
            for _ in range(30):
                assert body_of(await client.answer()) == large

    play(story())


def test_a_client_that_goes_away_ends_its_request() -> None:
    async def story() -> None:
        begun, ended = asyncio.Event(), asyncio.Event()
        after: list[str] = []

        async def answer(incoming: Incoming) -> None:
            if incoming.path == "/stream":
                incoming.begin(200, PLAIN)
            begun.set()
            try:
                await (incoming.body(LIMIT) if incoming.path == "/body" else asyncio.Event().wait())
            except asyncio.CancelledError:
                incoming.reply(200, PLAIN, b"to nobody")
                incoming.end()
                try:
                    await incoming.send(b"to nobody")
                except ConnectionResetError:
                    after.append(incoming.path)
                ended.set()

        async with served(answer) as server:
            for sent in (
                b"GET /whole HTTP/1.1\r\n\r\n",
                b"GET /stream HTTP/1.1\r\n\r\n",
                b"POST /body HTTP/1.1\r\ncontent-length: 9\r\n\r\nabc",
            ):
                client = await server.client()
                client.send(sent)
                await begun.wait()
                client.writer.close()
                await ended.wait()
                begun.clear()
                ended.clear()
            assert after == ["/whole", "/stream", "/body"]

    play(story())


def test_a_request_that_nobody_answers_ends_with_its_connection() -> None:
    async def story() -> None:
        async def answer(incoming: Incoming) -> None:
            if incoming.path == "/begun":
                incoming.begin(200, PLAIN)
            incoming.abandon()

        async with served(answer) as server:
            assert await server.said(GET + b"\r\n") == b""
            assert not (await server.said(b"GET /begun HTTP/1.1\r\n\r\n")).endswith(b"0\r\n\r\n"), (
                "a cut answer is not taken for a whole one"
            )

    play(story())


def test_nothing_is_upgraded_and_no_tunnel_is_dug() -> None:
    async def story() -> None:
        async with served(echo) as server:
            client = await server.client()
            websocket = GET + b"connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\r\n"
            h2c = POST + b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\ncontent-length: 2\r\n\r\nhi"
            chunked = POST + b"connection: upgrade\r\nupgrade: h2c\r\ntransfer-encoding: chunked\r\n\r\n2\r\nho\r\n0\r\n\r\n"
            sent = websocket + h2c + chunked + websocket
            said = [b"GET /a  ", b"POST /b  hi", b"POST /b  ho", b"GET /a  "]
            client.send(sent)
            assert [body_of(await client.answer()) for _ in range(4)] == said
            for byte in sent:
                client.send(bytes([byte]))
                await asyncio.sleep(0)
            assert [body_of(await client.answer()) for _ in range(4)] == said
            client.send(h2c[:-2] + b"no" + (POST + b"x: " + b"a" * 60_000 + b"\r\ncontent-length: 2\r\n\r\nhi") * 2)
            assert [body_of(await client.answer()) for _ in range(3)] == [b"POST /b  no", b"POST /b  hi", b"POST /b  hi"]
            client.send(GET + CLOSE)
            assert (await client.rest()).startswith(b"HTTP/1.1 200")
            assert b"connection: close" in await server.said(b"CONNECT example.org:443 HTTP/1.1\r\nhost: x\r\n\r\n" + GET)
            assert (await server.said(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")).startswith(b"HTTP/1.1 400")

    play(story())


HOSTILE = {
    "a length beside chunks": POST + b"content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "chunks beside a length": POST + b"transfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "two lengths": POST + b"content-length: 3\r\ncontent-length: 3\r\n\r\nabc",
    "an empty length": POST + b"content-length:\r\n\r\nabc",
    "a coding that is not chunked": POST + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "a coding that is not ASCII": POST + b"transfer-encoding: \xff, chunked\r\n\r\n0\r\n\r\n",
    "two codings": POST + b"transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks in HTTP/1.0": CHUNKED.replace(b"1.1", b"1.0") + b"0\r\n\r\n",
    "a folded header": GET + b"a: b\r\n c\r\n\r\n",
    "lines that end in LF": b"GET / HTTP/1.1\nhost: x\n\n",
    "a bare CR": GET + b"a: b\rc: d\r\n\r\n",
    "NUL": GET + b"a: \x00\r\n\r\n",
    "a name with a space": GET + b"a b: c\r\n\r\n",
    "no name": GET + b": c\r\n\r\n",
    "a target with a space": b"GET /a b HTTP/1.1\r\n\r\n",
    "no version": b"GET /\r\n\r\n",
    "HTTP/2 as HTTP/1": b"GET / HTTP/2.0\r\n\r\n",
    "an unknown method": b"FOO / HTTP/1.1\r\n\r\n",
    "too many headers": GET + b"".join([b"x-%d: 1\r\n" % n for n in range(200)]) + b"\r\n",
    "a head that is too long": GET + b"x: " + b"a" * 2 * MAX_HEADERS + b"\r\n\r\n",
    "a target that is too long": b"GET /" + b"a" * 2 * MAX_HEADERS + b" HTTP/1.1\r\n\r\n",
}
SPOILT = {
    "a size that is no number": b"zz\r\n",
    "a size with a sign": b"+3\r\nabc\r\n0\r\n\r\n",
    "a size with a space": b" 3\r\nabc\r\n0\r\n\r\n",
    "a size past all numbers": b"fffffffffffffffff\r\nabc",
    "a chunk longer than its size": b"3\r\nabcd\r\n0\r\n\r\n",
    "LF behind a size": b"3\nabc\r\n0\r\n\r\n",
    "an endless extension": b"3;" + b"a" * 200_000,
    "an endless trailer": b"0\r\nx: " + b"a" * 200_000,
    "trailers without end": b"0\r\n" + b"".join([b"x-%d: 1\r\n" % n for n in range(30_000)]),
}


@pytest.mark.parametrize("sent", HOSTILE.values(), ids=HOSTILE)
def test_what_can_be_read_in_two_ways_is_refused_and_reaches_nobody(sent: bytes) -> None:
    async def story() -> None:
        asked: list[str] = []

        async def answer(incoming: Incoming) -> None:
            asked.append(incoming.path)
            await echo(incoming)

        async with served(answer) as server:
            alone = await server.said(sent)
            assert alone[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 431") and b'"code":"bad_request"' in alone and asked == []
            behind = await server.said(GET + b"\r\n" + sent + GET + b"\r\n")
            assert behind.startswith(b"HTTP/1.1 200") and behind.count(b"HTTP/1.1 ") == 2 and behind.endswith(body_of(alone))
            assert asked == ["/a"]

    play(story())


@pytest.mark.parametrize("sent", SPOILT.values(), ids=SPOILT)
def test_a_body_that_cannot_be_read_is_told_to_who_reads_it(sent: bytes) -> None:
    async def story() -> None:
        async with served(echo) as server:
            said = await server.said(CHUNKED + b"1\r\na\r\n" + sent + GET + b"\r\n")
            assert said.startswith(b"HTTP/1.1 400") and b"broken: " in said and b"connection: close" in said
            assert said.count(b"HTTP/1.1 ") == 1

    play(story())


@pytest.mark.parametrize("room", [MAX_HEADERS - 200, 100])
def test_a_long_head_is_read_however_it_comes(room: int) -> None:
    async def story() -> None:
        async with served(echo) as server:
            long = POST + b"x: " + b"a" * room + b"\r\ncontent-length: 90000\r\n\r\n" + b"b" * 90_000
            client = await server.client()
            client.send(long * 4)
            for _ in range(4):
                assert len(body_of(await client.answer())) == 90_009
            assert (await server.said(GET + b"x: " + b"a" * MAX_HEADERS + b"\r\n\r\n")).startswith(b"HTTP/1.1 431")
            client.send(GET + b"x: " + b"a" * (MAX_HEADERS // 2))
            await asyncio.sleep(0)
            client.send(b"a" * MAX_HEADERS)
            assert (await client.rest()).startswith(b"HTTP/1.1 431")

    play(story())


@given(st.lists(st.integers(1, 400), max_size=30))
@settings(max_examples=40, deadline=None)
def test_where_the_pieces_are_cut_changes_nothing(cuts: list[int]) -> None:
    sent = GET + b"\r\n" + POST + b"content-length: 4\r\n\r\nabcd" + CHUNKED + b"3\r\nabc\r\n0\r\n\r\n" + GET + CLOSE

    async def story() -> None:
        async with served(echo) as server:
            client, at = await server.client(), 0
            for cut in cuts:
                client.send(sent[at : at + cut])
                at += cut
                await asyncio.sleep(0)
            client.send(sent[at:])
            said = await client.rest()
            bodies = [part.partition(b"\r\n\r\n")[2] for part in said.split(b"HTTP/1.1 200 OK")[1:]]
            assert bodies == [b"GET /a  ", b"POST /b  abcd", b"POST /b  abc", b"GET /a  "]

    play(story())


SOUND = GET + b"\r\n" + POST + b"content-length: 4\r\n\r\nabcd" + CHUNKED + b"3\r\nabc\r\n0\r\nx: y\r\n\r\n" + GET + CLOSE


@given(
    st.lists(st.tuples(st.integers(0, len(SOUND)), st.integers(0, 8), st.binary(max_size=8)), min_size=1, max_size=4), st.integers(1, 100)
)
@settings(max_examples=60, deadline=None)
def test_whatever_comes_the_server_lives_and_lets_go(changes: list[tuple[int, int, bytes]], cut: int) -> None:
    sent = SOUND
    for at, lost, put in changes:
        sent = sent[:at] + put + sent[at + lost :]

    async def story() -> None:
        async with served(echo) as server:
            client = await server.client()
            for at in range(0, len(sent), cut):
                client.send(sent[at : at + cut])
                await asyncio.sleep(0)
            client.writer.write_eof()
            await client.rest()
            assert body_of(await server.said(GET + CLOSE)) == b"GET /a  "

    play(story())


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/a?b#c", "/a", "b"),
        ("/a#c", "/a", ""),
        ("/a??b", "/a", "?b"),
        ("/a?x=%41", "/a", "x=%41"),
        ("/a+b%2Bc", "/a+b+c", ""),
        ("/%2541", "/%41", ""),
        ("/%ff", "/\ufffd", ""),
        ("/%C3%A4", "/ä", ""),
        ("/a%zz%2", "/a%zz%2", ""),
        ("//a", "//a", ""),
        ("*", "*", ""),
        ("http://x/health?x=1", "/health", "x=1"),
        ("HTTP://x:80", "/", ""),
        ("http://x?y=/1", "/", "y=/1"),
    ],
)
def test_targets_are_decoded_once(target: str, path: str, query: str) -> None:
    assert target_of(target.encode()) == (path, query)
