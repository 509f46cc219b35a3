"""What every scorer must keep to, whatever stands in a request: its values, its input, its time, and that it touches nothing else.

Time is that of the CPU in this thread, so that a busy machine changes little. One score may take so much of it, and twice as much text may
take twice as much and half again, not four times: what grows faster than the text is found long before it takes the limit.
"""

from __future__ import annotations

import copy
import functools
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from tierline.interfaces import Scorer
from tierline.testing.laws import law
from tierline.types.features import Features
from tierline.types.request import Media, Message, Request, Text, ToolCall, ToolResult
from tierline.types.scores import Scores

LONG = 65_536
"""Characters of the longest text that a scorer is measured on."""
FILLERS = ("where is my order ", "a", " ", "(", "1.5 ", "\n\n- ", "数学")
"""What the texts are made of: words, and what is known to be hard on patterns."""

_FIRST_SIZES = tuple([int(8 * 1.15**n) for n in range(17)])
"""Small texts first, closely spaced: what takes exponential time is found before it hangs."""
_SIZES = tuple([LONG // 4**n for n in (4, 3, 2, 1, 0)])
_MOST_GROWTH = 10.0
"""Times the CPU time that four times the text may take: 4 is proportional, 16 quadratic."""
_NOISE = 0.002
"""Seconds below which growth cannot be told from noise, and does not matter."""
_TRIES = 3
_TOUCHES = ("open", "socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "sqlite3.connect")

Pairs = Sequence[tuple[Request, Features]]

_touched: ContextVar[list[str] | None] = ContextVar("touched", default=None)


def check_values(scorer: Scorer, scores: Scores) -> None:
    """The laws of what is said of one request."""
    law(isinstance(scores, Scores), "a score is a Scores")
    chances = (*scores.task.values(), *scores.good.values(), *(() if scores.difficulty is None else (scores.difficulty,)))
    law(all(0.0 <= chance <= 1.0 for chance in chances), "every probability is in [0, 1]")
    law(sum(scores.task.values()) <= 1.001, "the tasks' probabilities are at most one together")
    law(all(0.0 <= value < float("inf") for value in (*scores.cost.values(), *scores.latency.values())), "amounts are finite")
    law(scores.by == scorer.name, "scores name their scorer")
    law(scores.asked == "", "a scorer asks nobody")


def check_purity(scorer: Scorer, pairs: Pairs) -> None:
    """The same input gives the same scores, in any order, alone or together; it is left as it was, and nothing else is touched."""
    before, equal = copy.deepcopy(list(pairs)), copy.deepcopy(list(pairs))
    alone = [scorer.score(*pair) for pair in pairs]
    law(list(scorer.score_many(pairs)) == alone, "many are scored as each of them alone")
    with _watched() as touched:
        law([scorer.score(*pair) for pair in pairs[::-1]] == alone[::-1], "what was scored before makes no difference")
        many = list(scorer.score_many(equal))
    law(many == alone, "an equal input gives equal scores")
    law(not touched, f"it opens no file and no connection while it scores (it did: {', '.join(touched)})")
    law(before == list(pairs), "what it scores is left as it was")
    law(list(scorer.score_many([])) == [], "of nothing it says nothing")
    for scores in alone:
        check_values(scorer, scores)


def check_time(scorer: Scorer, features: Features, most: float) -> None:
    """One score takes at most so many seconds of CPU time on any text up to `LONG` characters, and four times the text not ten times as
    long."""
    for filler in FILLERS:
        for size in (*_FIRST_SIZES, *_SIZES):
            took = _took(scorer, _filled(filler, size), features, most)
            law(took <= most, f"a score takes at most {most} s of CPU time ({size} characters of {filler!r} took {took:.3f} s)")
        for size in _SIZES[1:]:
            grown = _grown(scorer, filler, size, features, most)
            if grown > _MOST_GROWTH:
                grown = min(grown, _grown(scorer, filler, size, features, most))
            law(grown <= _MOST_GROWTH, f"its time grows with the text ({filler!r}: four times the text took {grown:.0f} times as long)")


def odd() -> Iterator[Request]:
    """Requests that come seldom."""
    for words in ("", "\x00", "\ud800", " \n\t", "\u202e", "ﷺ" * 50, "[" * 20_000, "x" * LONG, "١٢٣ 数学 😀"):
        yield _request((Message("user", (Text(words),)),))
    yield _request(())
    yield _request((Message("system", (Text("Be brief."),)),))
    yield _request((Message("user", ()),))
    yield _request((Message("user", (Media("image", url="https://example.invalid/y.png"),)),))
    yield _request((Message("assistant", (ToolCall("1", "look", "{"),)), Message("tool", (ToolResult("1", "", failed=True),))))
    yield _request((), inputs=("a text to embed", ""))


def _grown(scorer: Scorer, filler: str, size: int, features: Features, most: float) -> float:
    """How many times the CPU time a text of that size takes of one a fourth as long; nothing where it is too short to tell."""
    took = _took(scorer, _filled(filler, size), features, most)
    return 0.0 if took <= _NOISE else took / max(_took(scorer, _filled(filler, size // 4), features, most), _NOISE / 4)


def _filled(filler: str, size: int) -> Request:
    return _request((Message("user", (Text((filler * (size // len(filler) + 1))[:size]),)),))


def _took(scorer: Scorer, request: Request, features: Features, most: float) -> float:
    """Seconds of CPU time of one score, the least of a few: the others were disturbed."""
    best = float("inf")
    for _ in range(_TRIES):
        began = time.thread_time()
        scorer.score(request, features)
        best = min(best, time.thread_time() - began)
        if best > 3 * most:
            break
    return best


def _request(messages: tuple[Message, ...], inputs: tuple[str, ...] = ()) -> Request:
    return Request("checked", "openai_chat", "auto", messages, kind="embeddings" if inputs else "chat", inputs=inputs)


@contextmanager
def _watched() -> Iterator[list[str]]:
    """The names of what is opened meanwhile by this thread."""
    _listen()
    touched: list[str] = []
    before = _touched.set(touched)
    try:
        yield touched
    finally:
        _touched.reset(before)


@functools.cache
def _listen() -> None:
    """Python lets nobody take such a hook away again, so there is one for the whole process, and it is deaf while nobody watches."""
    sys.addaudithook(_heard)


def _heard(event: str, _: tuple[object, ...]) -> None:
    touched = _touched.get()
    if touched is not None and event.startswith(_TOUCHES):
        touched.append(event)
