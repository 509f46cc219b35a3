"""A prompt and its answer on their way to the log: what is found in them is replaced for good, and nothing can put it back."""

from __future__ import annotations

from typing import Any

from tierline.sensitivity.body import Texts, bytes_of, rewritten
from tierline.sensitivity.scan import Detectors
from tierline.sensitivity.vault import Vault

UNREAD = "[UNREAD]"
"""Stands for data that no detector reads."""


def scrubbed(told: Any, detectors: Detectors) -> bytes | None:
    """A JSON value with everything that is found in it replaced; None where it cannot be looked at."""
    seen = Texts()
    seen.take(told)
    scan = detectors(seen.texts)
    if scan.failed:
        return None
    vault = Vault(scan.values, seen.texts)
    changed = rewritten(told, vault.hide, vault.number, unread=UNREAD)
    left = Texts()
    left.take(changed)
    return None if detectors(left.texts).values else bytes_of(changed)
