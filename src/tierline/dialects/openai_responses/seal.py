"""Reasoning that another dialect signed, sealed for a client of this one.

A client of the Responses API hands reasoning back as it got it, in `encrypted_content`. What another dialect's model signed travels there
in an envelope that names the dialect, so that it can return to that dialect, and is never sent to an upstream of this one.
The envelope hides nothing and proves nothing: the signatures in it are the signer's own to check.
"""

from __future__ import annotations

import base64
import binascii

import msgspec

_PREFIX = "tierline.v1."
MARK = _PREFIX.encode()
"""Stands in every sealed item's JSON."""


class Seal(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an envelope holds: the signature or the sealed reasoning of dialect `by`; `call` is the id of the tool call that was signed,
    empty where it was the reasoning."""

    by: str = ""
    signature: str = ""
    sealed: str = ""
    call: str = ""


class _Sealed(msgspec.Struct):
    encrypted_content: str | None = None


_seal = msgspec.json.Decoder(Seal)
_item = msgspec.json.Decoder(_Sealed)


def close(seal: Seal) -> str:
    """The envelope as text."""
    return _PREFIX + base64.urlsafe_b64encode(msgspec.json.encode(seal)).decode()


def open_(text: str) -> Seal | None:
    """What an envelope holds; None for any other text, an empty seal for an envelope that was tampered with."""
    if not text.startswith(_PREFIX):
        return None
    try:
        return _seal.decode(base64.urlsafe_b64decode(text[len(_PREFIX) :]))
    except (msgspec.DecodeError, UnicodeError, binascii.Error, RecursionError, ValueError):
        return Seal()


def is_sealed(item: msgspec.Raw) -> bool:
    """Whether an input item is reasoning in such an envelope."""
    try:
        text = _item.decode(item).encrypted_content
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return text is not None and text.startswith(_PREFIX)
