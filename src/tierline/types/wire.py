"""What travels between the gateway and a provider: one call out, one reply back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec

from tierline.types.catalog import Model
from tierline.types.request import Kind


class Call(msgspec.Struct, frozen=True, gc=False):
    """One call to one upstream model. `path` is joined to the provider's base URL; `body` is in the provider's dialect;
    `timeout` is in seconds: to the first byte of a stream, to the whole of anything else. `request_id` seeds providers that
    answer without a network; real ones get it as a header. `door` names the endpoint's door to go by, empty: its first."""

    model: Model
    kind: Kind
    path: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    stream: bool = False
    timeout: float = 60.0
    request_id: str = ""
    door: str = ""


class Reply(Protocol):
    """What came back: status and headers at once, the body when asked for. `close` may be called at any time, more than once;
    closing an unfinished reply cancels the call upstream."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Header values by lower-case name."""

    async def body(self) -> bytes:
        """The whole body; raises ProviderFailure (`cut`, `timeout`) when it does not come."""

    async def chunk(self) -> bytes | None:
        """The next piece of a stream, as soon as it is there; None at the end; raises ProviderFailure when it breaks."""

    async def close(self) -> None:
        """Let go of the connection."""
