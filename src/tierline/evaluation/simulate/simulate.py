"""A workload through a spec: requests arrive, are decided on with the world as it then is, and pursued; models answer as fitted.

Everything that decides is the gateway's own: `Router.decide`, `pursue`, and the `World` with its breakers, places, pressure and sessions.
Only the answers are drawn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import msgspec

from tierline.evaluation.drive import perform
from tierline.evaluation.simulate.clock import LoopStage, run
from tierline.evaluation.simulate.faults import Fault
from tierline.evaluation.simulate.outcomes import Fitted
from tierline.evaluation.simulate.pursued import Checks, Pursued
from tierline.evaluation.simulate.workload import Sent
from tierline.routing.router import Router
from tierline.state.world import World
from tierline.types.decision import Decision
from tierline.types.outcome import Result

Progress = Callable[[int], None]
"""Called with the number of requests that have ended since the last call."""


class Happened(msgspec.Struct, frozen=True):
    """One request, whole. `score` is what was given, None where nobody answered; `drawn` that of every attempt that answered."""

    sent: Sent
    decision: Decision
    result: Result
    elapsed: float
    score: float | None


def simulate(
    router: Router,
    fitted: Fitted,
    sent: Sequence[Sent],
    *,
    faults: Sequence[Fault] = (),
    checks: Checks | None = None,
    seed: int = 0,
    progress: Progress = lambda _: None,
) -> list[Happened]:
    """Everything that happens to these requests (which stand in the order of their arrival), in the order in which they end. The same seed
    gives the same."""

    async def main() -> list[Happened]:
        return await _Simulation(router, fitted, faults, checks or Checks(), seed, progress).run(sent)

    return run(main)


class _Simulation:
    def __init__(self, router: Router, fitted: Fitted, faults: Sequence[Fault], checks: Checks, seed: int, progress: Progress) -> None:
        self._loop = asyncio.get_running_loop()
        self._router = router
        self._fitted = fitted
        self._faults = faults
        self._checks = checks
        self._seed = seed
        self._progress = progress
        self._world = World(router.loaded, self._loop.time)
        self._happened: list[Happened] = []
        self._left = 0
        self._over = asyncio.Event()

    async def run(self, sent: Sequence[Sent]) -> list[Happened]:
        """Let all of them arrive, and wait for the last."""
        self._left = len(sent)
        for one in sent:
            await asyncio.sleep((one.at or 0.0) - self._loop.time())
            self._arrives(one)
        if self._left:
            await self._over.wait()
        return self._happened

    def _arrives(self, sent: Sent) -> None:
        began = self._loop.time()
        decision = self._router.decide(sent.features, sent.scores, self._world.view(sent.features))

        def done(result: Result) -> None:
            self._world.settle(sent.features, result)
            self._happened.append(Happened(sent, decision, result, self._loop.time() - began, _score(result)))
            self._progress(1)
            self._left -= 1
            if not self._left:
                self._over.set()

        one = Pursued(self._world, self._router, self._fitted, self._faults, self._checks, sent, decision, f"{self._seed}")
        perform(LoopStage(self._loop), one.course(), one.begin, done)


def _score(result: Result) -> float | None:
    outcome = result.outcome
    return None if outcome is None or outcome.answer is None else float(outcome.answer.meta)
