"""A discovery as people read it in a terminal."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table

from tierline.evaluation.discover.document import Discovery
from tierline.evaluation.discover.words import COLUMNS, agreement_words, cells_of, summary, title, told
from tierline.evaluation.report.figures import percent, usd

WIDTH = 200
"""Columns of plain text: the table is wide."""
LEFT = (0, 6, 7)
"""Columns of words."""
EACH = 5
"""Types of which more is told."""


def show(console: Console, found: Discovery) -> None:
    """The table, what is to be known of the types that cost most, and how the groups were made."""
    table = Table(title=title(found), title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for place, column in enumerate(COLUMNS):
        table.add_column(column, justify="left" if place in LEFT else "right", min_width=18 if place == 0 else None)
    for one in found.types:
        cells = cells_of(one)
        table.add_row(*cells, style="bold green" if one.saving is not None and one.saving.saved.low > 0 else "")
    if found.rest is not None:
        rest = found.rest
        table.add_row(rest.name, percent(rest.share), percent(rest.cost_share), usd(rest.cost), style="dim")
    console.print(table)
    console.print(summary(found), highlight=False, markup=False, soft_wrap=True)
    console.print(agreement_words(found), highlight=False, markup=False, soft_wrap=True)
    for one in found.types[:EACH]:
        console.print(f"\n{one.name}", style="bold", highlight=False, markup=False)
        for line in told(one):
            console.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)
    if len(found.types) > EACH:
        console.print(f"\nThe other {len(found.types) - EACH} types: --markdown, --html or --json.", highlight=False)
    for said in found.notes:
        console.print(f"note: {said}", highlight=False, markup=False, soft_wrap=True)
