"""The letters that a pattern cannot match without: where they are missing from a text, the pattern need not be asked.

Read cautiously: only what stands on the outermost level, outside of every group, class and alternation, counts, and no letter that may be
left out. So the answer may be shorter than it could be, but it is never wrong.
"""

from __future__ import annotations

SHORTEST = 3
"""Fewer letters than this are found in nearly every text."""

_REPEATS_OR_NOTHING = frozenset("?*{")
_CLASSES = frozenset("dDsSwWbBAzpPQEC")
_NOT_LETTERS = frozenset("^$.")


def required(pattern: str) -> str:
    """The longest run of ASCII characters, in lower case, that stands in every text that an RE2 pattern matches; empty where there is none
    of at least `SHORTEST`."""
    runs, at = [""], 0
    if "\\Q" in pattern:
        return ""
    while at < len(pattern):
        if pattern[at] == "|":
            return ""
        literal, at = _next(pattern, at)
        follows = pattern[at : at + 1]
        if literal and follows not in _REPEATS_OR_NOTHING:
            runs[-1] += literal
        elif runs[-1]:
            runs.append("")
        if follows in _REPEATS_OR_NOTHING or follows == "+":
            at = _after_repeat(pattern, at)
            runs.append("")
    longest = max(runs, key=len).lower()
    return longest if len(longest) >= SHORTEST else ""


def _next(pattern: str, at: int) -> tuple[str, int]:
    """The character that a place stands for itself (empty: a class, a group, an anchor), and the place after it."""
    letter = pattern[at]
    if letter == "\\":
        escaped = pattern[at + 1 : at + 2]
        plain = escaped and escaped.isascii() and not escaped.isalnum()
        return (escaped if plain else "", at + 2 if plain or escaped in _CLASSES - {"p", "P"} else len(pattern))
    if letter == "[":
        return "", _after_class(pattern, at)
    if letter == "(":
        return "", _after_group(pattern, at)
    return ("" if letter in _NOT_LETTERS or not letter.isascii() else letter), at + 1


def _after_class(pattern: str, at: int) -> int:
    """The place behind a class such as `[a-z]`; the first `]` may be a member."""
    at += 2 if pattern[at + 1 : at + 2] == "^" else 1
    at += pattern[at : at + 1] == "]"
    while at < len(pattern) and pattern[at] != "]":
        named = pattern.find(":]", at) if pattern.startswith("[:", at) else -1
        at = named + 2 if named >= 0 else at + (2 if pattern[at] == "\\" else 1)
    return at + 1


def _after_group(pattern: str, at: int) -> int:
    """The place behind a group, whatever it holds."""
    depth = 0
    while at < len(pattern):
        letter = pattern[at]
        if letter == "[":
            at = _after_class(pattern, at)
            continue
        depth += (letter == "(") - (letter == ")")
        at += 2 if letter == "\\" else 1
        if depth == 0:
            break
    return at


def _after_repeat(pattern: str, at: int) -> int:
    """The place behind `?`, `*`, `+` or `{…}`, lazy or not."""
    if pattern[at] == "{":
        at = pattern.find("}", at)
        if at < 0:
            return len(pattern)
    return at + 1 + (pattern[at + 1 : at + 2] == "?")
