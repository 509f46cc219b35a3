"""Looks for what would make a measurement wrong: duplicates, leakage, mixed scales, missing and unmeasured cells. Counts in DuckDB."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np

from tierline.evaluation.datasets.decision_log import Heard
from tierline.evaluation.datasets.findings import EXAMPLES, Findings
from tierline.evaluation.table import Table

FEW = 100
"""Fewer queries than this make wide intervals, and are said to."""


def rows(database: duckdb.DuckDBPyConnection, raw: str, findings: Findings) -> None:
    """What is wrong with single values; `raw` names the tidy rows."""
    outside = database.sql(
        f"""SELECT dataset, model, min(score), max(score), count(*) FROM {raw}
        WHERE isfinite(score) AND (score < 0 OR score > 1) GROUP BY ALL ORDER BY dataset, model"""  # noqa: S608  # a name of ours
    ).fetchall()
    if outside:
        where = "; ".join(f"{model} on {dataset}: {low:g} to {high:g}" for dataset, model, low, high, _ in outside[:EXAMPLES])
        percent = all(low >= 0 and 1 < high <= 100 for _, _, low, high, _ in outside)
        findings.error(
            "scale",
            f"scores must lie between 0 and 1, but some do not ({where})"
            f"{'; they look like percent: give --score-scale 100' if percent else ''}",
            sum(count for *_, count in outside),
        )
    empty, negative, uncosted, costed = _one(
        database,
        f"""SELECT count(*) FILTER (score IS NULL OR NOT isfinite(score)), count(*) FILTER (cost < 0),
        count(*) FILTER (cost IS NULL OR NOT isfinite(cost)), count(*) FILTER (isfinite(cost)) FROM {raw} WHERE model IS NOT NULL""",  # noqa: S608
    )
    if empty:
        findings.warn("no_score", f"{empty:,} rows have no score (empty or NaN); their cells are left empty", empty)
    if negative:
        findings.error("negative_cost", f"{negative:,} costs are negative: USD a query, 0 or more", negative)
    if uncosted and costed:
        findings.warn("no_cost", f"{uncosted:,} rows have no cost (empty, NaN or infinite); their cells are not compared", uncosted)
    elif uncosted:
        findings.warn(
            "no_costs", "no row has a cost: figures in USD, and the advantage over a mix of the same cost, are not there", uncosted
        )


def cells(database: duckdb.DuckDBPyConnection, findings: Findings) -> None:
    """What is wrong with whole cells and queries."""
    same, different = _one(
        database, "SELECT count(*) FILTER (times > 1 AND scores <= 1), count(*) FILTER (times > 1 AND scores > 1) FROM cells"
    )
    if same or different:
        worst = _ids(database, "q IN (SELECT q FROM cells WHERE times > 1)")
        findings.warn(
            "duplicates",
            f"{same + different:,} cells were measured more than once ({different:,} with different scores): each counts once, with the "
            "mean of its scores and costs",
            same + different,
            worst,
        )
    (clashes,) = _one(database, "SELECT count(*) FROM queries WHERE text IS DISTINCT FROM other_text")
    if clashes:
        findings.warn(
            "one_id_many_texts",
            f"{clashes:,} query ids stand for different texts: their answers were taken together, under the first text",
            clashes,
            _ids(database, "text IS DISTINCT FROM other_text"),
        )


def leakage(database: duckdb.DuckDBPyConnection, findings: Findings) -> None:
    """The same words in several splits, data sets or queries."""
    for kind, what, severity in (("split", "splits", "warn"), ("dataset", "data sets", "warn"), ("id", "queries of one data set", "note")):
        several = "count(DISTINCT id) > 1 AND count(DISTINCT dataset) = 1" if kind == "id" else f"count(DISTINCT {kind}) > 1"
        leaked = f"same IN (SELECT same FROM queries WHERE text IS NOT NULL GROUP BY same HAVING {several})"  # noqa: S608
        (count,) = _one(database, f"SELECT count(*) FROM queries WHERE {leaked}")  # noqa: S608  # names of this file
        if count:
            report = findings.warn if severity == "warn" else findings.note
            report(
                f"same_text_across_{what.split()[0] if kind != 'dataset' else 'datasets'}",
                f"{count:,} queries recur, word for word, in several {what}: cross-validation keeps them in one fold, but a router trained "
                "elsewhere may have seen them",
                count,
                _ids(database, leaked),
            )


def table(read: Table, findings: Findings) -> None:
    """What the table is too small, too empty or too even for."""
    compared = int(read.complete.sum())
    missing = int(np.isnan(read.score).sum())
    if missing and compared:
        findings.warn(
            "missing_cells",
            f"{missing:,} of {read.score.size:,} cells are empty: figures are over the {compared:,} of {len(read.query):,} queries that "
            "every model was measured on (--models a,b,… compares fewer models on more queries)",
            missing,
        )
    if 0 < compared < FEW:
        findings.warn("few_queries", f"only {compared:,} queries can be compared: intervals are wide", compared)
    if len(read.models) == 1:
        findings.warn("one_model", f"{read.models[0]} is the only model: there is nothing to route between", 1)
    full = read.score[read.complete]
    if compared and bool((full == full.flat[0]).all()):
        findings.warn("constant_scores", f"every score is {full.flat[0]:g}: no router can do better or worse than another", compared)


def _one(database: duckdb.DuckDBPyConnection, query: str) -> Any:
    return database.execute(query).fetchall()[0]


def _ids(database: duckdb.DuckDBPyConnection, condition: str) -> list[str]:
    found = database.sql(f"SELECT coalesce(id, left(key, 40)) FROM queries WHERE {condition} ORDER BY q LIMIT {EXAMPLES}")  # noqa: S608
    return [str(one) for (one,) in found.fetchall()]


def heard(found: Heard, findings: Findings) -> None:
    """What is to be known of the labels of a log before anything is learned from them."""
    if found.sources:
        listed = ", ".join(f"{source} {many:,}" for source, many in sorted(found.sources.items(), key=lambda one: -one[1]))
        findings.note("labels", f"labels by source: {listed}", sum(found.sources.values()))
    if found.conflicts:
        findings.warn(
            "conflicts",
            f"on {found.conflicts:,} answers trusted sources disagree (`tierline labels --conflicts` lists them)",
            found.conflicts,
        )
    if found.unheard:
        findings.warn(
            "unheard",
            f"{found.unheard:,} answers have no label that may train: judges without a valid verdict, or trust of one half "
            "(`tierline labels judge` validates a judge)",
            found.unheard,
        )
    if found.left_aside:
        findings.note(
            "left_aside",
            f"{found.left_aside:,} judged answers are left aside: they were asked for because another was not good enough",
            found.left_aside,
        )
    if found.explored:
        findings.note(
            "explored",
            f"{found.explored:,} answers were chosen with a propensity below one; they stand for {found.explored_weight:,.0f} "
            "(sum of 1 / propensity)",
            found.explored,
        )
    if found.shadows:
        findings.note("shadows", f"{found.shadows:,} answers of shadows stand beside those given", found.shadows)
