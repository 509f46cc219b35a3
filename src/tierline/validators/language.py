"""`language`: the answer is in the right language. Compact Language Detector 2 tells it: 20 µs, 83 languages, offline."""

from __future__ import annotations

import re
from typing import Any

import pycld2

from tierline.config.answer_checks import LanguageCheck
from tierline.config.loaded import Loaded
from tierline.config.validation import Check
from tierline.types.ask import Exchange
from tierline.types.outcome import Finding
from tierline.types.request import Request, Text
from tierline.validators.calls import NOTHING_SAID, says_nothing
from tierline.validators.json_text import found_in

_SAMPLE = 2000
"""Characters looked at."""
_SURE = 60
"""Percent of the text that must be in its leading language."""
_FEWEST_LETTERS = 12
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|https?://\S+|\$\$.*?\$\$", re.S)
_NO_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]|[\U0001fffe-\U0001ffff]")
_MODERN = {"iw": "he", "jw": "jv", "zh-Hant": "zh", "nn": "no", "nb": "no"}
_ALIKE = ({"no", "da"}, {"hr", "sr", "bs"}, {"id", "ms"}, {"cs", "sk"}, {"pt", "gl"})
"""Languages that a short text does not tell apart."""


class Language:
    """See `LanguageCheck`. Code, formulas and addresses are no language, and are not looked at; of JSON, its texts are."""

    asks = False

    def __init__(self, check: Check, loaded: Loaded) -> None:
        settings = check.read(LanguageCheck)
        self.name = check.name
        self._wanted = settings.language
        self._unsure_passes = settings.unsure == "pass"

    def check(self, exchange: Exchange) -> Finding:
        """Compares the answer's language with the wanted one."""
        if says_nothing(exchange):
            return NOTHING_SAID
        wanted = self._wanted if self._wanted != "same" else told_language(last_words(exchange.request)) or exchange.features.language
        if not wanted:
            return Finding(True, "the language of the request is not clear")
        given = told_language(exchange.text)
        if not given:
            return Finding(self._unsure_passes, "the language of the answer is not clear", feedback=f"Answer in the language {wanted!r}.")
        if given == wanted or any({given, wanted} <= group for group in _ALIKE):
            return Finding(True)
        return Finding(False, f"it is in {given}, not in {wanted}", feedback=f"Answer in the language {wanted!r}, not in {given!r}.")


def told_language(text: str) -> str:
    """The ISO 639-1 code of a text's language; empty where it is short, mixed or no prose."""
    prose = _NO_TEXT.sub(" ", _CODE.sub(" ", _words_of_json(text) or text[: 2 * _SAMPLE]))[:_SAMPLE]
    if sum(map(str.isalpha, prose)) < (_FEWEST_LETTERS if prose.isascii() else _FEWEST_LETTERS // 3):
        return ""
    try:
        reliable, _, found = pycld2.detect(prose, isPlainText=True, bestEffort=True)
    except pycld2.error:
        return ""
    _, code, percent, _ = found[0]
    return _MODERN.get(code, code) if reliable and percent >= _SURE and code != "un" else ""


def _words_of_json(text: str) -> str:
    """The texts within an answer that is JSON and nothing else, without its keys; empty for any other."""
    if text.lstrip()[:1] not in ("{", "[", "`"):
        return ""
    found = next(found_in(text), None)
    if found is None or not found.place.whole:
        return ""
    words: list[str] = []
    waiting: list[Any] = [found.value]
    while waiting and len(words) < _SAMPLE:
        at = waiting.pop()
        if isinstance(at, str):
            words.append(at)
        elif isinstance(at, dict | list):
            waiting += reversed(list(at.values()) if isinstance(at, dict) else at)
    return "\n".join(words)


def last_words(request: Request) -> str:
    """What the user said last."""
    for message in reversed(request.messages):
        if message.role == "user":
            words = "\n".join(part.text for part in message.parts if isinstance(part, Text))
            if words.strip():
                return words
    return ""
