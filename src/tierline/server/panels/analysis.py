"""What the pages that reckon need beside the gateway: the extra `analysis`."""

from __future__ import annotations

from typing import Any

from tierline.server.looks import imported

EXTRA = ("numpy", "scipy")
"""What the extra brings that these pages use."""
MISSING = {"missing": "It reckons with numpy and scipy, which the gateway's Python lacks: pip install 'tierline[analysis]'"}
"""What is answered without it."""


async def reckoner(module: str) -> Any | None:
    """A module that reckons, imported where it is asked for; None where the extra is not installed."""
    try:
        return await imported(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] not in EXTRA:
            raise
        return None
