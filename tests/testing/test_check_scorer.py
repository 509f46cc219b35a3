"""The conformance check of scorers finds what breaks its laws."""

from __future__ import annotations

import itertools
import re
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest

from tierline.scoring.hints import HintScorer
from tierline.testing import builders
from tierline.testing.checks import check_scorer
from tierline.types.features import Features
from tierline.types.request import Message, Request, Text
from tierline.types.scores import Scores

PAIRS = [
    (Request("r-1", "openai_chat", "auto", (Message("user", (Text(words),)),), raw={"a": msgspec.Raw(b"1")}), builders.features(0.3))
    for words in ("Where is my order?", "Prove that there are infinitely many primes.", "Hi")
]


class Made:
    """A scorer that says what a function says."""

    name = "made"

    def __init__(self, say: Callable[[Request, Features], Scores]) -> None:
        self._say = say

    def score(self, request: Request, features: Features) -> Scores:
        return self._say(request, features)

    def score_many(self, pairs: Sequence[tuple[Request, Features]]) -> Sequence[Scores]:
        return [self.score(*pair) for pair in pairs]


def words(request: Request) -> str:
    return "".join(part.text for turn in request.messages for part in turn.parts if isinstance(part, Text))


def says(**fields: object) -> Callable[[Request, Features], Scores]:
    return lambda _request, _features: Scores(**{"by": "made", **fields})  # type: ignore[arg-type]


def by_length(request: Request, _features: Features) -> Scores:
    return Scores(difficulty=min(len(words(request)) / 1000, 1.0), good={"mini": 0.5}, by="made")


def test_good_ones_pass() -> None:
    check_scorer(Made(by_length), PAIRS)
    check_scorer(HintScorer(builders.loaded({"tasks": {"t": {"why": "w", "match": {"keywords": ["order"]}}}}), 0.6), PAIRS)


COUNT = itertools.count()


class OneByOneOnly(Made):
    def score_many(self, pairs: Sequence[tuple[Request, Features]]) -> Sequence[Scores]:
        return [msgspec.structs.replace(self.score(*pair), difficulty=0.5) for pair in pairs]


def remembers(request: Request, features: Features, seen: set[str] = set()) -> Scores:  # noqa: B006  # it is the fault that is wanted
    known = words(request) in seen
    seen.add(words(request))
    return Scores(difficulty=0.1 if known else 0.2, by="made")


def marks(request: Request, features: Features) -> Scores:
    features.signals["seen"] = 1  # type: ignore[index]
    return Scores(by="made")


def reads_a_file(request: Request, features: Features) -> Scores:
    return Scores(difficulty=min(len(Path(__file__).read_bytes()) / 1e6, 1.0), by="made")


def looks_up(request: Request, features: Features) -> Scores:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
    return Scores(by="made")


def quadratic(request: Request, features: Features) -> Scores:
    text = words(request)
    return Scores(difficulty=float(sum(text.count(text[at]) > len(text) for at in range(0, len(text), 32))), by="made")


def explodes(request: Request, features: Features) -> Scores:
    return Scores(abstained=re.match(r"(a+)+$", words(request)[:64] + "!") is not None, by="made")


def chokes(request: Request, features: Features) -> Scores:
    return Scores(difficulty=float(words(request)[0] == "x"), by="made")


@pytest.mark.parametrize(
    ("scorer", "law"),
    [
        (object(), "every method of the protocol"),
        (Made(says(difficulty=1.5)), "every probability is in"),
        (Made(says(good={"mini": float("nan")})), "every probability is in"),
        (Made(says(task={"a": 0.7, "b": 0.7})), "at most one together"),
        (Made(says(cost={"mini": float("inf")})), "amounts are finite"),
        (Made(says(by="")), "scores name their scorer"),
        (Made(says(asked="mini")), "a scorer asks nobody"),
        (Made(lambda r, f: Scores(difficulty=next(COUNT) % 7 / 7, by="made")), "many are scored as each of them alone"),
        (OneByOneOnly(by_length), "many are scored as each of them alone"),
        (Made(remembers), "many are scored as each of them alone"),
        (Made(marks), "left as it was"),
        (Made(reads_a_file), "no file and no connection.*open"),
        (Made(looks_up), "no file and no connection.*socket"),
        (Made(explodes), "takes at most"),
    ],
)
def test_one_that_breaks_a_law_is_told_which(scorer: Made, law: str) -> None:
    with pytest.raises(AssertionError, match=law):
        check_scorer(scorer, PAIRS, most=0.05)


def test_one_whose_time_grows_faster_than_the_text_is_found_however_quick_it_is() -> None:
    with pytest.raises(AssertionError, match="its time grows with the text"):
        check_scorer(Made(quadratic), PAIRS, most=60.0)


def test_one_that_chokes_on_an_odd_request_is_found() -> None:
    with pytest.raises(IndexError):
        check_scorer(Made(chokes), PAIRS)
