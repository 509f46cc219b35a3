"""What was found, as Markdown for a wiki or a pull request."""

from __future__ import annotations

from collections.abc import Sequence

from tierline.evaluation.discover.document import Discovery
from tierline.evaluation.discover.words import COLUMNS, agreement_words, cells_of, summary, title, told
from tierline.evaluation.report.figures import percent, usd


def to_markdown(found: Discovery) -> str:
    """The types, what is known of each, and an entry of `tasks:` for those that have none."""
    lines = [
        f"# {title(found)}",
        "",
        summary(found),
        "",
        agreement_words(found),
        "",
        _row(COLUMNS),
        _row(["---", *["---:"] * (len(COLUMNS) - 1)]),
    ]
    lines += [_row(cells_of(one)) for one in found.types]
    if found.rest is not None:
        lines.append(
            _row(
                [
                    found.rest.name,
                    percent(found.rest.share),
                    percent(found.rest.cost_share),
                    usd(found.rest.cost),
                    *[""] * (len(COLUMNS) - 4),
                ]
            )
        )
    for one in found.types:
        lines += ["", f"## {one.name}", "", *[f"* {line}" for line in told(one)]]
        if one.suggestion:
            lines += ["", "```yaml", "tasks:", *[f"  {line}" for line in one.suggestion.splitlines()], "```"]
    if found.notes:
        lines += ["", "## To know", "", *[f"* {note}" for note in found.notes]]
    return "\n".join([*lines, ""])


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
