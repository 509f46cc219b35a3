"""What a scorer believes about one request."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class Scores(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Beliefs of one scorer. `task` maps task → probability; `good` maps model → P(good enough), a lower bound; `cost` (USD)
    and `latency` (seconds) map model → expectation. `difficulty` is in [0, 1]. `abstained` means: too unsure to name a task; what
    is unsure goes up. `by` names the scorer that spoke, `asked` the model that was asked because it was unsure (empty: none was)."""

    task: Mapping[str, float] = {}
    difficulty: float | None = None
    good: Mapping[str, float] = {}
    cost: Mapping[str, float] = {}
    latency: Mapping[str, float] = {}
    abstained: bool = False
    by: str = ""
    asked: str = ""


NO_SCORES = Scores()
"""What stands where no scorer was asked."""
