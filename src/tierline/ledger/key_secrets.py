"""The secrets of keys: how one is made, known again, and kept.

A secret is `tl_`, 256 random bits in base 62 and six characters of checksum. The prefix lets scanners of repositories and logs know
it; the checksum tells a mistyped or cut secret from an unknown one, without a look-up. What is kept is its SHA-256: a slow hash
protects secrets that can be guessed, and 256 random bits cannot be; a fast one costs a request a microsecond."""

from __future__ import annotations

import hashlib
import secrets
import zlib

MARK = "tl_"
"""How every secret begins."""
SHOWN = 8
"""Characters of a secret that are kept and shown, to know it by: `tl_` and five of its 43, which leaves 226 random bits."""

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BODY = 43
_CHECK = 6


def mint() -> str:
    """A new secret."""
    body = _base62(secrets.randbits(256), _BODY)
    return MARK + body + _checksum(body)


def digest(secret: str) -> bytes:
    """What is kept of a secret, and what it is looked up by."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def is_garbled(text: str) -> bool:
    """Whether it begins like a secret of ours and is none: mistyped, or cut short."""
    if not text.startswith(MARK):
        return False
    body, check = text[len(MARK) : len(MARK) + _BODY], text[len(MARK) + _BODY :]
    return check != _checksum(body)


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode("utf-8", "surrogatepass")), _CHECK)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))
