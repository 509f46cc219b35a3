"""When nobody can serve: the error that says which constraint removed which model."""

from __future__ import annotations

from tierline.types.decision import Decision, Drop, Dropped
from tierline.types.errors import NoEligibleModel

_STATUS = {
    Drop.CAPABILITY: 400,
    Drop.CONTEXT: 400,
    Drop.PRICE: 402,
    Drop.BUDGET: 402,
    Drop.GOVERNANCE: 403,
    Drop.KEY: 403,
    Drop.RESTING: 503,
    Drop.CONCURRENCY: 503,
    Drop.LATENCY: 503,
    Drop.RATE: 503,
}
_SHOWN = 20


def refuse(decision: Decision) -> NoEligibleModel:
    """The error for a decision without steps. Its status follows the constraint nearest to being mended: busy before
    price, price before permission, permission before capability."""
    if not decision.dropped:
        return NoEligibleModel("no model is configured for this request; add one to `models` in the spec", 503)
    status = max(_STATUS[dropped.why] for dropped in decision.dropped)
    shown = "; ".join(f"{dropped.model}: {fall(dropped)}" for dropped in decision.dropped[:_SHOWN])
    more = f"; and {len(decision.dropped) - _SHOWN} more" if len(decision.dropped) > _SHOWN else ""
    return NoEligibleModel(f"no model can serve this request. {shown}{more}", status, retry_after=1.0 if status == 503 else None)


def fall(dropped: Dropped) -> str:
    """Why one model fell, in words."""
    value, limit = dropped.value or 0.0, dropped.limit or 0.0
    match dropped.why:
        case Drop.CAPABILITY:
            return f"it cannot do {dropped.subject}"
        case Drop.CONTEXT:
            return f"{value:,.0f} tokens do not fit its window of {limit:,.0f}"
        case Drop.GOVERNANCE:
            return f"governance rule {int(dropped.subject) + 1} does not allow it"
        case Drop.KEY:
            return f"the key {dropped.subject!r} may not use it"
        case Drop.PRICE:
            return f"a call would cost about ${value:.6f}, over the cap of ${limit:.6f}"
        case Drop.BUDGET:
            return f"the budget {dropped.subject!r} is spent"
        case Drop.RESTING:
            return f"it rests after failures for another {value:.0f} s"
        case Drop.CONCURRENCY:
            return f"it is busy with {value:.0f} of {limit:.0f} calls"
        case Drop.RATE:
            return f"it has had its requests or tokens for now; there is more in {value:.0f} s"
        case Drop.LATENCY:
            return f"its p95 of {value:.2f} s is over the {limit:.2f} s that the request may take"
