"""Do the patterns and keywords of signals and task hints compile, and do they say something?"""

from __future__ import annotations

from collections.abc import Sequence

import re2

from tierline.config.case import Case
from tierline.config.document import Place

_OPTIONS = re2.Options()
_OPTIONS.log_errors = False


def examine_patterns(case: Case) -> None:
    """Reports patterns that RE2 does not take, empty keywords, and hints that match everything or nothing."""
    for name, signal in case.spec.signals.items():
        _words(case, ("signals", name), signal.keywords, signal.patterns)
        if case.whole and not signal.keywords and not signal.patterns:
            case.problems.error(("signals", name), "it counts nothing", "add keywords: or patterns:")
    for name, task in case.spec.tasks.items():
        if task.match is None:
            continue
        place, match = ("tasks", name, "match"), task.match
        _words(case, place, match.keywords, match.patterns)
        if case.whole and not (match.keywords or match.patterns or match.system_prompt or match.operation):
            case.problems.error(place, "it matches nothing", "add keywords, patterns, system_prompt or operation, or remove it")
        if match.system_prompt and not match.system_prompt.strip("*? "):
            case.problems.error(
                (*place, "system_prompt"), "this glob matches every system prompt", "name some of its words, e.g. Extract the order*"
            )


def _words(case: Case, place: Place, keywords: Sequence[str], patterns: Sequence[str]) -> None:
    for index, keyword in enumerate(keywords):
        if not keyword.strip():
            case.problems.error((*place, "keywords", index), "a keyword is empty", "remove it")
    for index, pattern in enumerate(patterns):
        pattern_takes(case, (*place, "patterns", index), pattern)


def pattern_takes(case: Case, place: Place, pattern: str) -> None:
    """Reports a pattern that RE2 does not take, or that every text matches."""
    try:
        compiled = re2.compile(pattern, _OPTIONS)
    except re2.error as error:
        words = error.args[0].decode("utf-8", "replace") if error.args and isinstance(error.args[0], bytes) else str(error)
        hint = "RE2 has no look-around and no back-references; see its syntax page"
        case.problems.error(
            place, f"RE2 does not take this pattern: {words}", hint if "perl operator" in words or "escape" in words else "mend the pattern"
        )
        return
    if compiled.search("") is not None:
        case.problems.error(place, "this pattern matches the empty text, and so every text", "make some part of it required")
