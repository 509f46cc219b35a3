"""The live driver of `routing/pursue`: it answers every attempt that a course asks for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator

from tierline.types.decision import Attempt, Round
from tierline.types.outcome import Outcome, Result


async def drive(course: Generator[Round, tuple[Outcome, ...], Result], call: Callable[[Attempt], Awaitable[Outcome]]) -> Result:
    """Run a course to its end. Attempts of one round are answered in their order."""
    try:
        asked = next(course)
        while True:
            asked = course.send(tuple([await call(attempt) for attempt in asked.attempts]))
    except StopIteration as end:
        result: Result = end.value
        return result
