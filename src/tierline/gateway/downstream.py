"""The client's side of a stream, as the gateway sees it: the HTTP face and the library client each bring their own."""

from __future__ import annotations

from typing import Protocol

import msgspec

from tierline.types.decision import Decision


class ClientGone(Exception):
    """The client closed its connection."""


class Opening(msgspec.Struct, frozen=True):
    """What is known when a stream commits: the decision, the model that answers, how many attempts it took, and the seconds
    spent in Tierline itself so far; `explained` is the decision in sentences, where the client wished for them; `dropped`
    names what of the request the model's dialect could not carry. Of a stream that was held for its checks its `cost` in USD is
    known too, and whether it is the best there was although they said no (`flagged`). `answered` names the tool that answers in a
    model's place."""

    decision: Decision
    model: str
    attempts: int
    overhead: float
    explained: str = ""
    dropped: tuple[str, ...] = ()
    answered: str = ""
    cost: float | None = None
    flagged: bool = False


class Downstream(Protocol):
    """Where a stream goes. Nothing is sent before `begin`; until then another model can still answer unseen."""

    def begin(self, opening: Opening) -> None:
        """The stream is committed: status and headers may leave."""

    async def send(self, data: bytes) -> None:
        """Send on; waits while the client is slow. Raises ClientGone."""
