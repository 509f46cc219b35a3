"""The reference: a plain reverse proxy on granian and wreq, which decides nothing. The gateway has left both since; the
reference stays what it was, so that ratios of different times can be compared.

python -m bench.proxy LISTEN_PORT UPSTREAM_PORT
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
from typing import Any

import uvloop
import wreq
from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from tierline.server.listen import BACKLOG, bind


class Embedded(Server):
    """Granian in this process and event loop, on a socket that is already listening."""

    def __init__(self, target: Any, listener: socket.socket) -> None:
        host, port = listener.getsockname()[:2]
        super().__init__(
            target,
            address=host,
            port=port,
            interface=Interfaces.RSGI,
            http=HTTPModes.http1,
            websockets=False,
            backlog=BACKLOG,
            backpressure=20_000,
            log_enabled=False,
            http1_settings=HTTP1Settings(max_buffer_size=64 * 1024, header_read_timeout=75_000),
        )
        self._listener = listener

    def _init_shared_socket(self) -> None:
        # its own descriptor: granian closes it when it stops
        self._shd: Any = SocketHolder(os.dup(self._listener.fileno()), False, BACKLOG)
        self._ssp = None


class Proxy:
    """Passes a body on and an answer back."""

    def __init__(self, upstream: int) -> None:
        self._url = f"http://127.0.0.1:{upstream}"
        self._client = wreq.Client(no_proxy=True, headers={"content-type": "application/json"})

    async def __call__(self, scope: Any, protocol: Any) -> None:
        """One request."""
        body = await protocol()
        answer = await self._client.post(self._url + scope.path, body=body)
        if b'"stream": true' not in body:
            protocol.response_bytes(answer.status.as_int(), [("content-type", "application/json")], bytes(await answer.bytes()))
            return
        transport = protocol.response_stream(answer.status.as_int(), [("content-type", "text/event-stream")])
        async for chunk in answer.stream():
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
