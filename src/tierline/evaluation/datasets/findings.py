"""What is found wrong with the data: reported with what was done about it, and never guessed over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from tierline.evaluation.document import Finding
from tierline.types.errors import EvaluationFailure

EXAMPLES = 5
"""Ids shown of each problem."""


class Findings:
    """Collects findings while data are read."""

    def __init__(self) -> None:
        self._found: list[Finding] = []

    def note(self, kind: str, message: str, count: int = 0, examples: Sequence[str] = ()) -> None:
        """Something to know."""
        self._add("note", kind, message, count, examples)

    def warn(self, kind: str, message: str, count: int = 0, examples: Sequence[str] = ()) -> None:
        """Something that weakens what is measured."""
        self._add("warning", kind, message, count, examples)

    def error(self, kind: str, message: str, count: int = 0, examples: Sequence[str] = ()) -> None:
        """Something that nothing can be measured with."""
        self._add("error", kind, message, count, examples)

    def all(self) -> tuple[Finding, ...]:
        """Everything found, in the order of finding."""
        return tuple(self._found)

    def stop_at_errors(self) -> None:
        """Raises EvaluationFailure with every error that was found."""
        errors = [finding.message for finding in self._found if finding.severity == "error"]
        if errors:
            raise EvaluationFailure("\n".join(errors))

    def _add(self, severity: Literal["note", "warning", "error"], kind: str, message: str, count: int, examples: Sequence[str]) -> None:
        self._found.append(Finding(kind, severity, message, count, tuple(examples[:EXAMPLES])))
