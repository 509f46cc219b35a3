"""HttpProvider over TLS: an upstream whose certificate nobody vouches for gets neither the secret nor the words."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import certifi
import pytest

from providers.raw_upstream import Run, call
from tierline.providers import lines
from tierline.providers.http import HttpProvider
from tierline.types.access import Endpoint
from tierline.types.errors import ProviderFailure
from valkeys import certificate

OK = b'{"choices":[]}'
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(OK) + OK

Answering = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Secure:
    """An upstream that speaks TLS by the certificate of a folder; `heard` is what came through once it was trusted, `names` the hosts that
    were asked for, `left` how many connections have ended."""

    def __init__(self, folder: Path, answering: Answering | None = None) -> None:
        self.heard = b""
        self.names: list[str | None] = []
        self.connections = self.left = 0
        self._answering = answering or self.answers_all
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        self._context.sni_callback = lambda _socket, name, _context: self.names.append(name)

    @contextlib.asynccontextmanager
    async def listening(self, host: str = "localhost") -> AsyncIterator[Endpoint]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)
        port = server.sockets[0].getsockname()[1]
        yield Endpoint("secure", base_url=f"https://{host}:{port}/v1", secret="s3cret")
        server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            await self._answering(reader, writer)
        writer.close()
        self.left += 1

    async def answers_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            self.heard += await request(reader)
            writer.write(ANSWER)


async def request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.split(b"\r\n") if line.startswith(b"content-length: ")).removeprefix(b"content-length: ")
    return head + await reader.readexactly(int(length))


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the certificate of localhost and 127.0.0.1."""
    folder = tmp_path_factory.mktemp("trusted")
    certificate(folder, "DNS:localhost,IP:127.0.0.1")
    return folder


