"""The file of a trained scorer, as far as it can be read without arithmetic: is it whole, is it ours, whom does it know?

    16 bytes    MAGIC
     4 bytes    the layout's version, little endian
     4 bytes    length of the header
    32 bytes    SHA-256 of everything after them
    header      msgpack: `Header`
    arrays      raw bytes, little endian, in the header's order

Nothing in it is ever run. A file of an older version is read, or it is said why not.
"""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from tierline.types.errors import TierlineError

MAGIC = b"tierline scorer\n"
VERSION = 1
MOST = 64 * 1024**2
"""Bytes of the largest file: it is held in memory."""
MOST_NAMES = 4_096
MOST_CELLS = 64 * 1024**2
SIZES: Mapping[str, int] = {"<f4": 4, "<f8": 8, "|i1": 1, "<i4": 4, "<u8": 8}

_HEAD = struct.Struct("<16sII32s")


class ScorerUnusable(TierlineError):
    """A trained scorer that cannot be used: its message says which file, why, and what to do."""


class Array(msgspec.Struct, frozen=True):
    """One array of the file: its name, type and shape."""

    name: str
    kind: Literal["<f4", "<f8", "|i1", "<i4", "<u8"]
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        return math.prod(self.shape) * SIZES[self.kind]


class Header(msgspec.Struct, frozen=True):
    """What a file says of itself. `features` is the version of the features of text that it was fitted on; `route` says of each task
    whether the scorer may route it; `card` is for people: where it came from and what it reached; `embedder` names the model whose vectors
    are among the features, empty where there is none."""

    kind: str
    features: int
    tasks: tuple[str, ...]
    models: tuple[str, ...]
    route: tuple[bool, ...]
    numbers: Mapping[str, float]
    amounts: tuple[str, ...]
    arrays: tuple[Array, ...]
    card: Mapping[str, Any] = {}
    embedder: str = ""


class ScorerFile(msgspec.Struct, frozen=True):
    """A file that is whole. `digest` is the SHA-256 of all of it."""

    header: Header
    body: bytes
    digest: str


_read_header = msgspec.msgpack.Decoder(Header).decode


def pack(header: Header, body: bytes) -> bytes:
    """The bytes of a file."""
    told = msgspec.msgpack.encode(header)
    rest = told + body
    return _HEAD.pack(MAGIC, VERSION, len(told), hashlib.sha256(rest).digest()) + rest


def read_scorer(path: Path) -> ScorerFile:
    """The file at `path`; raises ScorerUnusable when it is missing, damaged, not ours or of a later version."""
    try:
        if path.stat().st_size > MOST:
            raise ScorerUnusable(f"the scorer {path.name} is larger than {MOST // 1024**2} MB → train one on fewer models or tasks")
        content = path.read_bytes()
    except OSError as error:
        raise ScorerUnusable(
            f"the scorer {path.name} cannot be read ({error.strerror}) → make it: tierline train --data FILE --out {path.name}"
        ) from None
    return unpack(content, path.name)


def unpack(content: bytes, name: str) -> ScorerFile:
    """The same, from bytes."""
    if not content.startswith(MAGIC) or len(content) < _HEAD.size:
        raise ScorerUnusable(f"{name} is no scorer of Tierline → name a file that `tierline train` wrote")
    _, version, length, checksum = _HEAD.unpack_from(content)
    if version > VERSION:
        raise ScorerUnusable(f"the scorer {name} was written by a later version of Tierline (layout {version}) → upgrade, or train it anew")
    rest = memoryview(content)[_HEAD.size :]
    if hashlib.sha256(rest).digest() != checksum:
        raise ScorerUnusable(f"the scorer {name} is damaged: its checksum is wrong → copy it again, or train it anew")
    try:
        header = _read_header(rest[:length])
    except msgspec.MsgspecError as error:
        raise ScorerUnusable(f"the scorer {name} has a header that cannot be read ({error}) → train it anew") from None
    body = bytes(rest[length:])
    _examine(header, body, name)
    return ScorerFile(header, body, hashlib.sha256(content).hexdigest())


def _examine(header: Header, body: bytes, name: str) -> None:
    """What a checksum does not say: the parts belong together, and nothing is larger than it may be."""
    sizes = [array.size for array in header.arrays if all(side >= 0 for side in array.shape)]
    whole = len(sizes) == len(header.arrays) and sum(sizes) == len(body) and sum(sizes) <= MOST
    names = (header.tasks, header.models, header.amounts)
    if not whole or len(header.route) != len(header.tasks) or any(len(part) > MOST_NAMES for part in names) or not header.models:
        raise ScorerUnusable(f"the scorer {name} holds parts that do not fit together → train it anew")
