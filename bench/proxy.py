"""The reference: a plain reverse proxy on the gateway's own server and client, which decides nothing.

python -m bench.proxy LISTEN_PORT UPSTREAM_PORT
"""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from typing import Any

import uvloop
import wreq

from tierline.server.listen import Embedded, bind


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
