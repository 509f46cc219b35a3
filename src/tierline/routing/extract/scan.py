"""What the user's words hold: the built-in families, the spec's signals and the tasks' hints, all looked for together.

Keywords are found in one pass of one automaton (`keywords`). Patterns are RE2, matched in one pass of one set, and only where the automaton
has found the letters that one of them cannot do without (`literals`); only those found are counted. Each pass lets go of the interpreter
lock, which costs a busy process more than the search itself.

Of very long texts the first `HEAD` and the last `TAIL` characters of what is judged are looked at, and the newest `BEFORE` of the turns
before it.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import re2

from tierline.config.loaded import Loaded
from tierline.routing.extract.keywords import Keywords, encode, spaced
from tierline.routing.extract.lexicon import FAMILIES
from tierline.routing.extract.literals import required

HEAD = 12_000
TAIL = 4_000
BEFORE = 8_000

KEYWORD, KEYWORDS_AT_MOST = 1, 4
PATTERN, PATTERNS_AT_MOST = 3, 6
OPERATION = 1
SYSTEM_PROMPT = 8
"""What each hit weighs in `Features.matches`: a keyword 1 (no more than 4 in all), a pattern 3 (no more than 6 in all), the operation 1
and the system prompt's glob 8, so that a glob settles what keywords leave open."""

PATTERN_HITS_AT_MOST = 100
"""Hits of one pattern are counted up to here."""

LENGTHS_AT_MOST = 16
"""Units of length are noted up to here."""

OPENING = 40
"""Characters from the start within which a kind of work counts as what the text begins with."""

_FAMILIES = len(FAMILIES)
_KINDS = 5  # the first of the families
_LENGTH = list(FAMILIES).index("length")  # the last of the families


class Found(msgspec.Struct, frozen=True, gc=False):
    """Hits: of each built-in family in what is judged, and of each signal and task (weighed) in all of the user's words; `opening` is the
    kind of work that what is judged begins with (-1: none); `lengths` each unit of length named in it, after the characters before it."""

    families: list[int]
    opening: int
    lengths: list[tuple[str, str]]
    signals: dict[str, int]
    tasks: dict[str, int]


