"""The report of an estimate: the worksheet and what comes of it, as one HTML file after the manner of the evaluation's."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tierline.evaluation.estimate.document import Estimate
from tierline.evaluation.report.page import page
from tierline.evaluation.report.section import Section
from tierline.evaluation.report.sections.estimated_policies import estimate_hero, money_goes, policies, tiers
from tierline.evaluation.report.sections.estimated_tasks import moves, origins, sheet, tasks, turns

SECTIONS: Sequence[Callable[[Estimate], Section]] = (sheet, policies, tasks, money_goes, tiers, moves, turns, origins)
"""In the order of the page."""


def estimate_report(found: Estimate, title: str = "Tierline estimate", made: str = "") -> str:
    """The page; `made` says when and by what command, as it is to stand at its foot."""
    return page(title, estimate_hero(found), [section(found) for section in SECTIONS], made)
