"""An estimate's headline, and its policies side by side: cost against quality, where the money goes, who answers, what is saved."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tierline.evaluation.estimate.document import Estimate, PolicyEstimate, Range
from tierline.evaluation.estimate.words import money, per_thousand, said_volume
from tierline.evaluation.report.charts.bars import Bar, Part, bars
from tierline.evaluation.report.charts.frame import responsive
from tierline.evaluation.report.charts.tradeoff import Mark, tradeoff
from tierline.evaluation.report.figures import percent, points, round_percent, seconds
from tierline.evaluation.report.html import Child, Html, join, tag
from tierline.evaluation.report.section import Section, legend, note, numbers, present, table

PARTS = (
    ("first calls", ("first", "branch"), "c2"),
    ("escalations", ("escalation",), "c1"),
    ("retries", ("retry",), "c3"),
    ("fallbacks", ("fallback",), "c4"),
    ("checks, classifier, preparing, judging", ("checks", "classifier", "prepare", "judge"), "c5"),
)
"""What the money is for, as it is shown: name, costs of the document, colour."""
TIERS = ("c2", "c3", "c1", "c4", "c5")
USUAL = {"fast": "60 to 70 % of requests are usual", "best": "10 to 15 % of requests, at 30 to 40 % of the cost, are usual"}
"""What share a tier has by and large, in desks that route."""


def estimate_hero(found: Estimate) -> Html:
    """What routing costs and saves, in a sentence."""
    ours = found.chosen
    saved = ours.saving.share
    kind = "good" if saved.low > 0 else "bad" if saved.high < 0 else "open"
    tiles = [
        ("Saved a month", money(ours.saving.month.value), f"{money(ours.saving.month.low)} to {money(ours.saving.month.high)}", kind),
        ("Cost of 1,000", per_thousand(ours.cost.value), f"{per_thousand(ours.cost.low)} to {per_thousand(ours.cost.high)}", ""),
        ("Quality", percent(ours.quality.value), f"{points(ours.saving.quality.value)} points against the best model", ""),
        ("Seconds", seconds(ours.latency_p50.value), f"median; 19 of 20 within {seconds(ours.latency_p95.value)}", ""),
        ("Risk of 1,000", per_thousand(ours.risk.value), "what wrong answers are expected to cost the business", ""),
        ("Climb", percent(ours.escalated), "of requests go to a stronger model after a check", ""),
    ]
    return tag(
        "header",
        tag("p", f"Tierline estimate · {found.spec} ({found.fingerprint}) · {said_volume(found)}", class_="kicker"),
        tag(
            "h1",
            "Routing costs ",
            tag("span", percent(abs(saved.value), 0), class_="subject"),
            f" {_less(saved.value)} than the best model alone.",
        ),
        tag("p", _sentence(found), class_="lead"),
        tag("dl", [_tile(*tile) for tile in tiles], class_="tiles"),
        class_=f"hero {kind}",
    )


def _less(saved: float) -> str:
    return "less" if saved >= 0 else "more"


def _sentence(found: Estimate) -> Html:
    ours, best = found.chosen, found.policy("all best")
    whole = ours.saving.whole
    verdict = "worth it" if whole.low > 0 else "not worth it" if whole.high < 0 else "not clearly either"
    return join(
        (
            f"{per_thousand(ours.cost.value)} per 1,000 requests instead of {per_thousand(best.cost.value)}, at ",
            tag("strong", f"{percent(ours.quality.value)} quality instead of {percent(best.quality.value)}"),
            f". With the cost of wrong answers counted it is {verdict}: {per_thousand(whole.value)} saved per 1,000 "
            f"({per_thousand(whole.low)} to {per_thousand(whole.high)}). Ranges hold nine times out of ten.",
        )
    )


def _tile(name: str, value: str, about: str, style: str) -> Html:
    return tag("div", tag("dt", name), tag("dd", tag("b", value), tag("small", about)), class_=f"tile {style}")


def policies(found: Estimate) -> Section:
    """Cost against quality, and every figure of every policy."""
    marks = [
        Mark(policy.name, policy.cost.value, policy.quality.value, _kind(policy, place), "circle" if policy.name == "spec" else "diamond",
             policy.quality.low, policy.quality.high)
        for place, policy in enumerate(found.policies)
    ]  # fmt: skip
    title = "Expected cost and quality: " + "; ".join(
        f"{p.name} {percent(p.quality.value)} at {per_thousand(p.cost.value)}" for p in found.policies
    )
    head = ["policy", "USD / 1,000", "quality", "median", "p95", "risk, USD / 1,000", "both, USD / 1,000"]
    saved = ["policy", "a day", "a month", "a year", "of its cost", "quality, points", "with risk, USD / 1,000"]
    others = [policy for policy in found.policies if policy.name != "all best"]
    return present(
        "policies",
        "Policies side by side",
        "The same traffic, sent in other ways. Up is better, left is cheaper; the bars are the ranges of quality.",
        responsive(lambda width: tradeoff(width, marks, [], title)),
        table("Expected figures, with ranges", head, [_row(policy) for policy in found.policies], class_="dense"),
        table(f"Saved against all best, at {said_volume(found)}", saved, [_saved(policy) for policy in others], class_="dense"),
        tag("ul", [tag("li", tag("strong", policy.name), f": {policy.about}") for policy in found.policies], class_="plain"),
        note(*(f"No policy “{name}”: {why}. " for name, why in found.absent.items())) if found.absent else None,
    )


def _kind(policy: PolicyEstimate, place: int) -> str:
    return "candidate s1" if policy.name == "spec" else f"candidate s{place % 5 + 2}"


def _row(policy: PolicyEstimate) -> list[Child]:
    return [
        policy.name,
        spanned(policy.cost, per_thousand),
        spanned(policy.quality, percent),
        spanned(policy.latency_p50, seconds),
        spanned(policy.latency_p95, seconds),
        spanned(policy.risk, per_thousand),
        spanned(policy.whole, per_thousand),
    ]


def _saved(policy: PolicyEstimate) -> list[Child]:
    saving = policy.saving
    periods = [spanned(period, money) for period in (saving.day, saving.month, saving.year)]
    return [policy.name, *periods, spanned(saving.share, percent), spanned(saving.quality, points), spanned(saving.whole, per_thousand)]


def spanned(found: Range, form: Callable[[float], str]) -> Html:
    """A figure with its range below it."""
    span = f"{form(found.low)} … {form(found.high)}"
    return join((form(found.value), tag("small", span, class_="range") if found.low < found.high else None))


def money_goes(found: Estimate) -> Section:
    """The cost of each policy by what it is for."""
    rows = [
        Bar(policy.name, tuple(Part(f"{name}: {per_thousand(usd)}", usd * 1000, style) for name, usd, style in _parts(policy)),
            per_thousand(policy.cost.value), policy.cost.low * 1000, policy.cost.high * 1000)
        for policy in found.policies
    ]  # fmt: skip
    used = {name for policy in found.policies for name, usd, _ in _parts(policy) if usd > 0}
    title = "Cost of 1,000 requests by what it is for: " + "; ".join(f"{bar.name} {bar.said}" for bar in rows)
    shown = [(name, causes, style) for name, causes, style in PARTS if name in used]
    body = [
        [policy.name, *(per_thousand(sum(policy.costs.get(c, 0.0) for c in causes)) for _, causes, _ in shown)] for policy in found.policies
    ]
    return present(
        "money",
        "Where the money goes",
        "What a thousand requests cost, by why the call is made. The line over a bar is the range of the whole.",
        responsive(lambda width: bars(width, rows, lambda usd: f"${usd:,.6g}", title, "USD per 1,000 requests")),
        legend([(style, name) for name, _, style in shown]),
        numbers(table("USD per 1,000 requests", ["policy", *(name for name, _, _ in shown)], body)),
    )


def _parts(policy: PolicyEstimate) -> list[tuple[str, float, str]]:
    return [(name, sum(policy.costs.get(cause, 0.0) for cause in causes), style) for name, causes, style in PARTS]


def tiers(found: Estimate) -> Section:
    """Traffic and cost by tier under the spec."""
    ours = found.chosen
    style = dict(zip(ours.tiers, TIERS, strict=False))
    rows = [
        Bar(name, tuple(Part(f"{tier} {percent(share)}", share, style.get(tier, "c5")) for tier, share in shares.items()), _said(shares))
        for name, shares in (("requests by first tier", ours.tiers), ("cost by tier called", ours.tier_costs))
    ]
    title = f"Requests by tier: {_said(ours.tiers)}. Cost by tier: {_said(ours.tier_costs)}"
    usual = [f"{tier}: {said}. " for tier, said in USUAL.items() if tier in ours.tiers]
    return present(
        "tiers",
        "Traffic and cost by tier",
        "How many requests begin at each tier, and how much of the money its models take.",
        responsive(lambda width: bars(width, rows, round_percent, title, "share")),
        legend([(style.get(tier, "c5"), tier) for tier in ours.tiers]),
        note(*usual) if usual else None,
    )


def _said(shares: Mapping[str, float]) -> str:
    return ", ".join(f"{tier} {percent(share, 0)}" for tier, share in shares.items())
