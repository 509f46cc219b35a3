"""An estimate as Markdown: what a team reviews in a pull request."""

from __future__ import annotations

from collections.abc import Sequence

from tierline.evaluation.estimate.document import Estimate
from tierline.evaluation.estimate.source import written
from tierline.evaluation.estimate.words import (
    COLUMNS,
    MARKS,
    cells_of,
    inputs_named,
    money,
    numbers_of,
    per_thousand,
    points_range,
    range_of,
    said_volume,
    share_range,
    task_cells,
)
from tierline.evaluation.report.figures import NONE, percent, seconds

_TASKS = ("task", "USD/1,000", "quality", "meets its bar", "median", "p95", "risk, USD/1,000", "retried", "climbs", "flagged")
_POLICIES = (
    "policy",
    "USD/1,000",
    "quality",
    "median",
    "p95",
    "risk, USD/1,000",
    "saved a day",
    "a month",
    "a year",
    "quality against the best",
)


def to_markdown(found: Estimate, most: int = 12) -> str:
    """Worksheet, policies, tasks, the `most` largest swings, break-even points, and where every number came from."""
    parts = [
        f"# Worksheet and estimate of {found.spec}",
        f"Spec {found.fingerprint}, {said_volume(found)}. Ranges hold nine times out of ten ({found.draws} draws, seed {found.seed}). "
        + ", ".join(f"{mark} {kind}" for kind, mark in MARKS.items())
        + ".",
        "## Worksheet",
        _table(COLUMNS, [cells_of(row) for row in found.worksheet.rows]),
        "## Policies",
        _table(_POLICIES, _policies(found)),
        "\n".join(f"- **{policy.name}**: {policy.about}" for policy in found.policies),
        "## Tasks under the spec",
        _table(_TASKS, [task_cells(task) for task in found.chosen.tasks]),
        "## What moves the answer most",
        _table(("input", "from", "to", "USD/1,000 with risk", "quality"), _swings(found, most)),
        "## Break-even",
        "\n".join(f"- {f'{point.task}: ' if point.task else ''}{point.says}" for point in found.break_even),
        "## Where the numbers came from",
        _table(("task", "column", "value", "nine times out of ten", "source"), _sources(found)),
        "## Taken for granted",
        "\n".join(f"- {said}" for said in (*(f"no policy {name!r}: {why}" for name, why in found.absent.items()), *found.assumed)),
    ]
    return "\n\n".join(parts) + "\n"


def _policies(found: Estimate) -> Sequence[Sequence[str]]:
    rows = []
    for policy in found.policies:
        saving = policy.saving
        saved = [range_of(period, money) for period in (saving.day, saving.month, saving.year)] + [points_range(saving.quality)]
        rows.append(
            (
                policy.name,
                range_of(policy.cost, per_thousand),
                share_range(policy.quality),
                seconds(policy.latency_p50.value),
                seconds(policy.latency_p95.value),
                range_of(policy.risk, per_thousand),
                *([NONE] * 4 if policy.name == "all best" else saved),
            )
        )
    return rows


def _swings(found: Estimate, most: int) -> Sequence[Sequence[str]]:
    return [
        (swing.name, *inputs_named(swing), " … ".join(map(per_thousand, swing.whole)), " … ".join(map(percent, swing.quality)))
        for swing in found.sensitivity[:most]
    ]


def _sources(found: Estimate) -> Sequence[Sequence[str]]:
    rows = []
    for row in found.worksheet.rows:
        for name, number in zip(COLUMNS, numbers_of(row), strict=True):
            if number is not None:
                scale = 1000.0 if name.startswith("USD") else 1.0
                low, high = (f"{end * scale:.4g}" for end in (number.low, number.high))
                rows.append(
                    (row.task, name, f"{number.value * scale:.4g}", NONE if low == high else f"{low} … {high}", written(number.source))
                )
    return rows


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |" for line in lines)
