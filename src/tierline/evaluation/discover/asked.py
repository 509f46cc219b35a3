"""One request, as far as grouping and reckoning need it."""

from __future__ import annotations

import msgspec

from tierline.types.features import Features


class Asked(msgspec.Struct, frozen=True):
    """One request. `task` is what it was decided as, `model` who answered (who would be asked, where nobody was yet). `cost` is USD over
    its whole course; tokens are what the answering call was billed for, estimates where nobody
    answered. `latency` is seconds, None where nobody answered. `judged`: whose answer was judged, and whether it was good enough. `text` is
    the user's words and `system` the system prompt, None where they are not kept."""

    id: str
    features: Features
    task: str
    model: str
    cost: float
    tokens_in: int
    tokens_out: int
    cached: int = 0
    latency: float | None = None
    escalated: bool = False
    fell_back: bool = False
    failed: bool = False
    judged: tuple[str, bool] | None = None
    text: str | None = None
    system: str | None = None


class Gathered(msgspec.Struct, frozen=True):
    """The requests looked at, in the order of their draw: `requests` there are, `asked` those that were drawn. `by_tool` were answered by a
    tool and are no part of it. `measured`: their costs are a log's, not what the spec would come to. `since` and `until` are Unix
    seconds, None without times."""

    where: str
    asked: tuple[Asked, ...]
    requests: int
    measured: bool
    by_tool: int = 0
    since: float | None = None
    until: float | None = None
