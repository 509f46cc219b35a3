"""Connections: opened, kept, closed and let go of, at whatever moment a call ends."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import os
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from providers.raw_upstream import Connection, Run, call, listening
from tierline.providers import lines
from tierline.providers.http import HttpProvider
from tierline.providers.http_reply import HELD
from tierline.types.access import Endpoint
from tierline.types.errors import ProviderFailure
from tierline.types.wire import Reply

OK = b'{"choices":[]}'


async def answers_all(connection: Connection) -> None:
    while True:
        await connection.request()
        await connection.answer(OK)


async def failure(provider: HttpProvider, **changes: object) -> ProviderFailure:
    with pytest.raises(ProviderFailure) as failed:
        await provider.send(call(**changes))
    return failed.value


async def whole(reply: Reply) -> bytes:
    pieces = []
    while (piece := await reply.chunk()) is not None:
        pieces.append(piece)
    return b"".join(pieces)


async def until(holds: Callable[[], bool]) -> None:
    """Lets the loop turn until this holds."""
    while not holds():
        await asyncio.sleep(0.001)


def sockets() -> int:
    """How many sockets this process holds."""
    found = 0
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            found += str(descriptor.readlink()).startswith("socket:")
    return found


@contextlib.asynccontextmanager
async def deaf(backlog: int = 0) -> AsyncIterator[int]:
    """A port where no connection is ever made: the system's queue of it is full."""
    with socket.socket() as listener, contextlib.ExitStack() as queued:
        listener.bind(("127.0.0.1", 0))
        listener.listen(backlog)
        for _ in range(backlog + 2):
            waits = queued.enter_context(socket.socket())
            waits.setblocking(False)
            waits.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


needs_linux = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="the system does not say which sockets there are")


# opening


@needs_linux
@pytest.mark.parametrize("turns", [0, 1, 2, 3, 4, 5, 6, 8, 12])
def test_a_call_that_is_cancelled_while_it_connects_leaves_no_socket(run: Run, turns: int) -> None:
    async def test() -> None:
        async with listening(answers_all) as upstream:
            provider = HttpProvider(upstream.endpoint())
            before = sockets()
            for host in ("127.0.0.1", "localhost"):
                provider = HttpProvider(Endpoint("up", base_url=f"http://{host}:{upstream.port}/v1"))
                sending = asyncio.create_task(provider.send(call()))
                for _ in range(turns):
                    await asyncio.sleep(0)
                sending.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await sending
                await provider.close()
            await upstream.all_gone()
            await until(lambda: sockets() <= before)

    run(test())


@needs_linux
@pytest.mark.parametrize(("connect_timeout", "timeout", "kind"), [(0.05, 5.0, "connect"), (5.0, 0.05, "timeout")])
def test_a_connection_that_is_never_made_is_given_up_and_leaves_no_socket(
    run: Run, connect_timeout: float, timeout: float, kind: str
) -> None:
    async def test() -> None:
        async with deaf() as port:
            provider = HttpProvider(Endpoint("up", base_url=f"http://127.0.0.1:{port}/v1", connect_timeout=connect_timeout))
            before = sockets()
            failed = await failure(provider, timeout=timeout)
            assert (failed.kind, "0.05 s" in failed.message) == (kind, True)
            assert sockets() == before
            await provider.close()

    run(test())


@pytest.mark.parametrize("host", ["no-such-host.invalid", "xn--.invalid", f"{'ü' * 64}.invalid", f"{'x' * 64}.invalid"])
def test_a_name_that_leads_nowhere_is_a_failure_to_connect(run: Run, host: str) -> None:
    async def test() -> None:
        provider = HttpProvider(Endpoint("up", base_url=f"http://{host}/v1"))
        failed = await failure(provider)
        assert failed.kind == "connect"
        assert host not in failed.message
        await provider.close()

    run(test())


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_an_address_of_ipv6_is_reached_by_its_brackets(run: Run) -> None:
    async def test() -> None:
        hosts = []

        async def note(connection: Connection) -> None:
            hosts.append((await connection.request()).headers["host"])
            await connection.answer(OK)

        try:
            listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
        except OSError:
            pytest.skip("no IPv6 here")
        async with listening(note, listener) as upstream:
            provider = HttpProvider(Endpoint("up", base_url=f"http://[::1]:{upstream.port}/v1"))
            assert await (await provider.send(call())).body() == OK
            assert hosts == [f"[::1]:{upstream.port}"]
            await provider.close()

    run(test())


