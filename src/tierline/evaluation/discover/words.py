"""What was found, in the words and figures of every output."""

from __future__ import annotations

import datetime

from tierline.evaluation.discover.document import Discovery, Type
from tierline.evaluation.estimate.document import Range
from tierline.evaluation.report.figures import NONE, count, decimal, percent, plain, seconds, usd

COLUMNS = (
    "type", "share", "of cost", "USD/1,000", "saved, USD/1,000", "nine times of ten", "could ask", "asked now", "pass rate",
    "tokens in/out", "median", "climbs", "falls back", "found again",
)  # fmt: skip


def cells_of(one: Type) -> tuple[str, ...]:
    """A type's row, under `COLUMNS`."""
    saving = one.saving
    return (
        one.name,
        percent(one.share),
        percent(one.cost_share),
        usd(one.cost),
        NONE if saving is None else usd(saving.saved.value),
        NONE if saving is None or not saving.model else spanned(saving.saved),
        NONE if saving is None or not saving.model else f"{saving.model} ({saving.basis})",
        models_of(one),
        passes(one),
        f"{plain(one.tokens_in)} / {plain(one.tokens_out)}",
        seconds(one.latency_p50),
        percent(one.escalated),
        percent(one.fell_back),
        decimal(one.stability, 2),
    )


def models_of(one: Type) -> str:
    """Who answers it now: `opus 62 %, mini 38 %`."""
    return ", ".join(f"{model} {percent(share, 0)}" for model, share in list(one.models.items())[:3]) or NONE


def passes(one: Type) -> str:
    """Its pass rate with how many were judged."""
    return NONE if one.judged is None else f"{percent(one.judged.rate)} of {count(one.judged.judged)}"


def spanned(found: Range) -> str:
    """`$0.12–0.40`."""
    return f"{usd(found.low)}–{usd(found.high).removeprefix('$')}"


def title(found: Discovery) -> str:
    """What there was to look at: `Types of 12,000 requests of demo.db, 2026-10-01 to 2026-10-31`."""
    dates = ""
    if found.since is not None and found.until is not None:
        days = [datetime.datetime.fromtimestamp(at, datetime.UTC).date().isoformat() for at in (found.since, found.until)]
        dates = f", {days[0]}" if days[0] == days[1] else f", {days[0]} to {days[1]}"
    return f"Types of {count(found.requests)} requests of {found.where}{dates}"


def summary(found: Discovery) -> str:
    """The answer in a sentence or two."""
    many = len(found.types)
    share = found.saved.value / found.cost if found.cost else 0.0
    said = f"{many} {'type' if many == 1 else 'types'} of requests cost {usd(found.cost)} per 1,000 now."
    if found.saved.value <= 0:
        return f"{said} Routing them would save nothing that is known of."
    assumed = sum(one.share * one.saving.saved.value for one in found.types if one.saving is not None and one.saving.basis == "assumed")
    part = assumed / found.saved.value
    rests = "all of it by measured pass rates" if part < 0.005 else f"{percent(part, 0)} of it by pass rates that are assumed"
    return f"{said} Routing each to the cheapest model that clears its bar would save {usd(found.saved.value)} ({percent(share, 0)}), {spanned(found.saved)} nine times out of ten, {rests}."  # noqa: E501  # a sentence


def told(one: Type) -> list[str]:
    """What else is to be said of a type, a line each."""
    lines = []
    if one.terms:
        lines.append(f"terms: {', '.join(one.terms)}")
    if one.traits:
        lines.append(f"traits: {', '.join(one.traits)}")
    saving = one.saving
    if saving is not None:
        if saving.passes is not None:
            rate = saving.passes
            source = f"measured, n={rate.source.n}" if rate.source.measured else f"assumed: {rate.source.note}"
            span = f"[{percent(rate.low)}, {percent(rate.high)}]"
            bar = f"bar {percent(saving.bar, 0)} of {saving.bar_of}"
            lines.append(f"{saving.model} passes {percent(rate.value)} {span} ({source}); {bar}")
        if saving.today is not None and saving.model:
            lines.append(f"those who answer now pass {percent(saving.today)}")
        if saving.why:
            lines.append(saving.why)
        lines += saving.unknown
    return lines


def agreement_words(found: Discovery) -> str:
    """How stable the grouping is."""
    by = "words and features" if found.by_words else "features alone"
    if found.stability is None:
        return f"Grouped by {by}; too few requests to tell how stable that is."
    return f"Grouped by {by}; made from either half of the requests, the groups agree by an adjusted Rand index of {found.stability:.2f} (1: the same, 0: chance)."  # noqa: E501  # a sentence
