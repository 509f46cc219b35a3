"""What another dialect signed, carried through a Gemini client and back.

Gemini's clients return every part with its `thoughtSignature` untouched. So a signature that another dialect made travels in that field,
as Base64 that begins with a mark; it comes back with the next request, reaches the dialect that made it, and never goes to Google.
"""

from __future__ import annotations

import base64
import binascii

import msgspec

_OPENING = b"tierline:"
MARK = base64.b64encode(_OPENING)
"""How every carried signature begins: nine bytes are twelve letters of Base64, whatever follows."""
_URL_SAFE = str.maketrans("-_", "+/")


class Carried(msgspec.Struct, frozen=True, array_like=True):
    """What is carried: `by` is the dialect that made it."""

    by: str
    id: str = ""
    signature: str = ""
    sealed: str = ""


_carried = msgspec.json.Decoder(Carried)


def packed(what: Carried) -> str:
    """As the text of a `thoughtSignature`."""
    return base64.b64encode(_OPENING + msgspec.json.encode(what)).decode()


def unpacked(signature: str) -> Carried | None:
    """What `packed` made it of; None for a signature that Google made, and an empty one for a mark with nonsense behind it."""
    if not signature.startswith(MARK.decode()):
        return None
    plain = signature.translate(_URL_SAFE).rstrip("=")
    try:
        return _carried.decode(base64.b64decode(plain + "=" * (-len(plain) % 4))[len(_OPENING) :])
    except (msgspec.DecodeError, UnicodeError, binascii.Error, RecursionError):
        return Carried("")