@pytest.fixture
def vouched(trusted: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, where it is the one that is trusted."""
    monkeypatch.setattr(certifi, "where", lambda: str(trusted / "cert.pem"))
    return trusted


async def sent_to(endpoint: Endpoint, *, stream: bool = False) -> bytes:
    provider = HttpProvider(endpoint)
    try:
        reply = await provider.send(call(stream=stream))
        whole = b""
        while (piece := await reply.chunk()) is not None:
            whole += piece
        return whole
    finally:
        await provider.close()


async def until(holds: Callable[[], bool]) -> None:
    while not holds():
        await asyncio.sleep(0.001)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_said(run: Run, tmp_path: Path, host: str) -> None:
    async def test() -> None:
        certificate(tmp_path)
        upstream = Secure(tmp_path)
        async with upstream.listening(host) as endpoint:
            with pytest.raises(ProviderFailure) as failed:
                await sent_to(endpoint)
        assert failed.value.kind == "connect" and upstream.heard == b""
        assert "s3cret" not in failed.value.message

    run(test())


@pytest.mark.parametrize(("host", "name"), [("localhost", "localhost"), ("LOCALHOST", "localhost"), ("127.0.0.1", None)])
def test_a_certificate_of_the_host_is_trusted_and_its_connection_kept(run: Run, vouched: Path, host: str, name: str | None) -> None:
    async def test() -> None:
        upstream = Secure(vouched)
        async with upstream.listening(host) as endpoint:
            provider = HttpProvider(endpoint)
            for _ in range(3):
                assert await (await provider.send(call())).body() == OK
            assert (upstream.names, upstream.connections) == ([name], 1)
            assert upstream.heard.count(b"authorization: Bearer s3cret\r\n") == 3
            await provider.close()
            await until(lambda: upstream.left == 1)

    run(test())


@pytest.mark.parametrize("host", ["localhost.localdomain.test", "127.0.0.2"])
def test_a_certificate_of_another_host_is_refused_before_anything_is_said(run: Run, vouched: Path, host: str) -> None:
    async def test() -> None:
        asked = asyncio.get_running_loop().getaddrinfo
        asyncio.get_running_loop().getaddrinfo = lambda _host, *rest, **more: asked("127.0.0.1", *rest, **more)  # type: ignore[method-assign]
        upstream = Secure(vouched)
        async with upstream.listening(host) as endpoint:
            with pytest.raises(ProviderFailure) as failed:
                await sent_to(endpoint)
        assert (failed.value.kind, upstream.heard) == ("connect", b"")
        assert "it is another's" in failed.value.message
        assert host not in failed.value.message

    run(test())


def test_a_port_that_speaks_no_tls_is_a_failure_to_connect(run: Run, vouched: Path) -> None:
    async def test() -> None:
        async def speaks_plainly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(speaks_plainly, "127.0.0.1", 0)
        async with server:
            with pytest.raises(ProviderFailure) as failed:
                await sent_to(Endpoint("up", base_url=f"https://localhost:{server.sockets[0].getsockname()[1]}/v1"))
        assert failed.value.kind == "connect"

    run(test())


@pytest.mark.parametrize("how", ["cancelled", "late"])
def test_a_handshake_that_is_given_up_lets_go_of_the_upstream(run: Run, vouched: Path, how: str) -> None:
    async def test() -> None:
        shaking, left = asyncio.Event(), asyncio.Event()

        async def says_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readexactly(1)
            shaking.set()
            with contextlib.suppress(ConnectionError):
                while await reader.read(65536):
                    pass
            left.set()
            writer.close()

        server = await asyncio.start_server(says_nothing, "127.0.0.1", 0)
        async with server:
            address = f"https://localhost:{server.sockets[0].getsockname()[1]}/v1"
            provider = HttpProvider(Endpoint("up", base_url=address, connect_timeout=0.3 if how == "late" else 10.0))
            sending = asyncio.create_task(provider.send(call()))
            await shaking.wait()
            if how == "cancelled":
                sending.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await sending
            else:
                with pytest.raises(ProviderFailure) as failed:
                    await sending
                assert failed.value.kind == "connect"
            await left.wait()
            await provider.close()

    run(test())


def test_a_call_that_is_cancelled_as_its_handshake_ends_lets_go_of_the_whole_connection(
    run: Run, vouched: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test() -> None:
        lost = asyncio.Event()

        class Noting(lines.Line):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                super().connection_made(transport)
                sending.cancel()

            def connection_lost(self, exc: Exception | None) -> None:
                super().connection_lost(exc)
                lost.set()

        monkeypatch.setattr(lines, "Line", Noting)
        upstream = Secure(vouched)
        async with upstream.listening() as endpoint:
            provider = HttpProvider(endpoint)
            sending = asyncio.create_task(provider.send(call()))
            with pytest.raises(asyncio.CancelledError):
                await sending
            await asyncio.wait_for(lost.wait(), 5)
            await until(lambda: upstream.left == 1)
            assert upstream.heard == b""
            await provider.close()

    run(test())


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("farewell", [True, False])
def test_a_body_by_the_end_of_the_connection_is_whole_only_if_the_upstream_said_goodbye(
    run: Run, vouched: Path, farewell: bool, stream: bool
) -> None:
    """Anybody on the way can end a connection, but none other can say so within it."""

    async def test() -> None:
        async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await request(reader)
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + OK)
            if not farewell:
                await asyncio.sleep(0.01)  # uvloop writes when the turn is over
                with socket.socket(fileno=os.dup(writer.get_extra_info("socket").fileno())) as beneath:
                    beneath.shutdown(socket.SHUT_WR)
                await reader.read()

        async with Secure(vouched, answers).listening() as endpoint:
            if farewell:
                assert await sent_to(endpoint, stream=stream) == OK
            else:
                with pytest.raises(ProviderFailure) as failed:
                    await sent_to(endpoint, stream=stream)
                assert failed.value.kind == "cut"

    run(test())


def test_a_kept_connection_that_the_upstream_closed_is_replaced_without_a_failure(run: Run, vouched: Path) -> None:
    async def test() -> None:
        async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await request(reader)
            writer.write(ANSWER)

        upstream = Secure(vouched, once)
        async with upstream.listening() as endpoint:
            provider = HttpProvider(endpoint)
            for _ in range(5):
                assert await (await provider.send(call())).body() == OK
            assert upstream.connections == 5
            await provider.close()

    run(test())


def test_a_big_call_and_a_big_answer_come_whole(run: Run, vouched: Path) -> None:
    big = bytes(range(256)) * 20_000

    async def test() -> None:
        async def echoes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for _ in range(2):
                body = (await request(reader)).partition(b"\r\n\r\n")[2]
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)

        upstream = Secure(vouched, echoes)
        async with upstream.listening() as endpoint:
            provider = HttpProvider(endpoint)
            assert await (await provider.send(call(big))).body() == big
            reply = await provider.send(call(big, stream=True))
            await until(lambda: reply._held > 1 << 20)  # type: ignore[attr-defined]
            assert b"".join([piece async for piece in pieces_of(reply)]) == big
            assert upstream.connections == 1
            await provider.close()

    run(test())


async def pieces_of(reply: object) -> AsyncIterator[bytes]:
    while (piece := await reply.chunk()) is not None:  # type: ignore[attr-defined]
        yield piece


def test_the_authorities_are_read_once_and_off_the_loop(run: Run, vouched: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read_by: list[threading.Thread] = []
    reads = lines._context

    def noted() -> ssl.SSLContext:
        read_by.append(threading.current_thread())
        return reads()

    monkeypatch.setattr(lines, "_context", noted)

    async def test() -> None:
        upstream = Secure(vouched)
        async with upstream.listening() as endpoint:
            provider = HttpProvider(endpoint)
            await asyncio.gather(*(provider.send(call()) for _ in range(5)))
            assert upstream.connections == 5
            await provider.close()

    run(test())
    [thread] = read_by
    assert thread is not threading.main_thread()


def test_the_authorities_are_a_list_of_many() -> None:
    assert Path(certifi.where()).read_text().count("BEGIN CERTIFICATE") > 50
