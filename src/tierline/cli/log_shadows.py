"""`tierline log shadows`: what the models that answered beside were worth, and how far their judge can be believed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table

from tierline.ledger.reader import LedgerReader
from tierline.ledger.shadows import Shadowed, Shadows, Standing

_WIDTH = 140
_SELF_DISAGREEMENT = 0.2
"""A judge that disagrees with itself more often is pointed out."""


class Sum(msgspec.Struct, frozen=True):
    """All shadows together: how many were asked for, and their USD."""

    answers: int
    cost: float


@contextmanager
def opened(path: Path | str) -> Iterator[Shadows | None]:
    """The shadows beside a log, None where there is no ledger."""
    with closing(LedgerReader(path)) as ledger:
        yield ledger.shadows


def standings(
    path: Path | str, since: float = 0.0, until: float | None = None, route: str = "", task: str = "", model: str = ""
) -> list[Standing]:
    """How models stood that answered beside."""
    with opened(path) as shadows:
        return [] if shadows is None else shadows.standings(since, until, route, task, model)


def summed(found: Sequence[Standing]) -> Sum:
    """All of them together."""
    return Sum(sum(each.runs for each in found), sum(each.cost for each in found))


def as_json(found: Sequence[Standing]) -> bytes:
    """For programs: the standings, each with its judge's self-disagreement."""
    return msgspec.json.encode([msgspec.structs.asdict(each) | {"self_disagreement": each.self_disagreement} for each in found])


def show(console: Console, found: Sequence[Standing]) -> None:
    """The standings as a table, and what to make of them."""
    if not found:
        console.print("no model has answered beside: a route's `shadow` says who does")
        return
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for name in ("task", "model", "against", "judge"):
        table.add_column(name, no_wrap=True)
    for name in ("asked", "answered", "passed", "won", "lost", "same", "disagreed", "unread", "itself", "for", "cost", "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in found:
        table.add_row(each.task or "(none)", each.model, each.against, each.judge or "-", *_cells(each))
    console.width = max(console.width, _WIDTH)  # a narrow terminal wraps the lines rather than lose figures
    console.print(table)
    console.print(
        "won, lost: in both orders; disagreed: the judge named the other answer when their order was turned, in `itself` of its "
        "comparisons; for: requests that they stand for, each weighing one over its share, as `passed` is weighted."
    )
    for each in found:
        rate = each.self_disagreement
        if rate is not None and rate > _SELF_DISAGREEMENT:
            what = f"{each.judge} disagrees with itself in {rate:.0%} of {each.won + each.lost + each.disagreed}"
            console.print(
                f"{what} comparisons of {each.model} with {each.against} in {each.task or '(none)'}: do not go by it", style="yellow"
            )


def beside(console: Console, rows: Sequence[Shadowed]) -> None:
    """What answered beside one request."""
    table = Table(title="Beside, once it was answered", title_justify="left", box=None, padding=(0, 1))
    for name in ("model", "outcome", "judgement"):
        table.add_column(name)
    for name in ("cost", "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        checks = [f"{verdict.validator} {'passed' if verdict.passed else 'failed'}" for verdict in row.verdicts]
        outcome = ", ".join(("answered" if row.ok else row.error, *checks))
        judgement = f"{row.judgement} against {row.against}" + (f", says {row.judge}" if row.judge else "") if row.judgement else "-"
        table.add_row(row.model, outcome, judgement, f"${row.cost:.6f}", f"{row.elapsed:.3f}")
    console.print(table)


def _cells(each: Standing) -> list[str]:
    return [
        f"{each.runs:,}",
        f"{each.ok / each.runs:.1%}",
        "-" if each.pass_rate is None else f"{each.pass_rate:.1%} of {each.checked:,}",
        f"{each.won:,}",
        f"{each.lost:,}",
        f"{each.same:,}",
        f"{each.disagreed:,}",
        f"{each.unread:,}",
        "-" if each.self_disagreement is None else f"{each.self_disagreement:.1%}",
        f"{each.requests:,.0f}",
        f"${each.cost:.4f}",
        "-" if each.elapsed is None else f"{each.elapsed:.2f}",
    ]
