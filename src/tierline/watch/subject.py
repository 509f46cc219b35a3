"""One thing that a watch looks at, and what it says of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from tierline.watch.course import Course, Verdict, verdict

Look = Callable[[int, tuple[float, float] | None, int], Verdict]
"""What is said at an hour, by its place: with the figures of the open alert if there is one, and the first hour that counts."""


class Told(NamedTuple):
    """An alert in words: what has moved, since which hour (by its place), and what to do."""

    what: str
    todo: str
    since: int


class Subject(NamedTuple):
    """`name` is what the alert is of (`model/mini`; empty: of everything). `say` puts a verdict into words; its second argument is the hour
    of the verdict."""

    name: str
    look: Look
    say: Callable[[Verdict, int], Told]


def of_course(name: str, course: Course, say: Callable[[Verdict, int], Told]) -> Subject:
    """A subject that a course tells of."""
    return Subject(name, partial(verdict, course), say)


def called(kind: str, name: str) -> str:
    """A subject's name: `task/order`; what has no name is `none`."""
    return f"{kind}/{name or 'none'}"


def spoken(subject: str) -> str:
    """A subject in a sentence."""
    kind, _, name = subject.partition("/")
    return f"the {kind} {name}" if name else "all requests"


def moment(at: float) -> str:
    """A time in a sentence, in UTC."""
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at))


def percent(share: float) -> str:
    """A rate in a sentence."""
    return f"{100 * share:.1f} %"
