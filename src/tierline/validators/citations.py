"""`citations`: what the answer cites stands in the context it was given."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from tierline.config.answer_checks import CitationsCheck
from tierline.config.loaded import Loaded
from tierline.config.validation import Check
from tierline.types.ask import Exchange
from tierline.types.conversation import Citation
from tierline.types.conversation import Text as AnswerText
from tierline.types.outcome import Finding
from tierline.types.request import Media, Request, Text, ToolResult
from tierline.validators.calls import NOTHING_SAID, says_nothing
from tierline.validators.sources import Sources, content_words, folded

_MARK = re.compile(
    r"(?<![\w\]\[)])\[(\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*)\](?![(:\w])|(?<=[\w.,;!?\"'”’)])\s?\[(\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*)\](?![(:\w])|【(\d{1,3})[^】]{0,40}】"
)
_NUMBER = re.compile(r"\d{1,3}")
_RANGE = re.compile(r"(\d{1,3})\s*[–-]\s*(\d{1,3})")
_ADDRESS = re.compile(r"https?://[^\s<>\"'`)\]}|\\^]+")
_QUOTE = re.compile(r"[\"“„«]([^\"“”„«»\n]{15,600})[\"”“»]")
_QUOTED_WORDS = 4
_SENTENCE = re.compile(r"[^.!?\n。\uff01\uff1f]*[.!?。\uff01\uff1f]*(?:[ \t]{0,2}(?:\[[\d,; –-]{1,40}\]|【[^】]{0,60}】)){0,10}")
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.S)
_MOST = 200
"""Citations of one answer that are looked at."""


class Cited(msgspec.Struct, frozen=True):
    """One citation: what sort it is, whether the context holds what it cites, and, of a mark, the number it bears and how much of its
    sentence its source supports."""

    sort: str
    found: bool
    number: int = 0
    support: float | None = None


class Citations:
    """See `CitationsCheck`."""

    asks = False

    def __init__(self, check: Check, loaded: Loaded) -> None:
        settings = check.read(CitationsCheck)
        self.name = check.name
        self._fewest = settings.citations
        self._support = settings.support

    def check(self, exchange: Exchange) -> Finding:
        """Looks for every citation of the answer in the request; its words, and those of tools, are the context."""
        if says_nothing(exchange):
            return NOTHING_SAID
        cited = citations_of(exchange, measure=self._support is not None)
        missing = [one for one in cited if not one.found]
        if missing:
            sorts = ", ".join(dict.fromkeys(one.sort for one in missing))
            numbers = sorted({one.number for one in missing if one.number})
            which = f": {', '.join(f'[{number}]' for number in numbers[:10])}" if numbers else ""
            told = f"{len(missing)} of {len(cited)} citations are not in the context you were given ({sorts}){which}."
            return Finding(
                False, f"{len(missing)} of {len(cited)} citations not found ({sorts})", feedback=f"{told} Cite only what is there."
            )
        if len(cited) < self._fewest:
            said = f"{len(cited)} citations, fewer than {self._fewest}"
            return Finding(False, said, feedback=f"The answer has {said}. Cite the sources you were given.")
        return self._supported(cited)

    def _supported(self, cited: Sequence[Cited]) -> Finding:
        measured = [one.support for one in cited if one.support is not None]
        if self._support is None or not measured:
            return Finding(True, f"{len(cited)} citations found")
        mean = round(sum(measured) / len(measured), 4)
        said = f"support {mean:.2f}, needs {self._support:g}"
        if mean >= self._support:
            return Finding(True, said, mean)
        return Finding(False, said, mean, feedback="The sentences with citations say more than the sources they cite. Keep to the sources.")


def citations_of(exchange: Exchange, measure: bool = False) -> list[Cited]:
    """Every citation of an answer; with `measure`, how far the words of each marked sentence stand in their source."""
    text = _CODE.sub(" ", exchange.text)
    sources = Sources(context_of(exchange.request))
    cited = [_own(one, sources, exchange.request) for one in _provider_citations(exchange)]
    cited += [Cited("address", sources.holds_address(match[0])) for match in _ADDRESS.finditer(text)]
    cited += [Cited("quotation", sources.holds(match[1])) for match in _QUOTE.finditer(text) if len(match[1].split()) >= _QUOTED_WORDS]
    return (cited + _marks(text, sources, measure))[:_MOST]


def context_of(request: Request) -> list[str]:
    """The words an answer may cite: everything in the conversation but what models said."""
    return [
        part.text
        for message in request.messages
        if message.role != "assistant"
        for part in message.parts
        if isinstance(part, Text | ToolResult)
    ]


def _marks(text: str, sources: Sources, measure: bool) -> list[Cited]:
    found = []
    for sentence in _SENTENCE.findall(text):
        numbers = [number for match in _MARK.finditer(sentence) for number in _numbers(match[1] or match[2] or match[3])]
        if not numbers:
            continue
        support = None
        if measure and all(map(sources.has_numbered, numbers)):
            support = sources.support(content_words(_MARK.sub(" ", sentence)), numbers)
        found += [Cited("mark", sources.has_numbered(number), number, support) for number in numbers]
    return found


def _numbers(inside: str) -> list[int]:
    """`1, 3` → 1, 3; `2–4` → 2, 3, 4."""
    spans = [(int(low), int(high)) for low, high in _RANGE.findall(inside)]
    spanned = {number for low, high in spans if low < high <= low + 20 for number in range(low, high + 1)}
    return sorted(spanned | {int(number) for number in _NUMBER.findall(inside)})


def _provider_citations(exchange: Exchange) -> list[Citation]:
    first = exchange.answer.choices[:1]
    return [one for choice in first for part in choice.parts if isinstance(part, AnswerText) for one in part.citations]


def _own(citation: Citation, sources: Sources, request: Request) -> Cited:
    """A citation that the provider attests. Words quoted from a document that travels as a file cannot be looked up here, nor can what
    the provider itself has searched: both are taken as found."""
    unreadable = any(isinstance(part, Media) for message in request.messages for part in message.parts)
    if citation.url or unreadable or not citation.quoted:
        return Cited("provider citation", True)
    return Cited("provider citation", sources.holds(folded(citation.quoted)))
