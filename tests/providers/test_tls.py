"""HttpProvider over TLS: an upstream whose certificate nobody vouches for gets neither the secret nor the words."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import certifi
import pytest

from providers.raw_upstream import call
from tierline.providers.http import HttpProvider
from tierline.types.access import Endpoint
from tierline.types.errors import ProviderFailure
from valkeys import certificate

OK = b'{"choices":[]}'


class Secure:
    """An upstream that speaks TLS by a certificate of its own; `heard` is what came through, once it was trusted."""

    def __init__(self, folder: Path) -> None:
        self.heard = b""
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate(folder), folder / "key.pem")

    @contextlib.asynccontextmanager
    async def listening(self, host: str = "localhost") -> AsyncIterator[Endpoint]:
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0, ssl=self._context)
        port = server.sockets[0].getsockname()[1]
        async with server:
            yield Endpoint("secure", base_url=f"https://{host}:{port}/v1", secret="s3cret")

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            self.heard += await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(OK) + OK)
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await writer.drain()
        writer.close()


async def sent_to(endpoint: Endpoint) -> bytes:
    provider = HttpProvider(endpoint)
    try:
        reply = await provider.send(call())
        whole = b""
        while (piece := await reply.chunk()) is not None:
            whole += piece
        return whole
    finally:
        await provider.close()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_said(tmp_path: Path, host: str) -> None:
    async def test() -> None:
        upstream = Secure(tmp_path)
        async with upstream.listening(host) as endpoint:
            with pytest.raises(ProviderFailure) as failed:
                await sent_to(endpoint)
        assert failed.value.kind == "connect" and upstream.heard == b""
        assert "s3cret" not in failed.value.message

    asyncio.run(asyncio.wait_for(test(), 20))


def test_the_authorities_are_a_list_of_many() -> None:
    assert Path(certifi.where()).read_text().count("BEGIN CERTIFICATE") > 50
