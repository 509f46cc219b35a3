"""Tierline: a multi-model routing layer that measures the routing, not just the output."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tierline.client import Client
    from tierline.library import Choice, Router

__version__ = "0.1.0"
__all__ = ["Choice", "Client", "Router", "__version__"]

_PLACES = {"Router": "tierline.library", "Choice": "tierline.library", "Client": "tierline.client"}


def __getattr__(name: str) -> Any:
    """`import tierline` stays cheap: the library's faces are imported when they are first named."""
    if name in _PLACES:
        return getattr(importlib.import_module(_PLACES[name]), name)
    raise AttributeError(f"module 'tierline' has no attribute {name!r}")