def finds(*ports: int) -> list[object]:
    """Lets every name below `invalid` lead to these ports; gives what was looked up, as it is."""
    looked_up: list[object] = []
    numbers = asyncio.get_running_loop().getaddrinfo

    async def found(*asked: Any, **how: Any) -> list[Any]:
        if not str(asked[0]).endswith(".invalid"):  # uvloop reads numbers by it too
            return await numbers(*asked, **how)
        looked_up.append(asked)
        await asyncio.sleep(0)
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port)) for port in ports]

    asyncio.get_running_loop().getaddrinfo = found  # type: ignore[method-assign]
    return looked_up


def test_a_host_whose_first_address_does_not_answer_is_reached_by_its_second(run: Run) -> None:
    async def test() -> None:
        async with listening(answers_all) as upstream, deaf() as port:
            looked_up = finds(port, upstream.port)
            provider = HttpProvider(Endpoint("up", base_url="http://up.invalid/v1"))
            assert await (await provider.send(call())).body() == OK
            assert looked_up == [("up.invalid", 80)]
            await provider.close()

    run(test())


def test_calls_that_begin_together_look_the_host_up_once(run: Run) -> None:
    async def test() -> None:
        async with listening(answers_all) as upstream:
            looked_up = finds(upstream.port)
            provider = HttpProvider(Endpoint("up", base_url="http://up.invalid/v1"))
            replies = await asyncio.gather(*(provider.send(call()) for _ in range(20)))
            assert [await reply.body() for reply in replies] == [OK] * 20
            assert (looked_up, upstream.connections) == ([("up.invalid", 80)], 20)
            await provider.close()

    run(test())


@pytest.mark.parametrize(("known", "times"), [(60.0, 1), (-1.0, 3)])
def test_it_is_known_for_a_while_where_a_host_is(run: Run, monkeypatch: pytest.MonkeyPatch, known: float, times: int) -> None:
    monkeypatch.setattr(lines, "IDLE", -1.0)
    monkeypatch.setattr(lines, "KNOWN", known)

    async def test() -> None:
        async with listening(answers_all) as upstream:
            looked_up = finds(upstream.port)
            provider = HttpProvider(Endpoint("up", base_url="http://up.invalid/v1"))
            for _ in range(3):
                assert await (await provider.send(call())).body() == OK
            assert (len(looked_up), upstream.connections) == (times, 3)
            await provider.close()

    run(test())


def test_a_connection_that_the_system_gives_up_is_a_failure_to_connect_and_no_timeout(run: Run) -> None:
    async def test() -> None:
        async def gives_up(*_: object) -> None:
            raise TimeoutError(errno.ETIMEDOUT, "to 127.0.0.1")

        asyncio.get_running_loop().sock_connect = gives_up  # type: ignore[method-assign]
        provider = HttpProvider(Endpoint("up", base_url="http://127.0.0.1:1/v1"))
        failed = await failure(provider, timeout=1.0)
        assert (failed.kind, "127.0.0.1" in failed.message) == ("connect", False)
        assert os.strerror(errno.ETIMEDOUT) in failed.message
        await provider.close()

    run(test())


def test_a_host_that_cannot_be_reached_any_more_is_looked_up_anew(run: Run) -> None:
    async def test() -> None:
        async with listening(answers_all) as upstream:
            with socket.socket() as nobody:
                nobody.bind(("127.0.0.1", 0))
                looked_up = finds(nobody.getsockname()[1])
                provider = HttpProvider(Endpoint("up", base_url="http://up.invalid/v1"))
                assert (await failure(provider)).kind == "connect"
            moved = finds(upstream.port)
            assert await (await provider.send(call())).body() == OK
            assert (len(looked_up), len(moved)) == (1, 1)
            await provider.close()

    run(test())