class Scanner:
    """Everything the spec and the lexicon look for, compiled once."""

    __slots__ = ("_always", "_every", "_pattern_owners", "_patterns", "_set", "_signals", "_size", "_tasks")

    def __init__(self, loaded: Loaded) -> None:
        spec = loaded.spec
        hints = {name: task.match for name, task in spec.tasks.items() if task.match is not None}
        self._signals = {name: _FAMILIES + index for index, name in enumerate(spec.signals)}
        first_task = _FAMILIES + len(self._signals)
        # a task has two slots beside each other: its keywords and its patterns
        self._tasks = {name: first_task + 2 * index for index, name in enumerate(hints)}
        self._size = first_task + 2 * len(self._tasks) + 1  # the last slot: letters that some pattern needs
        words: dict[str, list[int]] = {}
        patterns: dict[str, list[int]] = {}
        for slot, family in enumerate(FAMILIES.values()):
            _own(words, family, slot)
        for name, signal in spec.signals.items():
            _own(words, signal.keywords, self._signals[name])
            _own(patterns, signal.patterns, self._signals[name], fold=False)
        for name, match in hints.items():
            _own(words, match.keywords, self._tasks[name])
            _own(patterns, match.patterns, self._tasks[name] + 1, fold=False)
        needed = [spaced(required(pattern)) for pattern in patterns]
        self._always = not all(needed)
        self._every = Keywords(words, {} if self._always else dict.fromkeys(needed, (self._size - 1,)))
        self._pattern_owners = [tuple(slots) for slots in patterns.values()]
        self._patterns = [re2.compile(pattern) for pattern in patterns]
        self._set = _pattern_set(list(patterns)) if patterns else None

    def __call__(self, asked: str, before: Sequence[str]) -> Found:
        """Hits in what is judged, and in the turns before it."""
        text = clip(asked)
        earlier = newest(before) if before else ""
        tally, opening, lengths = self._words(text, earlier)
        if self._set is not None and (self._always or tally[-1] or not (text.isascii() and earlier.isascii())):
            self._count_patterns(f"{earlier}\n{text}" if earlier else text, tally)
        if not any(tally[_FAMILIES:-1]):
            return Found(tally[:_FAMILIES], opening, lengths, dict.fromkeys(self._signals, 0), {})
        tasks = {}
        for name, slot in self._tasks.items():
            if tally[slot] or tally[slot + 1]:
                tasks[name] = KEYWORD * min(tally[slot], KEYWORDS_AT_MOST) + min(PATTERN * tally[slot + 1], PATTERNS_AT_MOST)
        return Found(tally[:_FAMILIES], opening, lengths, {name: tally[slot] for name, slot in self._signals.items()}, tasks)

    def families(self, text: str) -> tuple[list[int], int]:
        """Hits of the built-in families in some other text, such as a system prompt, and the kind of work it begins with."""
        tally, opening, _ = self._words(text)
        return tally[:_FAMILIES], opening

    def _words(self, text: str, earlier: str = "") -> tuple[list[int], int, list[tuple[str, str]]]:
        """Hits by slot, the kind of work that a text begins with, and the lengths it names; of what came `earlier` no more than the
        spec's own slots."""
        haystack = encode(text)
        begins = 0
        if earlier:
            before = encode(earlier)
            begins = len(before) - 1
            haystack = before + haystack[1:]
        tally = [0] * self._size
        lengths: list[tuple[str, str]] = []
        opening = -1
        owners = self._every.owners
        for index, start, end in self._every.hits(haystack):
            for slot in owners[index]:
                if start < begins and slot <= _LENGTH:
                    continue
                tally[slot] += 1
                if slot < _KINDS:
                    if opening < 0 and start - begins <= OPENING:
                        opening = slot
                elif slot == _LENGTH and len(lengths) < LENGTHS_AT_MOST:
                    lengths.append((_text(haystack[max(start - 16, 0) : start]), _text(haystack[start:end])))
        return tally, opening, lengths

    def _count_patterns(self, text: str, tally: list[int]) -> None:
        encoded = text.encode("utf-8", "surrogatepass")
        assert self._set is not None
        for index in self._set.Match(encoded) or ():
            hits = 0
            for _ in self._patterns[index].finditer(encoded):
                hits += 1
                if hits == PATTERN_HITS_AT_MOST:
                    break
            for slot in self._pattern_owners[index]:
                tally[slot] += hits


def clip(text: str) -> str:
    """The head and the tail of a long text; a short one whole."""
    return text if len(text) <= HEAD + TAIL else f"{text[:HEAD]}\n{text[-TAIL:]}"


def newest(turns: Sequence[str]) -> str:
    """The newest turns, as many as fit into `BEFORE` characters, oldest first."""
    kept: list[str] = []
    room = BEFORE
    for turn in reversed(turns):
        kept.append(turn[-room:])
        room -= len(turn)
        if room <= 0:
            break
    kept.reverse()
    return "\n".join(kept)


def _own(owned: dict[str, list[int]], words: Sequence[str], slot: int, *, fold: bool = True) -> None:
    """Adds a slot to each word's owners, once; empty words are left out."""
    for word in words:
        key = spaced(word).lower() if fold else word
        if key and slot not in owned.setdefault(key, []):
            owned[key].append(slot)


def _text(piece: bytes) -> str:
    return piece.decode("utf-8", "ignore")


def _pattern_set(patterns: Sequence[str]) -> re2.Set:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 64 << 20
    made = re2.Set.SearchSet(options)
    for pattern in patterns:
        made.Add(pattern)
    made.Compile()
    return made
