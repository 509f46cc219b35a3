"""Placeholders in place of values, and back: `[EMAIL_1]` goes out, and the address comes back to the client.

    vault.hide(text)            every value of the request, wherever it stands → its placeholder
    vault.reveal(text)          and back; revealing what was hidden gives the very same text
    vault.revealing()           the same for a text that comes in pieces, cut anywhere

A vault lives as long as its request and is never written anywhere. Placeholders are numbered by kind in the order of the request, so a
conversation that grows keeps those it has. A number is passed over where the request itself spells such a placeholder.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

SHAPE = re.compile(r"\[[A-Z][A-Z0-9]*(?:\\*_[A-Z0-9]+)*\\*_\d{1,9}\]")
"""What looks like a placeholder; writers of Markdown put a backslash before the underscore."""

_QUICK = re.compile(r"\[[A-Z]")


class Vault:
    """The values of one request (value → kind) and what stands for each. `texts` are those of the request, `first` the number that each
    kind begins with."""

    __slots__ = ("_hidden", "_hides", "_json", "_reveals", "_shown")

    def __init__(self, values: Mapping[str, str], texts: Iterable[str] = (), first: int = 1) -> None:
        taken = {bare(match[0]) for text in texts if "[" in text for match in SHAPE.finditer(text)}
        plain = {value: _unescaped(value, texts) for value in values}
        numbers: dict[str, int] = {}
        self._hidden: dict[str, str] = {}
        self._shown: dict[str, str] = {}
        for value, kind in values.items():
            known = self._hidden.get(plain[value])
            if known is None:
                known = _next(kind, numbers, taken, first)
                self._shown[known] = plain[value]
            self._hidden[value] = self._hidden[plain[value]] = known
        longest_first = sorted(self._hidden, key=len, reverse=True)
        self._hides = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None
        spelled = [re.escape(name).replace("_", r"\\*_") for name in self._shown]
        self._reveals = re.compile("|".join(spelled)) if spelled else None
        self._json = {name: json.dumps(value, ensure_ascii=False)[1:-1] for name, value in self._shown.items()}

    @property
    def placeholders(self) -> Mapping[str, str]:
        """Placeholder → value."""
        return self._shown

    def hide(self, text: str) -> str:
        """A text with every value replaced."""
        if self._hides is None:
            return text
        changed = self._hides.sub(lambda match: self._hidden[match[0]], text)
        return text if changed == text else changed

    def number(self, shown: str) -> str | None:
        """What stands for a number that is a value; None for any other."""
        return self._hidden.get(shown)

    def reveal(self, text: str, *, in_json: bool = False) -> str:
        """A text with every value in its place again; `in_json`: the text is JSON, so the values are written as its strings are."""
        if self._reveals is None or "[" not in text or not _QUICK.search(text):
            return text
        values = self._json if in_json else self._shown
        changed = self._reveals.sub(lambda match: values[bare(match[0])], text)
        return text if changed == text else changed

    def revealing(self, *, in_json: bool = False) -> Revealing:
        """A fresh reader of a text in pieces."""
        return Revealing(self, in_json=in_json)

    def begins(self, tail: str) -> bool:
        """Whether a text that ends like this may go on to be a placeholder."""
        start = bare(tail)
        return any(name.startswith(start) for name in self._shown)


class Revealing:
    """A text in pieces: what may be the beginning of a placeholder is held back until more of it has come."""

    __slots__ = ("_held", "_in_json", "_vault")

    def __init__(self, vault: Vault, *, in_json: bool = False) -> None:
        self._vault = vault
        self._in_json = in_json
        self._held = ""

    def feed(self, piece: str) -> str:
        """What can be given now."""
        text = self._held + piece
        at = text.rfind("[")
        if at >= 0 and "]" not in text[at:] and self._vault.begins(text[at:]):
            text, self._held = text[:at], text[at:]
        else:
            self._held = ""
        return self._vault.reveal(text, in_json=self._in_json)

    def finished(self) -> str:
        """What was still held back: it was no placeholder."""
        held, self._held = self._held, ""
        return held


def bare(placeholder: str) -> str:
    """A placeholder without the backslashes that a writer of Markdown has put in."""
    return placeholder.replace("\\", "")


def looks_json(text: str) -> bool:
    """Whether a text is a JSON object or array."""
    if text[:1] not in "{[" and text.lstrip()[:1] not in ("{", "["):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _next(kind: str, numbers: dict[str, int], taken: set[str], first: int) -> str:
    word = re.sub(r"[^A-Z0-9]+", "_", kind.upper()).strip("_") or "VALUE"
    word = word if word[0].isalpha() else f"V_{word}"
    while True:
        numbers[word] = numbers.get(word, first - 1) + 1
        made = f"[{word}_{numbers[word]}]"
        if made not in taken:
            return made


def _unescaped(value: str, texts: Iterable[str]) -> str:
    """The value itself, where it was found as a JSON text spells it (a key with its line ends as backslash and n)."""
    if "\\" not in value or not any(value in text and looks_json(text) for text in texts):
        return value
    try:
        told = json.loads(f'"{value}"')
    except ValueError:
        return value
    return told if isinstance(told, str) else value
