"""HttpProvider over real sockets: what goes out, what comes back, and every way in which an upstream can fail."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import socket

import pytest

from providers.raw_upstream import Connection, Handler, Received, Run, call, listening
from tierline.providers.http import HttpProvider
from tierline.testing.checks import check_provider
from tierline.types.access import Endpoint
from tierline.types.errors import ProviderFailure
from tierline.types.wire import Call

OK = b'{"choices":[]}'


async def fails(handle: Handler, sent: Call, **endpoint: object) -> ProviderFailure:
    """The failure of one call, be it of the reply or of its body."""
    async with listening(handle) as upstream:
        provider = HttpProvider(upstream.endpoint(**endpoint))
        try:
            with pytest.raises(ProviderFailure) as failed:
                reply = await provider.send(sent)
                while await reply.chunk() is not None:
                    pass
            return failed.value
        finally:
            await provider.close()


async def answers_all(connection: Connection) -> None:
    while True:
        await connection.request()
        await connection.answer(OK)


def test_it_keeps_the_laws_of_a_provider(run: Run) -> None:
    async def either(connection: Connection) -> None:
        while True:
            if b"stream" not in (await connection.request()).body:
                await connection.answer(OK)
                continue
            await connection.begin_stream()
            await connection.piece(b"data: 1\n\n")
            await asyncio.sleep(0)
            await connection.piece(b"data: [DONE]\n\n")
            await connection.end_stream()

    async def test() -> None:
        async with listening(either) as upstream:
            await check_provider(lambda: HttpProvider(upstream.endpoint()), call(), call(b'{"stream":true}', stream=True))

    run(test())


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [("bearer", "authorization", "Bearer s3cret"), ("x-api-key", "x-api-key", "s3cret"), ("none", "authorization", None)],
)
def test_a_call_carries_body_secret_and_headers(run: Run, auth: str, header: str, value: str | None) -> None:
    got: list[Received] = []

    async def note(connection: Connection) -> None:
        got.append(await connection.request())
        await connection.answer(OK, headers="X-Request-Id: up-1\r\nRetry-After: 2\r\n")

    async def test() -> None:
        async with listening(note) as upstream:
            provider = HttpProvider(upstream.endpoint(secret="s3cret", auth=auth, headers=(("OpenAI-Organization", "org-1"),)))
            reply = await provider.send(call(request_id="req-1", headers=(("x-extra", "1"),)))
            assert (reply.status, await reply.body()) == (200, OK)
            assert reply.headers["x-request-id"] == "up-1"
            assert reply.headers["retry-after"] == "2"
            await provider.close()

    run(test())
    (received,) = got
    assert received.line == "POST /v1/chat/completions HTTP/1.1"
    assert received.body == b'{"model":"gpt-5-mini"}'
    assert received.headers.get(header) == value
    expected = {"content-type": "application/json", "x-request-id": "req-1", "x-extra": "1", "openai-organization": "org-1"}
    assert expected.items() <= received.headers.items()


def test_each_door_has_its_own_address_secret_and_connections(run: Run) -> None:
    async def note(connection: Connection) -> None:
        while True:
            received = await connection.request()
            await connection.answer(received.headers["authorization"].encode())

    async def test() -> None:
        async with listening(note) as one, listening(note) as other:
            addresses = (f"http://127.0.0.1:{one.port}/v1", f"http://127.0.0.1:{other.port}/v1")
            endpoint = one.endpoint(base_urls=addresses, secrets=("s3cret-a", "s3cret-b"), auth="bearer")
            provider = HttpProvider(endpoint)
            said = [await (await provider.send(call(door=door.name))).body() for door in endpoint.doors]
            assert said == [b"Bearer s3cret-a", b"Bearer s3cret-b"] * 2
            assert (one.connections, other.connections) == (2, 2)
            assert await (await provider.send(call(door="of another spec"))).body() == b"Bearer s3cret-a"
            assert "s3cret" not in f"{endpoint!r} {endpoint.doors!r} {provider!r}"
            await provider.close()

    run(test())


def test_one_connection_serves_call_after_call(run: Run) -> None:
    async def test() -> None:
        async with listening(answers_all) as upstream:
            provider = HttpProvider(upstream.endpoint())
            for _ in range(5):
                assert await (await provider.send(call())).body() == OK
            assert upstream.connections == 1
            await provider.close()

    run(test())


def test_calls_at_one_time_share_one_client_and_mix_nothing_up(run: Run) -> None:
    async def echo(connection: Connection) -> None:
        while True:
            await connection.answer((await connection.request()).body)

    async def test() -> None:
        async with listening(echo) as upstream:
            provider = HttpProvider(upstream.endpoint())

            async def one(number: int) -> None:
                body = b"%d" % number * 1000
                assert await (await provider.send(call(body))).body() == body

            await asyncio.gather(*map(one, range(50)))
            await provider.close()

    run(test())


def test_a_stream_comes_piece_by_piece_as_it_is_sent(run: Run) -> None:
    async def test() -> None:
        more = asyncio.Event()

        async def stream(connection: Connection) -> None:
            await connection.request()
            await connection.begin_stream()
            await connection.piece(b"data: 1\n\n")
            await more.wait()
            await connection.piece(b"data: 2\n\n")
            await connection.end_stream()

        async with listening(stream) as upstream:
            provider = HttpProvider(upstream.endpoint())
            reply = await provider.send(call(stream=True))
            assert await reply.chunk() == b"data: 1\n\n"
            more.set()
            assert await reply.chunk() == b"data: 2\n\n"
            assert await reply.chunk() is None
            await provider.close()

    run(test())


def test_a_big_body_comes_whole(run: Run) -> None:
    big = bytes(range(256)) * 20_000

    async def test() -> None:
        async def answer(connection: Connection) -> None:
            assert len((await connection.request()).body) == len(big)
            await connection.answer(big)

        async with listening(answer) as upstream:
            provider = HttpProvider(upstream.endpoint())
            assert await (await provider.send(call(big))).body() == big
            await provider.close()

    run(test())


def test_a_compressed_answer_is_unpacked(run: Run) -> None:
    async def test() -> None:
        async def zipped(connection: Connection) -> None:
            await connection.request()
            await connection.answer(gzip.compress(OK), headers="content-encoding: gzip\r\n")

        async with listening(zipped) as upstream:
            provider = HttpProvider(upstream.endpoint())
            assert await (await provider.send(call())).body() == OK
            await provider.close()

    run(test())


@pytest.mark.parametrize("status", ["302 Found", "400 Bad Request", "429 Too Many Requests", "503 Service Unavailable"])
def test_any_status_is_a_reply_and_no_redirect_is_followed(run: Run, status: str) -> None:
    async def test() -> None:
        async def answer(connection: Connection) -> None:
            await connection.request()
            await connection.answer(b"{}", status=status, headers="location: /elsewhere\r\nretry-after: 7\r\n")

        async with listening(answer) as upstream:
            provider = HttpProvider(upstream.endpoint())
            reply = await provider.send(call())
            assert (reply.status, reply.headers["retry-after"], await reply.body()) == (int(status[:3]), "7", b"{}")
            assert upstream.connections == 1
            await provider.close()

    run(test())


def test_environment_proxies_are_not_used(run: Run) -> None:
    with socket.socket() as nobody, pytest.MonkeyPatch.context() as environment:
        nobody.bind(("127.0.0.1", 0))
        environment.setenv("HTTP_PROXY", f"http://127.0.0.1:{nobody.getsockname()[1]}")
        environment.setenv("http_proxy", f"http://127.0.0.1:{nobody.getsockname()[1]}")

        async def test() -> None:
            async with listening(answers_all) as upstream:
                provider = HttpProvider(upstream.endpoint())
                assert await (await provider.send(call())).body() == OK
                await provider.close()

        run(test())


# faults


def test_nobody_listening_is_a_failure_to_connect(run: Run) -> None:
    async def test() -> None:
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            provider = HttpProvider(Endpoint("up", base_url=f"http://127.0.0.1:{nobody.getsockname()[1]}", secret="s3cret"))
            with pytest.raises(ProviderFailure) as failed:
                await provider.send(call())
            assert failed.value.kind == "connect"
            assert "s3cret" not in failed.value.message
            assert "127.0.0.1" not in failed.value.message
            await provider.close()

    run(test())


async def resets(connection: Connection) -> None:
    await connection.request()
    await connection.reset()


async def closes(connection: Connection) -> None:
    await connection.request()


async def speaks_garbage(connection: Connection) -> None:
    await connection.request()
    await connection.send(b"SSH-2.0-OpenSSH\r\n\r\n")


async def cuts_body(connection: Connection) -> None:
    await connection.request()
    await connection.send(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf of it")


async def cuts_stream(connection: Connection) -> None:
    await connection.request()
    await connection.begin_stream()
    await connection.piece(b"data: 1\n\n")


async def resets_stream(connection: Connection) -> None:
    await cuts_stream(connection)
    await asyncio.sleep(0.02)
    await connection.reset()


async def cuts_within_chunk(connection: Connection) -> None:
    await connection.request()
    await connection.begin_stream()
    await connection.send(b"ff\r\ndata: ")


async def stays_silent(connection: Connection) -> None:
    await connection.request()
    await connection.gone()


async def stalls(connection: Connection) -> None:
    await connection.request()
    await connection.begin_stream()
    await connection.piece(b"data: 1\n\n")
    await connection.gone()


async def heads_and_stalls(connection: Connection) -> None:
    await connection.request()
    await connection.begin_stream()
    await connection.gone()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("handle", "kind"),
    [
        (resets, "connect"),
        (closes, "connect"),
        (speaks_garbage, "malformed"),
        (cuts_body, "cut"),
        (cuts_stream, "cut"),
        (resets_stream, "cut"),
        (cuts_within_chunk, "cut"),
    ],
)
def test_every_fault_has_its_class(run: Run, handle: Handler, kind: str, stream: bool) -> None:
    async def test() -> None:
        failure = await fails(handle, call(stream=stream))
        assert failure.kind == kind
        assert "127.0.0.1" not in failure.message

    run(test())


@pytest.mark.parametrize(
    ("handle", "sent", "idle", "kind"),
    [
        (stays_silent, call(timeout=0.05), 60.0, "timeout"),
        (stays_silent, call(timeout=0.05, stream=True), 60.0, "timeout"),
        (heads_and_stalls, call(timeout=0.05, stream=True), 60.0, "timeout"),
        (stalls, call(timeout=0.05), 60.0, "timeout"),
        (stalls, call(timeout=5.0, stream=True), 0.05, "idle"),
    ],
)
def test_silence_that_lasts_too_long_is_a_timeout_or_within_a_stream_idle(
    run: Run, handle: Handler, sent: Call, idle: float, kind: str
) -> None:
    async def test() -> None:
        failure = await fails(handle, sent, idle_timeout=idle)
        assert failure.kind == kind

    run(test())


def test_each_call_has_its_own_limit_whatever_those_beside_it_have(run: Run) -> None:
    async def test() -> None:
        given_up = asyncio.Event()

        async def waits(connection: Connection) -> None:
            patient = (await connection.request()).body == b"patient"
            await (given_up.wait() if patient else connection.gone())
            await connection.answer(OK)

        async with listening(waits) as upstream:
            provider = HttpProvider(upstream.endpoint())
            patient = asyncio.create_task(provider.send(call(b"patient", timeout=15.0)))
            hasty = [asyncio.create_task(provider.send(call(timeout=limit))) for limit in (0.06, 0.02, 0.04)]
            for sending in hasty:
                with pytest.raises(ProviderFailure) as failed:
                    await sending
                assert failed.value.kind == "timeout"
            assert not patient.done()
            given_up.set()
            assert await (await patient).body() == OK
            await provider.close()

    run(test())


def test_a_slow_first_byte_within_the_timeout_is_waited_for_whatever_the_idle_timeout(run: Run) -> None:
    async def test() -> None:
        async def slow(connection: Connection) -> None:
            await connection.request()
            await asyncio.sleep(0.15)
            await connection.begin_stream()
            await connection.piece(b"data: 1\n\n")
            await connection.end_stream()

        async with listening(slow) as upstream:
            provider = HttpProvider(upstream.endpoint(idle_timeout=0.05))
            reply = await provider.send(call(stream=True))
            assert await reply.chunk() == b"data: 1\n\n"
            assert await reply.chunk() is None
            await provider.close()

    run(test())


def test_a_reader_that_takes_its_time_is_not_a_silent_upstream(run: Run) -> None:
    async def test() -> None:
        async def stream(connection: Connection) -> None:
            await connection.request()
            await connection.begin_stream()
            await connection.piece(b"data: 1\n\n")
            await connection.gone()

        async with listening(stream) as upstream:
            provider = HttpProvider(upstream.endpoint(idle_timeout=0.05))
            reply = await provider.send(call(stream=True))
            assert await reply.chunk() == b"data: 1\n\n"
            await asyncio.sleep(0.15)
            with pytest.raises(ProviderFailure) as failed:
                await reply.chunk()
            assert failed.value.kind == "idle"
            await reply.close()
            await provider.close()

    run(test())


def test_a_kept_connection_that_the_upstream_closed_is_replaced_without_a_failure(run: Run) -> None:
    async def once(connection: Connection) -> None:
        await connection.request()
        await connection.answer(OK)

    async def test() -> None:
        async with listening(once) as upstream:
            provider = HttpProvider(upstream.endpoint())
            for _ in range(10):
                assert await (await provider.send(call())).body() == OK
            assert upstream.connections == 10
            await provider.close()

    run(test())


@pytest.mark.parametrize(("stale", "sent"), [(60.0, 3), (0.0, 2)])
def test_a_call_on_a_kept_connection_that_breaks_is_sent_anew_only_if_the_upstream_has_not_had_it_for_long(
    run: Run, stale: float, sent: int
) -> None:
    async def test() -> None:
        received = []

        async def breaks_at_the_second(connection: Connection) -> None:
            received.append(await connection.request())
            await connection.answer(OK)
            received.append(await connection.request())

        async with listening(breaks_at_the_second) as upstream:
            provider = HttpProvider(upstream.endpoint(), stale=stale)
            assert await (await provider.send(call())).body() == OK
            if sent == 3:
                assert await (await provider.send(call())).body() == OK
            else:
                with pytest.raises(ProviderFailure) as failed:
                    await provider.send(call())
                assert failed.value.kind == "connect"
            assert (len(received), upstream.connections) == (sent, sent - 1)
            await provider.close()

    run(test())


def test_a_header_with_a_line_break_is_never_sent(run: Run) -> None:
    async def test() -> None:
        async with listening(answers_all) as upstream:
            provider = HttpProvider(upstream.endpoint(secret="s3cret\r\nx-admin: 1"))
            with pytest.raises(ProviderFailure) as failed:
                await provider.send(call())
            assert "s3cret" not in failed.value.message
            assert upstream.connections == 0
            await provider.close()

    run(test())


def test_headers_of_an_interim_reply_are_not_those_of_the_reply(run: Run) -> None:
    async def test() -> None:
        async def hints_first(connection: Connection) -> None:
            await connection.request()
            await connection.send(b"HTTP/1.1 103 Early Hints\r\nx-early: 1\r\n\r\n")
            await connection.answer(OK, headers="x-late: 1\r\n")

        async with listening(hints_first) as upstream:
            provider = HttpProvider(upstream.endpoint())
            reply = await provider.send(call())
            assert (reply.status, "x-early" in reply.headers, "x-late" in reply.headers) == (200, False, True)
            await provider.close()

    run(test())


@pytest.mark.parametrize("how", ["chunk", "body"])
def test_a_stream_that_outruns_its_reader_comes_whole(run: Run, how: str) -> None:
    pieces = [bytes([number]) * 65_536 for number in range(100)]

    async def test() -> None:
        async def floods(connection: Connection) -> None:
            await connection.request()
            await connection.begin_stream()
            for piece in pieces:
                await connection.piece(piece)
            await connection.end_stream()

        async with listening(floods) as upstream:
            provider = HttpProvider(upstream.endpoint())
            reply = await provider.send(call(stream=True))
            for _ in range(200):
                await asyncio.sleep(0)
            got = b""
            while how == "chunk" and (piece := await reply.chunk()) is not None:
                got += piece
            assert (got if how == "chunk" else await reply.body()) == b"".join(pieces)
            await provider.close()

    run(test())


def test_a_provider_serves_one_loop_after_another(run: Run) -> None:
    async def first(made: list[HttpProvider]) -> None:
        async with listening(answers_all) as upstream:
            made.append(HttpProvider(upstream.endpoint()))
            assert await (await made[0].send(call())).body() == OK

    async def second(provider: HttpProvider) -> None:
        with pytest.raises(ProviderFailure) as failed:
            await provider.send(call())
        assert failed.value.kind == "connect"
        await provider.close()

    made: list[HttpProvider] = []
    run(first(made))
    run(second(made[0]))


# cancellation


@pytest.mark.parametrize("stream", [False, True])
def test_a_cancelled_call_lets_go_of_the_upstream_at_once(run: Run, stream: bool) -> None:
    async def test() -> None:
        asked, left = asyncio.Event(), asyncio.Event()

        async def waits(connection: Connection) -> None:
            await connection.request()
            asked.set()
            await connection.gone()
            left.set()

        async with listening(waits) as upstream:
            provider = HttpProvider(upstream.endpoint())
            sending = asyncio.create_task(provider.send(call(stream=stream)))
            await asked.wait()
            sending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sending
            await asyncio.wait_for(left.wait(), 2)
            await provider.close()

    run(test())


@pytest.mark.parametrize("how", ["close", "cancel and close"])
def test_a_stream_that_is_left_early_lets_go_of_the_upstream_at_once(run: Run, how: str) -> None:
    async def test() -> None:
        left = asyncio.Event()

        async def endless(connection: Connection) -> None:
            await connection.request()
            await connection.begin_stream()
            await connection.piece(b"data: 1\n\n")
            await connection.gone()
            left.set()

        async with listening(endless) as upstream:
            provider = HttpProvider(upstream.endpoint())
            reply = await provider.send(call(stream=True))
            assert await reply.chunk() == b"data: 1\n\n"
            if how == "cancel and close":
                reading = asyncio.create_task(reply.chunk())
                await asyncio.sleep(0)
                reading.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await reading
            await reply.close()
            await reply.close()
            await asyncio.wait_for(left.wait(), 2)
            await provider.close()

    run(test())


def test_a_cancellation_from_outside_is_never_taken_for_a_timeout(run: Run) -> None:
    async def test() -> None:
        async with listening(stays_silent) as upstream:
            provider = HttpProvider(upstream.endpoint())
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.03):
                    await provider.send(call(timeout=5))
            current = asyncio.current_task()
            assert current is not None
            assert current.cancelling() == 0
            await provider.close()

    run(test())


def test_after_a_timeout_the_task_goes_on_uncancelled(run: Run) -> None:
    async def test() -> None:
        async with listening(stays_silent) as upstream:
            provider = HttpProvider(upstream.endpoint())
            with pytest.raises(ProviderFailure):
                await provider.send(call(timeout=0.02))
            current = asyncio.current_task()
            assert current is not None
            assert current.cancelling() == 0
            await asyncio.sleep(0)
            await provider.close()

    run(test())


def test_a_closed_provider_answers_again_when_asked(run: Run) -> None:
    async def test() -> None:
        async with listening(answers_all) as upstream:
            provider = HttpProvider(upstream.endpoint())
            for _ in range(2):
                assert await (await provider.send(call())).body() == OK
                await provider.close()

    run(test())
