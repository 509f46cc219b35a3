"""A reply that was never on a network: its bytes are known beforehand, its pauses are played."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from tierline.types.errors import ProviderFailure

Sleep = Callable[[float], Awaitable[object]]


class CannedReply:
    """Gives `pieces` one by one, `pause` seconds before each but the first; then the end, or `failure` if there is one."""

    def __init__(
        self,
        pieces: Sequence[bytes],
        *,
        sleep: Sleep,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        pause: float = 0.0,
        failure: ProviderFailure | None = None,
    ) -> None:
        self.status = status
        self.headers: Mapping[str, str] = headers or {"content-type": "application/json"}
        self.closed = False
        self._pieces = list(reversed(pieces))
        self._first = True
        self._sleep = sleep
        self._pause = pause
        self._failure = failure

    async def body(self) -> bytes:
        """Everything, joined; raises the failure if there is one."""
        whole = []
        while (piece := await self.chunk()) is not None:
            whole.append(piece)
        return b"".join(whole)

    async def chunk(self) -> bytes | None:
        """The next piece; None at the end."""
        if self._pieces:
            if self._pause and not self._first:
                await self._sleep(self._pause)
            self._first = False
            return self._pieces.pop()
        if self._failure is not None:
            raise self._failure
        return None

    async def close(self) -> None:
        """Nothing is left to give."""
        self.closed = True
        self._pieces.clear()
        self._failure = None
