"""Bodies that come packed although nobody asked for it."""

from __future__ import annotations

import zlib

MOST = 16 << 20
"""Bytes that any body may unpack to; a longer one to at most `RATIO` times its own length, which no text comes near."""

RATIO = 100

_GZIP = frozenset({"gzip", "x-gzip"})
_GZIP_OR_ZLIB, _BARE = zlib.MAX_WBITS | 32, -zlib.MAX_WBITS
_ZLIB = 0x8
"""The lower half of the first byte of zlib's format; deflate without its frame never begins so."""


class Unpacking:
    """The way back from gzip and deflate, piece by piece."""

    __slots__ = ("_came", "_gave", "_gzip", "_unpacker")

    def __init__(self, *, gzip: bool) -> None:
        self._gzip = gzip
        self._came = self._gave = 0
        self._unpacker: zlib._Decompress | None = None

    def take(self, piece: bytes) -> bytes:
        """What this piece holds; empty where it takes more of them to tell. Raises ValueError where it cannot be unpacked, or to more than
        anybody would have packed."""
        if self._unpacker is None:
            framed = self._gzip or piece[0] & 0xF == _ZLIB
            self._unpacker = zlib.decompressobj(_GZIP_OR_ZLIB if framed else _BARE)
        self._came += len(piece)
        most = max(MOST, RATIO * self._came)
        try:
            found = self._unpacker.decompress(piece, most - self._gave + 1)
        except zlib.error as error:
            raise ValueError(f"its answer cannot be unpacked: {error}") from None
        self._gave += len(found)
        if self._gave > most:
            raise ValueError(f"its answer unpacks to more than {most} bytes, {RATIO} times what came of it")
        if self._unpacker.unused_data:
            raise ValueError("its answer goes on behind the end of what is packed")
        return found

    @property
    def whole(self) -> bool:
        """Whether the end has come; it has where nothing came at all."""
        return self._unpacker is None or self._unpacker.eof


def unpacking(encoding: str) -> Unpacking | None:
    """What unpacks a body by the header `content-encoding`; None where it is not packed. Raises ValueError for a way of packing that was
    not asked for and is not known."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return None
    if encoding in _GZIP or encoding == "deflate":
        return Unpacking(gzip=encoding in _GZIP)
    raise ValueError(f"its answer is packed as {encoding[:40]!r}, which nobody asked for")
