"""The reference: a plain reverse proxy on the gateway's own server and client, which decides nothing.

python -m bench.proxy LISTEN_PORT UPSTREAM_PORT
"""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from typing import Any

import aiohttp
import uvloop

from tierline.server.listen import Embedded, bind


class Proxy:
    """Passes a body on and an answer back."""

    def __init__(self, upstream: int) -> None:
        self._url = f"http://127.0.0.1:{upstream}"
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, scope: Any, protocol: Any) -> None:
        """One request."""
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0)
            self._session = aiohttp.ClientSession(connector=connector, skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"))
        body = await protocol()
        headers = {"content-type": "application/json"}
        async with self._session.post(self._url + scope.path, data=body, headers=headers, allow_redirects=False) as answer:
            if answer.content_type != "text/event-stream":
                protocol.response_bytes(answer.status, [("content-type", "application/json")], await answer.read())
                return
            transport = protocol.response_stream(answer.status, [("content-type", "text/event-stream")])
            async for chunk in answer.content.iter_any():
                await transport.send_bytes(chunk)


async def main(port: int, upstream: int) -> None:
    listener = bind("127.0.0.1", port)
    server = Embedded(Proxy(upstream), listener)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.stop)
    gc.collect()
    gc.freeze()
    await server.serve()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2])))
