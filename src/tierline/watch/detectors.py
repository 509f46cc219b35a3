"""Every watch and its detector, in one table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from tierline.config.alerts import Watch
from tierline.config.spec import WatchName
from tierline.watch import (
    budget_pace,
    cost_per_request,
    escalation_rate,
    fallback_rate,
    input_mix,
    latency_slo,
    price_change,
    prompt_change,
    quality_drop,
    score_distribution,
    served_model,
    tier_share_shift,
)
from tierline.watch.past import Past
from tierline.watch.subject import Subject

DETECTORS: Mapping[WatchName, Callable[[Past, Watch], Iterator[Subject]]] = {
    "tier_share_shift": tier_share_shift.subjects,
    "input_mix": input_mix.subjects,
    "score_distribution": score_distribution.subjects,
    "quality_drop": quality_drop.subjects,
    "fallback_rate": fallback_rate.subjects,
    "escalation_rate": escalation_rate.subjects,
    "cost_per_request": cost_per_request.subjects,
    "budget_pace": budget_pace.subjects,
    "latency_slo": latency_slo.subjects,
    "price_change": price_change.subjects,
    "prompt_change": prompt_change.subjects,
    "served_model": served_model.subjects,
}
"""What each watch looks at, from the hours that were counted. All of them are pure: no clock, no dice, nothing read or written."""