def test_what_is_sent_goes_out_at_once(run: Run) -> None:
    """Nagle's algorithm would hold the end of a call back until its beginning is acknowledged."""

    async def test() -> None:
        async with listening(answers_all) as upstream:
            provider = HttpProvider(upstream.endpoint())
            await provider.send(call())
            [way] = provider._ways.values()
            assert way._lines is not None
            line = way._lines.free()
            assert line is not None
            option = line._transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            assert option
            line.abort()
            await provider.close()

    run(test())


# keeping


def test_bytes_that_nobody_asked_for_end_a_kept_connection(run: Run) -> None:
    async def test() -> None:
        async def says_more(connection: Connection) -> None:
            await connection.request()
            await connection.answer(OK)
            await more.wait()
            await connection.send(b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n")
            await connection.gone()

        more = asyncio.Event()
        async with listening(says_more) as upstream:
            provider = HttpProvider(upstream.endpoint())
            assert await (await provider.send(call())).body() == OK
            more.set()
            await upstream.all_gone()
            reply = await provider.send(call())
            assert (reply.status, await reply.body(), upstream.connections) == (200, OK, 2)
            await provider.close()

    run(test())


def test_the_beginning_of_another_reply_is_not_taken_for_that_of_the_next_call(run: Run) -> None:
    async def test() -> None:
        async def smuggles(connection: Connection) -> None:
            while True:
                await connection.request()
                await connection.send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\nx-smuggled: ")

        async with listening(smuggles) as upstream:
            provider = HttpProvider(upstream.endpoint())
            for number in (1, 2, 3):
                reply = await provider.send(call())
                assert (await reply.body(), dict(reply.headers), upstream.connections) == (b"{}", {"content-length": "2"}, number)
            await provider.close()

    run(test())


def test_a_connection_is_not_used_again_after_it_was_unused_for_long(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        async with listening(answers_all) as upstream:
            provider = HttpProvider(upstream.endpoint())
            for idle, connections in ((15.0, 1), (15.0, 1), (-1.0, 2)):
                monkeypatch.setattr(lines, "IDLE", idle)
                assert await (await provider.send(call())).body() == OK
                assert upstream.connections == connections
            await provider.close()
            await upstream.all_gone()

    run(test())


def test_no_more_connections_are_kept_than_may_be(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "KEPT", 3)

    async def test() -> None:
        async with listening(answers_all) as upstream:
            provider = HttpProvider(upstream.endpoint())
            await asyncio.gather(*(provider.send(call()) for _ in range(10)))
            await until(lambda: len(upstream.under_way) == 3)
            await provider.close()
            await upstream.all_gone()

    run(test())


def test_a_connection_that_the_upstream_wants_closed_is_closed(run: Run) -> None:
    async def test() -> None:
        async def wants(connection: Connection) -> None:
            await connection.request()
            await connection.answer(OK, headers="connection: close\r\n")
            await connection.gone()

        async with listening(wants) as upstream:
            provider = HttpProvider(upstream.endpoint())
            for number in (1, 2):
                assert await (await provider.send(call())).body() == OK
                assert upstream.connections == number
            await upstream.all_gone()
            await provider.close()

    run(test())


@pytest.mark.parametrize("reads_on", [True, False])
def test_an_answer_before_the_call_has_gone_out_is_taken_and_the_rest_of_the_call_is_not_sent(run: Run, reads_on: bool) -> None:
    async def test() -> None:
        read = []

        async def refuses(connection: Connection) -> None:
            await connection.head()
            await connection.answer(b"too large", status="413 Content Too Large")
            await told.wait()
            with contextlib.suppress(ConnectionError):
                read.append(await connection.gone())

        told = asyncio.Event()
        async with listening(refuses) as upstream:
            provider = HttpProvider(upstream.endpoint())
            reply = await provider.send(call(b"x" * 50_000_000))
            assert (reply.status, await reply.body()) == (413, b"too large")
            if reads_on:
                told.set()
                await upstream.all_gone()
                assert sum(read) < 50_000_000
            told.set()
            await provider.close()

    run(test())


def test_a_call_is_not_sent_to_the_end_to_one_who_says_no_more(run: Run) -> None:
    async def test() -> None:
        async def says_no_more(connection: Connection) -> None:
            await connection.head()
            connection.end()
            await known.wait()

        known = asyncio.Event()
        async with listening(says_no_more) as upstream:
            provider = HttpProvider(upstream.endpoint())
            assert (await failure(provider, body=b"x" * 50_000_000)).kind == "connect"
            known.set()
            await provider.close()

    run(test())


def test_a_connection_that_is_closed_as_soon_as_it_is_made_is_a_failure_to_connect(run: Run) -> None:
    async def test() -> None:
        async def refuses(connection: Connection) -> None:
            connection.close()

        async with listening(refuses) as upstream:
            provider = HttpProvider(upstream.endpoint())
            for _ in range(30):
                assert (await failure(provider)).kind == "connect"
            assert upstream.connections == 30
            await provider.close()

    run(test())


def test_a_call_is_sent_anew_once_and_no_more(run: Run) -> None:
    async def test() -> None:
        async def answers_the_first(connection: Connection) -> None:
            await connection.request()
            received.append(upstream.connections)
            if len(received) == 1:
                await connection.answer(OK)
                await connection.request()
                received.append(0)

        received: list[int] = []
        async with listening(answers_the_first) as upstream:
            provider = HttpProvider(upstream.endpoint())
            assert await (await provider.send(call())).body() == OK
            assert (await failure(provider)).kind == "connect"
            assert received == [1, 0, 2]
            await provider.close()

    run(test())


def test_a_call_that_breaks_with_a_byte_of_an_answer_is_not_sent_anew(run: Run) -> None:
    async def test() -> None:
        async def breaks_at_the_second(connection: Connection) -> None:
            await connection.request()
            await connection.answer(OK)
            await connection.request()
            await connection.send(b"H")

        async with listening(breaks_at_the_second) as upstream:
            provider = HttpProvider(upstream.endpoint())
            assert await (await provider.send(call())).body() == OK
            assert (await failure(provider)).kind == "cut"
            assert upstream.connections == 1
            await provider.close()

    run(test())


# letting go


def test_a_reader_that_waits_while_its_reply_is_closed_is_let_go(run: Run) -> None:
    async def test() -> None:
        async def begins(connection: Connection) -> None:
            await connection.request()
            await connection.begin_stream()
            await connection.piece(b"data: 1\n\n")
            await connection.gone()

        async with listening(begins) as upstream:
            provider = HttpProvider(upstream.endpoint())
            reply = await provider.send(call(stream=True))
            assert await reply.chunk() == b"data: 1\n\n"
            reading = asyncio.create_task(reply.chunk())
            await asyncio.sleep(0)
            await reply.close()
            assert await reading is None
            await upstream.all_gone()
            await provider.close()

    run(test())


async def floods(connection: Connection) -> None:
    await connection.request()
    await connection.begin_stream()
    for _ in range(100):
        await connection.piece(b"x" * 65_536)
    await connection.end_stream()
    await connection.request()
    await connection.answer(OK)


async def started(provider: HttpProvider) -> Reply:
    """A stream whose upstream has had to wait for its reader."""
    reply = await provider.send(call(stream=True))
    await until(lambda: reply._held > HELD)  # type: ignore[attr-defined]
    assert reply._held < 3 * HELD  # type: ignore[attr-defined]
    return reply


@pytest.mark.parametrize("how", ["chunks", "body"])
def test_a_connection_that_had_to_wait_is_kept_when_its_reply_has_come_whole(run: Run, how: str) -> None:
    async def test() -> None:
        async with listening(floods) as upstream:
            provider = HttpProvider(upstream.endpoint())
            reply = await started(provider)
            assert len(await (whole(reply) if how == "chunks" else reply.body())) == 6_553_600
            assert await (await provider.send(call())).body() == OK
            assert upstream.connections == 1
            await provider.close()

    run(test())


@pytest.mark.parametrize("how", ["close", "cancel", "provider"])
def test_a_reply_whose_upstream_has_to_wait_can_be_left(run: Run, how: str) -> None:
    async def test() -> None:
        async with listening(floods) as upstream:
            provider = HttpProvider(upstream.endpoint())
            reply = await started(provider)
            if how == "provider":
                await provider.close()
                assert len(await reply.body()) == 6_553_600
            elif how == "cancel":
                reading = asyncio.create_task(reply.body())
                await asyncio.sleep(0)
                reading.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await reading
            await reply.close()
            await upstream.all_gone()
            await provider.close()

    run(test())


def test_a_reply_that_ends_while_the_upstream_has_to_wait_comes_whole(run: Run) -> None:
    async def test() -> None:
        async def at_once(connection: Connection) -> None:
            await connection.request()
            size = 2 * HELD
            await connection.send(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % size + b"x" * size)

        async with listening(at_once) as upstream:
            provider = HttpProvider(upstream.endpoint())
            reply = await started(provider)
            await until(lambda: not upstream.under_way)
            assert await whole(reply) == b"x" * 2 * HELD
            await provider.close()

    run(test())


@pytest.mark.parametrize("stream", [True, False])
def test_nothing_is_left_in_the_loop_when_a_provider_is_closed(run: Run, stream: bool) -> None:
    async def test() -> None:
        async with listening(answers_all) as upstream:
            provider = HttpProvider(upstream.endpoint())
            await asyncio.gather(*(provider.send(call(stream=stream, timeout=3600.0)) for _ in range(3)))
            [way] = provider._ways.values()
            kept = way._lines
            assert kept is not None
            assert kept._looking is not None
            await provider.close()
            assert (kept._looking, len(kept._free), len(kept._waiting)) == (None, 0, 0)
            await upstream.all_gone()

    run(test())


def test_a_call_under_way_when_its_provider_is_closed_comes_whole_and_leaves_nothing(run: Run) -> None:
    async def test() -> None:
        async def waits(connection: Connection) -> None:
            await connection.request()
            asked.set()
            await closed.wait()
            await connection.answer(OK)
            await connection.gone()

        asked, closed = asyncio.Event(), asyncio.Event()
        async with listening(waits) as upstream:
            provider = HttpProvider(upstream.endpoint())
            sending = asyncio.create_task(provider.send(call(timeout=3600.0)))
            await asked.wait()
            [way] = provider._ways.values()
            kept = way._lines
            assert kept is not None
            await provider.close()
            assert kept._looking is not None
            closed.set()
            assert await (await sending).body() == OK
            await upstream.all_gone()
            assert kept._looking is None

    run(test())


@needs_linux
def test_a_thousand_calls_that_end_in_every_way_leave_no_socket(run: Run) -> None:
    async def test() -> None:
        async def as_told(connection: Connection) -> None:
            while True:
                how = (await connection.request()).body
                if how == b"reset":
                    await connection.reset()
                elif how == b"garbage":
                    await connection.send(b"garbage")
                elif how == b"wait":
                    await connection.gone()
                else:
                    await connection.answer(OK)

        async with listening(as_told) as upstream:
            before = sockets()
            provider = HttpProvider(upstream.endpoint())

            async def one(number: int) -> None:
                body = (b"reset", b"garbage", b"wait", b"answer", b"answer")[number % 5]
                with contextlib.suppress(ProviderFailure):
                    await provider.send(call(body, timeout=0.05 if body == b"wait" else 5.0))

            for begin in range(0, 1000, 50):
                await asyncio.gather(*map(one, range(begin, begin + 50)))
            await provider.close()
            await upstream.all_gone()
            await until(lambda: sockets() <= before)

    run(test())


def test_a_connection_and_its_parser_do_not_keep_one_another(run: Run) -> None:
    async def test() -> None:
        async with listening(answers_all) as upstream:
            provider = HttpProvider(upstream.endpoint())
            await provider.send(call())
            await provider.close()
            await upstream.all_gone()
            gc.collect()
            gc.disable()
            try:
                for _ in range(20):
                    await provider.send(call())
                    await provider.close()
                    await upstream.all_gone()
                assert not [one for one in gc.get_objects() if type(one) is lines.Line]
            finally:
                gc.enable()

    run(test())
