"""The reference: a plain reverse proxy on the gateway's own server and client, which decides nothing.

python -m bench.proxy LISTEN_PORT UPSTREAM_PORT
"""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from datetime import timedelta
from typing import Any

import uvloop
from pyreqwest.client import ClientBuilder

from tierline.server.listen import Embedded, bind


class Proxy:
    """Passes a body on and an answer back."""

    def __init__(self, upstream: int) -> None:
        self._url = f"http://127.0.0.1:{upstream}"
        self._client = ClientBuilder().http1_only().no_proxy().tcp_nodelay(True).timeout(timedelta(seconds=60)).build()

    async def __call__(self, scope: Any, protocol: Any) -> None:
        """One request."""
        body = await protocol()
        request = (
            self._client.post(self._url + scope.path)
            .header("content-type", "application/json")
            .body_bytes(body)
            .streamed_read_buffer_limit(1)
        )
        if b'"stream": true' not in body:
            answer = await request.build().send()
            protocol.response_bytes(answer.status, [("content-type", "application/json")], bytes(await answer.bytes()))
            return
        async with request.build_streamed() as answer:
            transport = protocol.response_stream(answer.status, [("content-type", "text/event-stream")])
            reader = answer.body_reader
            while (chunk := await reader.read_chunk()) is not None:
                await transport.send_bytes(bytes(chunk))


async def main(port: int, upstream: int) -> None:
    listener = bind("127.0.0.1", port)
    server = Embedded(Proxy(upstream), listener)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.stop)
    gc.collect()
    gc.freeze()
    await server.serve()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2])))
