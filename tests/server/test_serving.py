"""Connections as the server holds them: how many, how long, and how they end."""

from __future__ import annotations

import asyncio

import pytest

from server.raw import PLAIN, Client, echo, play, served
from tierline.server.connection import LINGER
from tierline.server.incoming import Incoming

GET = b"GET /a HTTP/1.1\r\nhost: x\r\n\r\n"
IDLE = 60.0


async def answered(client: Client) -> None:
    client.send(GET)
    assert (await client.answer()).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("sent", "more"),
    [(b"", b""), (b"GET /a HT", b"TP"), (GET[:-2] + b"x: ", b"y"), (GET, b"")],
    ids=["nothing", "half a line", "a header that drips", "idle after an answer"],
)
def test_a_client_that_sends_no_request_is_waited_for_as_long_as_allowed(sent: bytes, more: bytes) -> None:
    async def story() -> None:
        async with served(echo, idle=IDLE) as server:
            client = await server.client()
            await answered(client)
            client.send(sent)
            if sent == GET:
                await client.answer()
            await answered(await server.client())  # so that what was sent is there
            server.serving.sweep(1000.0)
            server.serving.sweep(1000.0 + IDLE)
            if more:
                client.send(more)
                await answered(await server.client())
            server.serving.sweep(1001.0 + IDLE)
            assert await client.rest() == b""

    play(story())


def test_a_request_in_time_is_given_its_time_anew() -> None:
    async def story() -> None:
        async with served(echo, idle=IDLE) as server:
            client = await server.client()
            for at in (0.0, 50.0, 100.0, 150.0):
                server.serving.sweep(at)
                await answered(client)

    play(story())


def test_a_request_may_take_its_time_but_its_client_must_take_the_answer() -> None:
    async def story() -> None:
        cancelled, full = asyncio.Event(), asyncio.Event()

        async def answer(incoming: Incoming) -> None:
            incoming.begin(200, PLAIN)
            try:
                while True:
                    sending = asyncio.ensure_future(incoming.send(b"a" * 100_000))
                    await asyncio.sleep(0)
                    if not sending.done():
                        full.set()
                    await sending
            except asyncio.CancelledError:
                cancelled.set()

        async with served(answer, idle=IDLE) as server:
            client = await server.client()
            client.send(GET)
            await client.until(b"\r\n\r\n")
            await full.wait()
            server.serving.sweep(0.0)
            server.serving.sweep(1.0 + IDLE)
            await cancelled.wait()

    play(story())


def test_a_request_that_is_being_answered_is_not_swept() -> None:
    async def story() -> None:
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def answer(incoming: Incoming) -> None:
            begun.set()
            await go_on.wait()
            incoming.reply(200, PLAIN, b"")

        async with served(answer, idle=IDLE) as server:
            client = await server.client()
            client.send(GET)
            await begun.wait()
            server.serving.sweep(0.0)
            server.serving.sweep(10 * IDLE)
            go_on.set()
            assert (await client.answer()).startswith(b"HTTP/1.1 200")

    play(story())


def test_who_goes_on_sending_after_its_last_answer_is_listened_to_for_a_moment_only() -> None:
    async def story() -> None:
        async def refuse(incoming: Incoming) -> None:
            incoming.reply(401, PLAIN, b"no")

        async with served(refuse, connections=1, idle=IDLE) as server:
            client = await server.client()
            client.send(b"POST / HTTP/1.1\r\ncontent-length: 100\r\n\r\na")
            assert (await client.rest()).startswith(b"HTTP/1.1 401")
            server.serving.sweep(0.0)
            server.serving.sweep(LINGER + 0.1)
            other = await server.client()  # the first one's place is free, although it did not close
            other.send(GET)
            assert (await other.answer()).startswith(b"HTTP/1.1 401")

    play(story())


def test_more_connections_than_allowed_wait_until_one_ends() -> None:
    async def story() -> None:
        async with served(echo, connections=2) as server:
            first, second, third = [await server.client() for _ in range(3)]
            await answered(first)
            await answered(second)
            third.send(GET)
            waiting = asyncio.ensure_future(third.answer())
            for _ in range(20):
                await answered(first)
            assert not waiting.done()
            second.writer.close()
            assert (await waiting).startswith(b"HTTP/1.1 200")

    play(story())


def test_a_server_that_is_about_to_stop_says_so_with_each_answer() -> None:
    async def story() -> None:
        async with served(echo) as server:
            client = await server.client()
            await answered(client)
            server.serving.leaving = True
            client.send(GET)
            assert b"connection: close" in await client.rest()
            assert b"connection: close" in await server.said(GET), "new connections are still taken"

    play(story())


def test_stopping_ends_what_is_idle_and_waits_for_what_is_not() -> None:
    async def story() -> None:
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def answer(incoming: Incoming) -> None:
            if incoming.path == "/stream":
                incoming.begin(200, PLAIN)
            begun.set()
            await go_on.wait()
            if incoming.path == "/stream":
                await incoming.send(b"to the end")
                incoming.end()
            else:
                incoming.reply(200, PLAIN, b"done")

        async with served(answer) as server:
            idle, whole, stream = [await server.client() for _ in range(3)]
            for client, sent in ((whole, GET), (stream, b"GET /stream HTTP/1.1\r\n\r\n")):
                begun.clear()
                client.send(sent)
                await begun.wait()
            server.serving.stop()
            assert await idle.rest() == b"" and not server.task.done()
            go_on.set()
            said = await whole.rest()
            assert b"connection: close" in said and said.endswith(b"done")
            assert (await stream.rest()).endswith(b"to the end\r\n0\r\n\r\n")
            await server.task

    play(story())


def test_a_server_that_is_cancelled_leaves_no_connection() -> None:
    async def story() -> None:
        begun, cancelled = asyncio.Event(), asyncio.Event()

        async def answer(incoming: Incoming) -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.set()

        async with served(answer) as server:
            client = await server.client()
            client.send(GET)
            await begun.wait()
            server.serving.stop()
            server.task.cancel()
            await cancelled.wait()
            assert await client.rest() == b""

    play(story())
