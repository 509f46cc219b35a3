"""What a client says about its own request, in headers or in the body's metadata."""

from __future__ import annotations

import msgspec


class Hints(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Wishes and facts the client attached. `latency_budget` is in seconds, `max_cost` in USD for the whole request.

    `model` and `tier` are overrides: they pin the choice but never skip governance, capability or budget checks.
    """

    task: str = ""
    tier: str = ""
    model: str = ""
    latency_budget: float | None = None
    max_cost: float | None = None
    risk: str = ""
    sensitivity: str = ""
    session: str = ""
    tags: tuple[str, ...] = ()
    user_tier: str = ""
    explain: bool = False


NO_HINTS = Hints()
"""What most requests carry."""
