"""A candidate's text: the spec with the changes in it, its comments where they were, and what was changed and why on top."""

from __future__ import annotations

import datetime
import difflib
from collections.abc import Sequence

from tierline.evaluation.propose.changes import Change
from tierline.evaluation.propose.edit import edited, written

_TITLE = "# proposed by tierline propose"
_ENTRY = "#   "


def candidate_text(text: str, changes: Sequence[Change], made: float, sources: Sequence[str]) -> str:
    """The text with every change; `made` is Unix time in seconds. A heading of an earlier proposal gives way."""
    for change in changes:
        text = edited(text, change.place, change.becomes)
    day = datetime.datetime.fromtimestamp(made, datetime.UTC).date().isoformat()
    heading = [f"{_TITLE} on {day} from {', '.join(sources)}; measured on half of it, certified on the other"]
    heading += [f"{_ENTRY}{one.where}: {written(one.was)} → {written(one.becomes)}: {one.evidence}" for one in changes]
    return "\n".join(heading) + "\n" + _without_heading(text)


def diff_of(before: str, after: str, name: str, other: str) -> str:
    """The unified diff of two texts."""
    return "".join(difflib.unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True), name, other))


def _without_heading(text: str) -> str:
    lines = text.splitlines(keepends=True)
    if not lines or not lines[0].startswith(_TITLE):
        return text
    last = next((number for number, line in enumerate(lines[1:], 1) if not line.startswith(_ENTRY)), len(lines))
    return "".join(lines[last:])
