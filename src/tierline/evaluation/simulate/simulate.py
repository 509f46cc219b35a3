"""A workload through a spec: requests arrive, are decided on with the world as it then is, and pursued; models answer as fitted.

Everything that decides is the gateway's own: `Router.decide`, `pursue`, and the `World` with its breakers, places, pressure, sessions and
budgets.
Only the answers are drawn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

import msgspec

from tierline.evaluation.drive import perform
from tierline.evaluation.simulate.clock import LoopStage, run
from tierline.evaluation.simulate.faults import Fault
from tierline.evaluation.simulate.outcomes import Fitted
from tierline.evaluation.simulate.pursued import Checks, Pursued
from tierline.evaluation.simulate.workload import Sent
from tierline.routing.router import Router
from tierline.state.funding import fund
from tierline.state.pacing import Demand
from tierline.state.purse import Purse
from tierline.state.world import World
from tierline.types.decision import Decision
from tierline.types.outcome import Result

A_MONDAY = 345_600.0
"""The Unix time of a Monday's midnight in UTC: where budgets are at the beginning of their day and week."""

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
    began: float = A_MONDAY,
    demand: Mapping[str, Demand] | None = None,
) -> list[Happened]:
    """Everything that happens to these requests (which stand in the order of their arrival), in the order in which they end. The same seed
    gives the same. `began` is the Unix time at its start, which says where in its periods every budget is; `demand` what is known of the
    paced ones' weeks."""

    async def main() -> list[Happened]:
        simulation = _Simulation(router, fitted, faults, checks or Checks(), seed, progress, began)
        simulation.budgets.demand(demand or {})
        return await simulation.run(sent)

    return run(main)


class _Simulation:
    def __init__(
        self, router: Router, fitted: Fitted, faults: Sequence[Fault], checks: Checks, seed: int, progress: Progress, began: float
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._router = router
        self._fitted = fitted
        self._faults = faults
        self._checks = checks
        self._seed = seed
        self._progress = progress
        self._world = World(router.loaded, self._loop.time, lambda: began + self._loop.time())
        self.budgets = self._world.budgets
        self._funding: set[asyncio.Task[None]] = set()
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
        if not self.budgets.active:
            self._pursue(sent, self._decide(sent), began)
            return
        task = self._loop.create_task(self._funded(sent, began))
        self._funding.add(task)
        task.add_done_callback(self._funding.discard)

    def _decide(self, sent: Sent) -> Decision:
        return self._router.decide(sent.features, sent.scores, self._world.view(sent.features))

    async def _funded(self, sent: Sent, began: float) -> None:
        """Pursue a request once it has the money for its first call."""
        done = await fund(self.budgets, sent.features, self._decide(sent), lambda: self._decide(sent))
        decision = msgspec.structs.replace(done.decision, steps=()) if done.outrun else done.decision
        self._pursue(sent, decision, began, done.purse, done.waited)

    def _pursue(self, sent: Sent, decision: Decision, began: float, purse: Purse | None = None, waited: float = 0.0) -> None:
        def done(result: Result) -> None:
            if purse is not None:
                purse.square(result.cost)
                purse.close()
            self._world.settle(sent.features, result)
            self._happened.append(Happened(sent, decision, result, self._loop.time() - began, _score(result)))
            self._progress(1)
            self._left -= 1
            if not self._left:
                self._over.set()

        one = Pursued(self._world, self._router, self._fitted, self._faults, self._checks, sent, decision, f"{self._seed}", purse)
        perform(LoopStage(self._loop), one.course(waited), one.begin, done)


def _score(result: Result) -> float | None:
    outcome = result.outcome
    return None if outcome is None or outcome.answer is None else float(outcome.answer.meta)
