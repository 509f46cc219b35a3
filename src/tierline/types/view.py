"""The world at one instant, as the router may read it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class Latency(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Seconds to a whole answer: median and 95th percentile of the recent past, over `count` calls."""

    p50: float
    p95: float
    count: int = 0


class View(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The world at one instant. Every mapping is keyed by model name but for `budgets` and `pace` (by budget), `pins` (by route) and
    `arms` (by `<experiment>/<arm>`).

    `pressure` in [0, 1]: the share of a model's interactive traffic that is to move down the ladder; `ttft` as `latency`, to the
    first content.

    `resting`: seconds of rest left behind an open breaker; `load`: calls in flight; `budgets`: USD left in the period; `pace` in [-1,
    1]: how far spending runs ahead of (above zero) or behind its period's plan; `warm`: the session's model with a warm prompt cache;
    `pins`: the model an operator pinned a route to; `token_scale`: measured / estimated input tokens; `limited`: seconds until the
    model's own rate limit takes another call; `arms`: shares that are others than the spec's (0: stopped); `assigned`: the arm that the
    request was given before, `-` for none."""

    resting: Mapping[str, float] = {}
    load: Mapping[str, int] = {}
    latency: Mapping[str, Latency] = {}
    budgets: Mapping[str, float] = {}
    warm: str = ""
    pins: Mapping[str, str] = {}
    token_scale: Mapping[str, float] = {}
    pressure: Mapping[str, float] = {}
    ttft: Mapping[str, Latency] = {}
    pace: Mapping[str, float] = {}
    limited: Mapping[str, float] = {}
    arms: Mapping[str, float] = {}
    assigned: str = ""


NO_VIEW = View()
"""A world where nothing is known: everything is up, nothing is pinned."""
