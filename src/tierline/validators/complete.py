"""`complete`: the answer is whole, and does not go round in circles."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from tierline.config.answer_checks import CompleteCheck
from tierline.config.loaded import Loaded
from tierline.config.validation import Check
from tierline.types.ask import Exchange
from tierline.types.conversation import Text
from tierline.types.outcome import Finding
from tierline.validators.json_text import found_in

_FENCE = re.compile(r"^[ \t]*```", re.M)
_ENDS = tuple(".!?…:;。！？：；।؟)]}>\"'”’»`*_|~$\\-—=/")
_DANGLING = re.compile(
    r"(?:,|\b(?:and|or|the|a|an|of|to|with|for|in|that|which|und|oder|der|die|das|et|ou|le|la|les|de|y|o|el|los|que|e|il|um|uma))$", re.I
)
_OPENS_JSON = re.compile(r'\{\s*"|\[\s*[\[{"]')
_ITEM = re.compile(r"^\s*(?:[-*+•|#>]|\d+[.)])")
_SENTENCE = 6
"""Words of a line that is read as a sentence."""
_TAIL = 6000
_LONGEST_PERIOD = 80
_REPEATS = 4
_FEWEST_WORDS = 24
_FEWEST_CHARS = 80
_SAME_LINES = 8
_LINE = 20


class Complete:
    """See `CompleteCheck`."""

    asks = False

    def __init__(self, check: Check, loaded: Loaded) -> None:
        self.name = check.name
        self._look_for = check.read(CompleteCheck).complete

    def check(self, exchange: Exchange) -> Finding:
        """The first sign that it is not."""
        if self._look_for != "loops" and (sign := truncated(exchange)):
            return Finding(False, sign, feedback="The answer stops before its end. Give a whole answer; be shorter if it has to fit.")
        if self._look_for != "truncation" and (sign := loops(exchange.text)):
            return Finding(False, sign, feedback="The answer repeats itself. Say each thing once.")
        return Finding(True)


def truncated(exchange: Exchange) -> str:
    """The sign that an answer was cut short, empty where there is none."""
    text = exchange.text.strip()
    if exchange.finish == "length":
        return "it ran out of tokens"
    if not text:
        other = any(not isinstance(part, Text) for choice in exchange.answer.choices[:1] for part in choice.parts)
        return "" if other or exchange.finish in ("content_filter", "refusal", "tool_calls") else "it is empty"
    if len(_FENCE.findall(text)) % 2:
        return "a code fence is left open"
    if _OPENS_JSON.match(text) and text[-1] not in "]}" and next(found_in(text), None) is None:
        return "JSON is left open"
    return "it ends within a sentence" if _ends_within_sentence(text) else ""


def _ends_within_sentence(text: str) -> bool:
    """True for a last line of prose that stops after a comma or a little word, or without a point where the lines before it have one."""
    *before, last = [line.strip() for line in text.splitlines() if line.strip()]
    if len(last.split()) < _SENTENCE or last.endswith(_ENDS) or "```" in text[-400:]:
        return False
    if _DANGLING.search(last):
        return True
    prose = [line for line in before if len(line.split()) >= _SENTENCE and not _ITEM.match(line)]
    inside = re.search(r"[.!?]\s+[^\W\d_]", last) is not None
    return not _ITEM.match(last) and (inside or bool(prose)) and all(line.endswith(_ENDS) for line in prose)


def loops(text: str) -> str:
    """The sign that an answer goes round in circles, empty where there is none."""
    tail = text[-_TAIL:]
    if _circles(tail.split(), _FEWEST_WORDS):
        return "it ends in words that repeat"
    if _circles(re.sub(r"[\W_]+", "", tail), _FEWEST_CHARS):
        return "it ends in signs that repeat"
    lines = [re.sub(r"^[\W\d_]+", "", line) for line in text[: 10 * _TAIL].splitlines()]
    long = [line for line in lines if len(line) >= _LINE]
    most = max(Counter(long).values(), default=0)
    return "the same line stands again and again" if most >= _SAME_LINES and 2 * most >= len(long) else ""


def _circles(items: Sequence[str], fewest: int) -> bool:
    """Whether the end of a sequence is one short piece several times in a row, over at least so many items."""
    count = len(items)
    for period in range(1, min(_LONGEST_PERIOD, count // 2) + 1):
        needed = max(fewest, _REPEATS * period)
        if count < needed:
            return False
        run = period
        while run < needed and items[count - 1 - run] == items[count - 1 - run + period]:
            run += 1
        if run >= needed:
            return True
    return False
