"""Collecting problems: each with its line, its dotted path and the nearest word that would have been right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from tierline.config.document import Document, Place, dotted
from tierline.types.errors import Problem


class Problems:
    """What is wrong with one document, in the order found."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self.found: list[Problem] = list(document.problems)

    @property
    def file(self) -> str:
        """The file of the document."""
        return self._document.file

    def error(self, place: Place, reason: str, suggestion: str = "") -> None:
        """Something that refuses the spec."""
        self._add(place, reason, suggestion, "error")

    def warn(self, place: Place, reason: str, suggestion: str = "") -> None:
        """Something that is taken, and shown."""
        self._add(place, reason, suggestion, "warning")

    def unknown(self, place: Place, kind: str, name: str, known: Iterable[str]) -> None:
        """A name that nothing bears; the nearest known one, or all of them when they are few, is suggested."""
        self.error(place, f"there is no {kind} {name!r}", did_you_mean(name, known))

    def line(self, place: Place) -> int:
        """The line at which something stands."""
        return self._document.line(place)

    @property
    def errors(self) -> bool:
        """True once anything refuses the spec."""
        return any(problem.severity == "error" for problem in self.found)

    def sorted(self) -> tuple[Problem, ...]:
        """Every problem once, by line, errors before warnings on the same line."""
        return tuple(sorted(dict.fromkeys(self.found), key=lambda p: (p.line, p.severity != "error", p.path)))

    def _add(self, place: Place, reason: str, suggestion: str, severity: str) -> None:
        document = self._document
        self.found.append(Problem(document.file, document.line(place), dotted(place), reason, suggestion, severity))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A suggestion for a misspelt name; empty when nothing is known."""
    words = sorted(set(known))
    near = difflib.get_close_matches(name, words, 1, 0.6) or difflib.get_close_matches(name.lower(), words, 1, 0.6)
    if near:
        return f"did you mean {near[0]!r}?"
    if not words:
        return ""
    return f"known: {', '.join(words[:12])}{', …' if len(words) > 12 else ''}"
