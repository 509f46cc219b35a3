"""Which tasks are to be looked at again, and why: nothing here asks a clock or a file, so that the same facts give the same answer."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from tierline.config.spec import TaskSpec
from tierline.evaluation.review.facts import ModelFacts, TaskFacts
from tierline.evaluation.wilson import wilson
from tierline.types.alert import Alert

Kind = Literal["calendar", "price", "evaluation", "assumed", "latency", "mix", "prompt", "failures", "drift"]
"""Why a task is due. `evaluation`: a measured pass rate moved; `assumed`: a declared one is not what is measured."""

EVERY = 90 * 86400.0
"""Seconds after which a task is due by the calendar, where nothing else is said."""
PRICE = 0.01
QUALITY = 0.02
LATENCY = 1.25
SHARE = 0.05
PROMPT = 0.2
RATE = 0.02
"""What counts as moved: prices by a part of what they were; pass rates, shares and rates by so many of one; latency by this factor; a
fifth of the requests with system prompts not seen then."""
SURE = 0.99
"""How sure it must be that a rate moved by more than chance."""
ENOUGH = 30
ENOUGH_TIMES = 100
"""Judged answers, and answers, before anything is said of a rate or a latency."""


class Cause(msgspec.Struct, frozen=True, omit_defaults=True):
    """One reason to look again, in a sentence; `was` and `now` in the unit of its kind, `sure` in [0, 1]; None where that says nothing."""

    kind: Kind
    what: str
    was: float | None = None
    now: float | None = None
    sure: float | None = None


class Looked(msgspec.Struct, frozen=True):
    """The last look at a task: when (Unix seconds; None: it stands in the spec by its day alone), by whom, why, and what held then."""

    day: datetime.date
    by: str = ""
    why: str = ""
    facts: TaskFacts | None = None


class Due(msgspec.Struct, frozen=True):
    """A task with every reason to look at it again; none: it is not due."""

    task: str
    owner: str
    looked: Looked | None
    causes: tuple[Cause, ...]
    requests: int = 0
    cost: float = 0.0


def due_of(
    task: str, spec: TaskSpec, now: TaskFacts, looked: Looked | None, alerts: Sequence[Alert], today: datetime.date, every: float = EVERY
) -> Due:
    """Every reason to look at a task again. `alerts` are the open ones; `every` is in seconds."""
    before = None if looked is None else looked.facts
    causes = [*_calendar(looked, today, every), *_assumed(spec, now), *_budget(spec, now), *_drift(task, spec, alerts)]
    if before is not None:
        causes += [*_prices(before, now), *_quality(before, now), *_latency(before, now), *_mix(before, now), *_rates(before, now)]
        causes += _prompts(before, now)
    return Due(task, spec.owner, looked, tuple(causes), now.requests, now.cost * now.requests)


def difference(good: int, of: int, good_then: int, of_then: int) -> float:
    """How sure it is that two rates are not the same one: 1 − p of the two-sided test on the pooled rate (normal approximation; Fleiss,
    Levin and Paik, Statistical Methods for Rates and Proportions, 3.1)."""
    if not of or not of_then:
        return 0.0
    pooled = (good + good_then) / (of + of_then)
    spread = math.sqrt(pooled * (1.0 - pooled) * (1.0 / of + 1.0 / of_then))
    if spread == 0.0:
        return 0.0
    return 1.0 - math.erfc(abs(good / of - good_then / of_then) / spread / math.sqrt(2.0))


def _calendar(looked: Looked | None, today: datetime.date, every: float) -> Iterator[Cause]:
    if looked is None:
        yield Cause("calendar", "nobody has looked at it yet")
        return
    days = (today - looked.day).days
    if days * 86400.0 >= every:
        yield Cause("calendar", f"it was looked at {days} days ago, on {looked.day}", now=float(days))


def _assumed(spec: TaskSpec, now: TaskFacts) -> Iterator[Cause]:
    for name, declared in spec.quality.items():
        seen = now.models.get(name)
        if seen is None or seen.judged < ENOUGH:
            continue
        low, high = wilson(seen.passed, seen.judged)
        if not low - QUALITY <= declared <= high + QUALITY:
            rate = seen.passed / seen.judged
            what = f"{name} is said to pass {declared:.1%}, and passed {rate:.1%} of {seen.judged:,} [{low:.1%}, {high:.1%}]"
            yield Cause("assumed", what, declared, rate, 0.95)
    share = spec.traffic_share
    if share is not None and now.requests >= ENOUGH_TIMES and abs(now.share - share) >= SHARE:
        yield Cause("mix", f"it was assumed to be {share:.0%} of the requests and is {now.share:.0%}", share, now.share)


def _budget(spec: TaskSpec, now: TaskFacts) -> Iterator[Cause]:
    budget = spec.latency_budget
    if budget is not None and now.p95 is not None and now.requests >= ENOUGH_TIMES and now.p95 > budget:
        yield Cause(
            "latency",
            f"one answer in twenty takes longer than {now.p95:.2f} s; its callers wait {float(budget):g} s",
            float(budget),
            now.p95,
        )


def _drift(task: str, spec: TaskSpec, alerts: Sequence[Alert]) -> Iterator[Cause]:
    subjects = {f"task/{task}", *(f"model/{name}" for name in (*spec.models, *spec.fallback))}
    for alert in alerts:
        if alert.recovered is None and alert.subject in subjects:
            yield Cause("drift", f"{alert.watch.replace('_', ' ')}: {alert.what}", alert.was, alert.now, alert.sure)


def _prices(before: TaskFacts, now: TaskFacts) -> Iterator[Cause]:
    for name, seen in now.models.items():
        then = before.models.get(name)
        if then is None:
            yield Cause("price", f"{name} serves it since")
            continue
        for what, was, price in (("input", then.input, seen.input), ("output", then.output, seen.output)):
            if abs(price - was) > PRICE * max(was, 1e-9):
                yield Cause("price", f"a million {what} tokens of {name} cost ${was:g} then and ${price:g} now", was, price)


def _quality(before: TaskFacts, now: TaskFacts) -> Iterator[Cause]:
    for name, seen in now.models.items():
        then = before.models.get(name, ModelFacts(0.0, 0.0))
        if moved := _moved(seen.passed, seen.judged, then.passed, then.judged, ENOUGH):
            was, rate, sure = moved
            yield Cause(
                "evaluation", f"{name} passed {was:.1%} of {then.judged:,} then and {rate:.1%} of {seen.judged:,} now", was, rate, sure
            )


def _latency(before: TaskFacts, now: TaskFacts) -> Iterator[Cause]:
    for name, seen in now.models.items():
        then = before.models.get(name)
        if then is None or then.p95 is None or seen.p95 is None or min(then.asked, seen.asked) < ENOUGH_TIMES:
            continue
        if not then.p95 / LATENCY < seen.p95 < then.p95 * LATENCY:
            yield Cause("latency", f"{name} took {then.p95:.2f} s at the 95th percentile then and {seen.p95:.2f} s now", then.p95, seen.p95)


def _mix(before: TaskFacts, now: TaskFacts) -> Iterator[Cause]:
    if min(before.requests, now.requests) >= ENOUGH_TIMES and abs(now.share - before.share) >= SHARE:
        yield Cause("mix", f"it was {before.share:.0%} of the requests then and is {now.share:.0%} now", before.share, now.share)


def _rates(before: TaskFacts, now: TaskFacts) -> Iterator[Cause]:
    for what, then, seen in (
        ("fell back to another model", before.fallbacks, now.fallbacks),
        ("climbed to a better model", before.escalations, now.escalations),
        ("got no answer", before.failures, now.failures),
        ("got an answer that no check accepted", before.flagged, now.flagged),
    ):
        moved = _moved(seen, now.requests, then, before.requests, ENOUGH_TIMES)
        if moved and moved[1] > moved[0]:
            was, rate, sure = moved
            yield Cause("failures", f"{was:.1%} of its requests {what} then and {rate:.1%} now", was, rate, sure)


def _prompts(before: TaskFacts, now: TaskFacts) -> Iterator[Cause]:
    new = sum(share for prompt, share in now.prompts.items() if prompt not in before.prompts)
    if before.requests >= ENOUGH_TIMES and now.requests >= ENOUGH_TIMES and new >= PROMPT:
        yield Cause("prompt", f"{new:.0%} of its requests come with a system prompt that was not seen then", 0.0, new)


def _moved(good: int, of: int, good_then: int, of_then: int, enough: int) -> tuple[float, float, float] | None:
    """The rate then, the rate now and how sure it is that it moved; None where it did not, or too little is known."""
    if min(of, of_then) < enough:
        return None
    was, rate, sure = good_then / of_then, good / of, difference(good, of, good_then, of_then)
    return (was, rate, sure) if abs(rate - was) >= RATE and sure >= SURE else None


def all_due(
    tasks: Mapping[str, TaskSpec],
    facts: Mapping[str, TaskFacts],
    looks: Mapping[str, Looked],
    alerts: Sequence[Alert],
    today: datetime.date,
    every: float = EVERY,
) -> list[Due]:
    """Every task, those with most reasons first, and of those the dearest."""
    found = [due_of(name, spec, facts[name], looks.get(name), alerts, today, every) for name, spec in tasks.items()]
    return sorted(found, key=lambda due: (-len(due.causes), -due.cost, due.task))
