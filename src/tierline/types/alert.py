"""An alert: something that is watched has moved, with how far, since when, how sure that is, and what to do about it."""

from __future__ import annotations

import msgspec


class Alert(msgspec.Struct, frozen=True):
    """`watch` names what was watched (`quality_drop`), `subject` of what (`task/order_extraction`, `model/mini`, `route/auto`; empty: of
    everything). An alert is open from `raised` until `recovered` (Unix seconds; None: still open), and there is at most one open for a
    watch and subject.

    `since` is when it began to move, as far as that can be told; `was` and `now` are the measured figure before and since, in the unit
    of the watch; `sure` in [0, 1] is how sure it is that this is no chance. `what` says it in a sentence, `todo` what to do, `requests`
    are ids of some that show it. It holds no words of anybody."""

    watch: str
    subject: str
    raised: float
    since: float
    was: float
    now: float
    sure: float
    what: str
    todo: str
    requests: tuple[str, ...] = ()
    recovered: float | None = None
    id: int = 0
