"""Asking tools before any model: whoever hangs, throws or does not know never fails the request."""

from __future__ import annotations

import asyncio

import pytest

from tierline.gateway.tools_first import Asked, Found, ask_tools
from tierline.routing.explain_tools import told_first
from tierline.types.ask import Hit
from tierline.types.errors import AnswererFailure
from tierline.types.features import Features
from tierline.types.outcome import Aside
from tierline.types.request import Request

REQUEST = Request("r-1", "openai_chat", "auto")


class Knows:
    """A tool that says what it was made with: words, nothing, an error, or never anything."""

    def __init__(self, name: str, says: str | Exception | None = None, *, hangs: bool = False) -> None:
        self.name, self._says, self._hangs = name, says, hangs

    async def answer(self, request: Request, features: Features) -> Hit | None:
        if self._hangs:
            await asyncio.Event().wait()
        if isinstance(self._says, Exception):
            raise self._says
        return None if self._says is None else Hit(self._says)

    async def close(self) -> None:
        """Nothing is open."""


def asked(*tools: Knows, timeout: float = 0.01, deadline: float = 5.0) -> Found:
    return asyncio.run(ask_tools([Asked(tool, timeout) for tool in tools], REQUEST, Features("r-1"), deadline))


def said(found: Found) -> list[tuple[str, bool, str]]:
    return [(aside.target, aside.ok, aside.error) for aside in found.asides]


def test_the_first_that_knows_answers_and_nobody_is_asked_after_it() -> None:
    found = asked(Knows("a"), Knows("b", "Yes."), Knows("c", "No."))
    assert said(found) == [("a", False, "miss"), ("b", True, "")]
    assert found.by == "b" and found.answer is not None
    assert all(aside.purpose == "tool" and aside.cost == 0 for aside in found.asides)


def test_whoever_hangs_throws_or_cannot_look_leaves_it_to_the_next() -> None:
    broken = Knows("broken", RuntimeError("the words of the prompt"))
    found = asked(Knows("hung", hangs=True), broken, Knows("off", AnswererFailure("the table is gone")), Knows("last", "Yes."))
    assert said(found) == [("hung", False, "timeout"), ("broken", False, "failed"), ("off", False, "failed"), ("last", True, "")]
    assert [aside.detail for aside in found.asides] == ["", "RuntimeError", "the table is gone", ""]


def test_together_they_take_no_longer_than_the_deadline() -> None:
    found = asked(*[Knows(str(number), hangs=True) for number in range(9)], timeout=10, deadline=0.02)
    assert said(found) == [("0", False, "timeout")]
    assert found.elapsed < 5


def test_a_tools_own_time_out_is_one_too() -> None:
    assert said(asked(Knows("slow", TimeoutError()))) == [("slow", False, "timeout")]


def test_a_client_that_goes_away_ends_it_and_that_is_told() -> None:
    async def story() -> Found:
        asking = asyncio.create_task(ask_tools([Asked(Knows("hung", hangs=True), 10)], REQUEST, Features("r-1"), 60))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        asking.cancel()
        return await asking

    found = asyncio.run(story())
    assert found.cancelled and found.answer is None
    assert said(found) == [("hung", False, "cancelled")]


@pytest.mark.parametrize(
    ("answered", "asides", "words"),
    [
        ("", (), ""),
        ("", (Aside("prepare", "mini", True),), ""),
        ("", (Aside("tool", "a", False, error="miss"),), "Before any model, it was put to a, which did not know."),
        (
            "b",
            (Aside("tool", "a", False, error="timeout"), Aside("tool", "b", True)),
            "Before any model, it was put to a, which took too long and to b, which answered. "
            "So b answered and no model was asked; what follows says which one would have been.",
        ),
    ],
)
def test_what_the_tools_did_is_told_in_sentences(answered: str, asides: tuple[Aside, ...], words: str) -> None:
    assert " ".join(told_first(answered, asides)) == words
