"""The context of a request as sources that can be cited: by number, by address, by their words."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property

_LABEL = re.compile(
    r"(?:^|\n)[ \t>*#-]*(?:\[(\d{1,3})\]|(?:source|document|doc|passage|context|reference|excerpt|quelle|dokument|fuente|documento)"
    r"\s*(?:#|no\.?|number)?\s*\[?(\d{1,3})\]?|(\d{1,3})[.)])(?=[\s:.)\]*-]|$)"
    r"|<(?:document|doc|source|passage|item)\b[^>]{0,80}?(?:index|id|number|n)\s*=\s*[\"']?(\d{1,3})[\"']?[^>]{0,80}>|[\"'](?:id|index|number)[\"']\s*:\s*[\"']?(\d{1,3})\b",
    re.I,
)
_WORD = re.compile(r"[^\W_]+")
_SHORT = 3
_LONGEST = 400_000
"""Characters of context that are looked at."""


def folded(text: str) -> str:
    """Case, quotation marks, dashes, ellipses and white space made one."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(re.sub(r"[\W_]+", " ", plain).split())


def content_words(text: str) -> frozenset[str]:
    """The words of a text that carry its content: longer than three letters, or with a digit."""
    words = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    return frozenset(word for word in words if len(word) > _SHORT or any(map(str.isdigit, word)))


class Sources:
    """What an answer may cite."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._text = "\n\n".join(texts)[:_LONGEST]
        self._words: dict[int, frozenset[str]] = {}

    @cached_property
    def _folded(self) -> str:
        return f" {folded(self._text)} "

    @cached_property
    def _numbered(self) -> dict[int, str]:
        """Number → the words from its label to the next one; where a number stands twice, both."""
        labels = [(match.end(), int(next(filter(None, match.groups())))) for match in _LABEL.finditer(self._text)]
        found: dict[int, str] = {}
        for (start, number), (end, _) in itertools.pairwise([*labels, (len(self._text), 0)]):
            found[number] = f"{found.get(number, '')}\n{self._text[start:end]}"
        return found

    def has_numbered(self, number: int) -> bool:
        """Whether a source bears this number."""
        return number in self._numbered

    def holds(self, words: str) -> bool:
        """Whether these words stand in the context, case and punctuation ignored; an ellipsis may leave some out."""
        pieces = [folded(piece) for piece in re.split(r"\.\.\.|…|\[[^\]]{0,20}\]", words)]
        return any(pieces) and all(f" {piece} " in self._folded for piece in pieces if piece)

    def holds_address(self, address: str) -> bool:
        """Whether this address stands in the context; a point or slash at its end does not count."""
        plain = re.escape(address.rstrip(".,;:!?*_/"))
        return any(_ends_address(self._text[match.end() : match.end() + 1]) for match in re.finditer(plain, self._text))

    def support(self, words: Collection[str], numbers: Iterable[int]) -> float | None:
        """The share of these words that stand in the sources of these numbers; None where there are no words."""
        if not words:
            return None
        given = frozenset[str]().union(*map(self._words_of, numbers))
        return sum(word in given for word in words) / len(words)

    def _words_of(self, number: int) -> frozenset[str]:
        """The content words of one source, worked out once."""
        if number not in self._words:
            self._words[number] = content_words(self._numbered.get(number, ""))
        return self._words[number]


def _ends_address(char: str) -> bool:
    """Whether an address may end before this character (none: the end of the text); a longer address is another one."""
    return not char or char.isspace() or char in "\"'<>()[]{}.,;:!?*_/|`\\"
