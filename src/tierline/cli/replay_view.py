"""A replay as tables for people."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from tierline.evaluation.counterfactual import Value, Weights
from tierline.evaluation.interval import Figure
from tierline.evaluation.replay.document import Evidence, Replay

_GROUPS = 15
_WIDTH = 140
_FIGURES = {"the log": "logged", "new, doubly robust": "dr", "new, IPS": "ips", "new, self-normalised": "snips"}


def console(*, errors: bool = False) -> Console:
    """The terminal, or plain text of a fixed width where there is none; `errors`: on the error stream."""
    found = Console(stderr=errors)
    return found if found.is_terminal else Console(stderr=errors, width=_WIDTH)


def show(console: Console, found: Replay, examples: int) -> None:
    """The whole replay; `examples` bounds the explained changes."""
    _head(console, found)
    console.print(_shares("first choice", found.models))
    _money(console, found)
    if found.changes:
        console.print(_changes(found))
        _examples(console, found, examples)
    if found.evidence is not None:
        _evidence(console, found.evidence)
    for caveat in found.caveats:
        console.print(f"note: {caveat}", highlight=False)


def _head(console: Console, found: Replay) -> None:
    rows = found.rows
    console.print(
        f"[bold]{rows.read:,} rows of {found.source} under {found.spec}[/bold] ({found.fingerprint})",
        highlight=False,
        soft_wrap=True,
    )
    share = rows.changed / rows.decided if rows.decided else 0.0
    said = [
        f"{rows.changed:,} go to another model first ({share:.1%})",
        f"{rows.plan_changed:,} to the same with another plan behind it",
        f"{rows.same:,} do not change",
    ]
    if rows.refused:
        said.append(f"{rows.refused:,} would be refused")
    if rows.tools:
        said.append(f"{rows.tools:,} were answered by tools")
    console.print("; ".join(said) + ".", highlight=False)
    if rows.screened:
        console.print(f"Of {rows.screened:,} rows only the first choice was compared (--quick).")
    if rows.own:
        own = rows.own - len(rows.unfaithful)
        console.print(f"{rows.own:,} rows were decided by this very spec: {own:,} of them came out the same to the last digit.")


def _shares(title: str, shares: Mapping[str, tuple[float, float]]) -> Table:
    table = Table(title, "before", "after", "change")
    for name, (before, after) in shares.items():
        table.add_row(name or "nobody", f"{before:.1%}", f"{after:.1%}", f"{after - before:+.1%}")
    return table


def _money(console: Console, found: Replay) -> None:
    money, took = found.reckoned, found.latency
    if money is not None:
        share = "" if money.share is None else f" ({money.share:+.1%})"
        console.print(
            f"First calls, as the decisions reckon them: ${money.before:.6f} → ${money.after:.6f} a request{share}.", highlight=False
        )
    if took is not None and took.change.value is not None:
        console.print(
            f"Seconds a request, by task and model: {took.before:.2f} → {took.after:.2f}, change {interval(took.change, '+.2f')}"
            + (f"; unknown for {took.unknown:,} rows" if took.unknown else "")
            + ".",
            highlight=False,
        )
    elif took is not None:
        console.print(f"Change in latency: unknown, {took.change.why}.", highlight=False)


def _changes(found: Replay) -> Table:
    table = Table(
        "rows", "kind", "why", "task", "before", "after", "USD, first calls", "evidence", title="What changes", title_justify="left"
    )
    for change in found.changes[:_GROUPS]:
        table.add_row(
            f"{change.count:,}",
            change.kind,
            change.why,
            change.task or "–",
            change.before or "nobody",
            change.after or "nobody",
            f"{change.cost:+.4f}",
            "none" if not change.supported else f"{change.supported:,}",
        )
    if len(found.changes) > _GROUPS:
        table.caption = f"and {len(found.changes) - _GROUPS} more groups; --json has them all"
    return table


def _examples(console: Console, found: Replay, most: int) -> None:
    for change in found.changes[:most]:
        for one in change.examples[:1]:
            console.print(f"\n[bold]{one.request_id}[/bold]: {one.before} → {one.after}", highlight=False)
            for sentence in one.explanation:
                console.print(f"  {sentence}", highlight=False, markup=False, soft_wrap=True)
    if most:
        console.print()


def _evidence(console: Console, evidence: Evidence) -> None:
    how = "as the specs that decided tell" if evidence.exact else "as far as seen in the same route and task"
    console.print(
        f"[bold]What the log can prove[/bold]: its policy could have done the same on {evidence.coverage:.1%} of the rows, "
        f"and on {evidence.changed_coverage:.1%} of those that change ({how}).",
        highlight=False,
        soft_wrap=True,
    )
    table = Table("on the supported rows", "quality", "USD a request", "seconds a request")
    values = ((evidence.quality, ".3f"), (evidence.cost, ".6f"), (evidence.latency, ".3f"))
    for name, figure in _FIGURES.items():
        table.add_row(name, *("no evidence" if value is None else interval(getattr(value, figure), form) for value, form in values))
    table.add_row("change", *("no evidence" if value is None else interval(value.change, "+" + form) for value, form in values))
    table.add_row("rows", *("0" if value is None else f"{value.weights.rows:,}" for value, _ in values))
    console.print(table)
    _weights(console, evidence.quality or evidence.cost)
    if evidence.quality_bounds is not None and evidence.coverage < 1.0:
        low, high = evidence.quality_bounds
        console.print(f"Over all rows the change in quality lies between {low:+.3f} and {high:+.3f}: no evidence narrows it further.")
    if evidence.none:
        console.print(_none(evidence))
    if evidence.needed:
        _needed(console, evidence)


def _weights(console: Console, value: Value | None) -> None:
    if value is None:
        return
    weights: Weights = value.weights
    clipped = f"{weights.clipped:,} clipped" if weights.clipped else "none clipped"
    console.print(
        f"Weights: effective sample size {weights.effective:,.0f} of {weights.rows:,}, largest {weights.largest:.1f}, "
        f"mean {weights.mean:.3f}, {clipped}.",
        highlight=False,
    )
    if weights.doubtful:
        console.print("The mean weight is not 1: the logged propensities do not fit what was done. Do not trust these figures.")


def _none(evidence: Evidence) -> Table:
    table = Table("rows", "no evidence, because", "for example", title="Rows without evidence", title_justify="left")
    for none in evidence.none:
        table.add_row(f"{none.rows:,}", none.why, ", ".join(none.examples[:2]))
    return table


def _needed(console: Console, evidence: Evidence) -> None:
    console.print("No support: what a model would have answered where chance never chose it, no log can tell. Leave some of it to chance:")
    table = Table(
        "interval of the change", "share left to chance", "judged requests among those that change", "requests of this log's kind"
    )
    for need in evidence.needed:
        requests = "–" if need.requests is None else f"{need.requests:,}"
        table.add_row(f"± {need.half:.2f}", f"{need.explore:.0%}", f"{need.labelled:,}", requests)
    console.print(table)
    console.print(
        "`explore` sends its share one tier up. To learn about a model that is not the cheapest of the next tier, use `select: weighted`.",
        highlight=False,
    )


def interval(figure: Figure, form: str) -> str:
    """A figure with its interval, or why there is none."""
    if figure.value is None:
        return f"unknown ({figure.why})" if figure.why else "unknown"
    if figure.low is None or figure.high is None:
        return f"{figure.value:{form}} (no interval)"
    return f"{figure.value:{form}} [{figure.low:{form}}, {figure.high:{form}}]"
