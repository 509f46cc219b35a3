"""The live driver of `routing/pursue`: it answers every round of attempts that a course asks for.

An attempt that runs alone is awaited as it is; only attempts that run together cost tasks (`gateway/race`).
"""

from __future__ import annotations

from collections.abc import Generator

from tierline.gateway.race import Calls, race
from tierline.types.decision import Round
from tierline.types.outcome import Outcome, Result


async def drive(course: Generator[Round, tuple[Outcome, ...], Result], call: Calls) -> Result:
    """Run a course to its end."""
    try:
        asked = next(course)
        while True:
            attempts = asked.attempts
            asked = course.send((await call(attempts[0]),) if len(attempts) == 1 else await race(asked, call))
    except StopIteration as end:
        result: Result = end.value
        return result
