"""Decoding what a strict decoder refuses: fields that clients send and upstreams take, such as lone surrogates."""

from __future__ import annotations

import json
from typing import TypeVar

import msgspec

T = TypeVar("T")


def decode(decoder: msgspec.json.Decoder[T], raw: msgspec.Raw | bytes) -> T:
    """The decoded value; broken characters become question marks. Raises msgspec.ValidationError for a wrong type, and
    msgspec.DecodeError for what is no JSON at all."""
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError):
        return decoder.decode(_mended(bytes(raw)))


def _mended(raw: bytes) -> bytes:
    try:
        return json.dumps(json.loads(raw), ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
    except (ValueError, RecursionError):
        raise msgspec.DecodeError("not valid JSON") from None
