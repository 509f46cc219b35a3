"""Bodies that come packed although nobody asked for it."""

from __future__ import annotations

import zlib

from tierline.types.errors import ProviderFailure

_PACKED = frozenset({"gzip", "x-gzip", "deflate"})
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32


class Unpacking:
    """The way back from gzip and deflate, piece by piece. `whole`: the end has come."""

    __slots__ = ("_unpacker",)

    def __init__(self) -> None:
        self._unpacker = zlib.decompressobj(_GZIP_OR_ZLIB)

    def take(self, piece: bytes) -> bytes:
        """What this piece holds; empty where it takes more of them to tell. Raises ProviderFailure `malformed`."""
        try:
            return self._unpacker.decompress(piece)
        except zlib.error as error:
            raise ProviderFailure("malformed", f"the upstream's answer cannot be unpacked: {error}") from None

    @property
    def whole(self) -> bool:
        """Whether the end has come."""
        return self._unpacker.eof


def unpacking(encoding: str) -> Unpacking | None:
    """What unpacks a body by the header `content-encoding`; None where it is not packed. Raises ProviderFailure `malformed` for a way of
    packing that was not asked for and is not known."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return None
    if encoding in _PACKED:
        return Unpacking()
    raise ProviderFailure("malformed", f"the upstream's answer is packed as {encoding[:40]!r}, which nobody asked for")
