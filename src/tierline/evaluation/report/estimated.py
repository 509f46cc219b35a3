"""The report of an estimate: stands until its sections do."""

from __future__ import annotations

from tierline.evaluation.estimate.document import Estimate


def estimate_report(found: Estimate, title: str = "", made: str = "") -> str:
    raise NotImplementedError
