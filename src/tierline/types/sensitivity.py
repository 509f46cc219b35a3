"""What is sensitive in a text: the kinds there are, and where a detector has found one."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

PERSONAL = ("email", "phone", "credit_card", "iban", "national_id")
"""The built-in kinds that tell of a person. `pii` stands for any of them, and for every kind that a plug-in finds."""

BUILT_IN = (*PERSONAL, "secret")
"""What the built-in detector finds."""

UNSCANNED = "unscanned"
"""Stands among the kinds of a request that holds what no detector could read: an image, a sound, a document, or a detector that failed."""


class Spotted(msgspec.Struct, frozen=True, array_like=True):
    """One value that a detector has found: its kind, and where it stands, in characters (`end` is the first one behind it)."""

    kind: str
    start: int
    end: int


def with_pii(kinds: Iterable[str], own: Iterable[str] = ()) -> tuple[str, ...]:
    """These kinds, sorted, with `pii` among them where one of them is personal: every kind is but secrets and the spec's `own` patterns."""
    found = set(kinds)
    if found - {"secret", UNSCANNED, *own}:
        found.add("pii")
    return tuple(sorted(found))
