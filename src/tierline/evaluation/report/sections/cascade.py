"""What escalation did, where attempts were logged."""

from __future__ import annotations

from tierline.evaluation.document import Cascade, Document
from tierline.evaluation.report.figures import count, percent, seconds, usd
from tierline.evaluation.report.section import Section, absent, present, references, routers, table, why_not


def cascade(document: Document) -> Section:
    """A row a router that escalates."""
    shown = routers(document)
    told = [(row.name, row.row.cascade) for row in (*shown, *references(document)) if row.row.cascade is not None]
    if not told:
        return absent("cascade", "Escalation", why_not(shown, "cascade", "only a decision log or a simulation holds attempts"))
    head = ["router", "requests", "escalated", "fell back", "flagged", "accepted answers that were good", "wasted / 1,000", "added latency"]
    return present(
        "cascade",
        "Escalation",
        "An escalation pays for an answer that is thrown away. It is worth it while the accepted answers are good.",
        table("Escalation", head, [_row(name, one) for name, one in told]),
    )


def _row(name: str, one: Cascade) -> list[str]:
    judged = f"{percent(one.accept_precision)} of {count(one.judged)} judged" if one.accept_precision is not None else "none was judged"
    rates = [percent(rate) for rate in (one.escalation_rate, one.fallback_rate, one.flagged_rate)]
    return [name, count(one.requests), *rates, judged, usd(one.wasted_cost), seconds(one.added_latency)]
