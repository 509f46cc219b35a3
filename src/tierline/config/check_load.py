"""Breaker, load target and places: settings that could never work, and those that nothing reads."""

from __future__ import annotations

from tierline.config.case import Case
from tierline.config.spec import ModelSpec, TargetSpec


def examine_load(case: Case) -> None:
    """Reports times of no length, targets without hysteresis, and queues before models that take every call at once."""
    _breaker(case)
    _target(case)
    _queues(case)


def _breaker(case: Case) -> None:
    place, breaker = ("load", "breaker"), case.spec.load.breaker
    if breaker.failures == 0:
        case.problems.error((*place, "failures"), "a share of 0 is passed by every single failure", "give more than 0, e.g. 0.5")
    for field in ("window", "rest", "slow"):
        if getattr(breaker, field) == 0:
            case.problems.error((*place, field), "a time of no length", "give more than 0s")


def _target(case: Case) -> None:
    place, target = ("load", "target"), case.spec.load.target
    for field in ("p95", "hold", "clear"):
        if getattr(target, field) == 0:
            case.problems.error((*place, field), "with 0 traffic would never return", "give more than 0")
    if target.clear == 1:
        reason = "traffic would leave and return at the same point, and so to and fro"
        case.problems.error((*place, "clear"), reason, "give less than 1, e.g. 0.8")
    if case.whole and target.p95 is None and target.queue is None and target != TargetSpec():
        case.problems.error(place, "neither p95 nor queue says what is to be kept to", "add p95: 2s")
    limited = any(model.max_concurrency is not None for model in case.spec.models.values())
    if target.queue is not None and case.whole and not limited:
        reason = "no model has max_concurrency, so no call ever waits for a place"
        case.problems.warn((*place, "queue"), reason, "give a model max_concurrency, or remove this")


def _queues(case: Case) -> None:
    usual = ModelSpec(provider="", tier="").max_queue
    for name, model in case.spec.models.items():
        if model.max_queue != usual and model.max_concurrency is None:
            reason = "without max_concurrency no call ever waits for a place"
            case.problems.warn(("models", name, "max_queue"), reason, "give max_concurrency, or remove this")
