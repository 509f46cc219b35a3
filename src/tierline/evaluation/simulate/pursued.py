"""One request of a simulation while it is pursued: what each of its attempts gives, and when."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Generator, Sequence

import msgspec

from tierline.evaluation.drive import Cancel, Course, Finish
from tierline.evaluation.simulate.faults import Fault
from tierline.evaluation.simulate.outcomes import Drawn, Fitted, draw
from tierline.evaluation.simulate.workload import Sent
from tierline.routing.pursue import pursue
from tierline.routing.router import Router
from tierline.state.purse import Purse
from tierline.state.world import World
from tierline.types.decision import Attempt, Decision, Round
from tierline.types.outcome import Answer, Outcome, Result, Usage, Verdict

GOOD = 0.5
"""The score from which an answer is good enough."""

_REJECTED = "not good enough"


class Checks(msgspec.Struct, frozen=True):
    """How well validators and judges see: the share of bad answers that they reject, and of good ones that they accept."""

    sensitivity: float = 0.8
    specificity: float = 0.98


class Pursued:
    """One request while it is pursued."""

    def __init__(
        self,
        world: World,
        router: Router,
        fitted: Fitted,
        faults: Sequence[Fault],
        checks: Checks,
        sent: Sent,
        decision: Decision,
        seed: str,
        purse: Purse | None = None,
    ) -> None:
        self._world, self._router, self._fitted, self._faults, self._checks = world, router, fitted, faults, checks
        self._sent, self._decision = sent, decision
        self._seed = f"{seed}\x1f{sent.features.request_id}"
        self._dice = random.Random(f"{self._seed}\x1fchecks")  # noqa: S311  # a simulation, not a secret
        self._tried: list[tuple[Attempt, Outcome]] = []
        self._doors: set[str] = set()
        self._calls: dict[str, int] = {}
        self._background = world.patient(sent.features, decision.task)
        self._purse = purse
        self._costs = {target: cost for step in decision.steps for target, cost in zip(step.targets, step.costs, strict=False)}

    def course(self, spent: float = 0.0) -> Course:
        """`pursue`, with what was tried written down for those who choose among answers. `spent` seconds are gone before it begins."""
        course = pursue(self._decision, spent)
        return self._watched(course)

    def begin(self, attempt: Attempt, finish: Finish) -> Cancel:
        """Start one attempt as a task of the loop."""
        loop, began = asyncio.get_running_loop(), asyncio.get_running_loop().time()
        if attempt.cause == "judge":
            serve = self._choose(attempt)
        else:
            serve = self._serve(attempt) if self._purse is None else self._paid(attempt, self._purse)
        task = loop.create_task(serve)
        task.add_done_callback(lambda ended: None if ended.cancelled() else finish(ended.result()))

        def cancel() -> Outcome:
            task.cancel()
            elapsed = loop.time() - began
            return Outcome(ok=False, error="outraced", elapsed=elapsed, cost=self._cost_so_far(attempt, elapsed))

        return cancel

    def _watched(self, course: Course) -> Generator[Round, tuple[Outcome, ...], Result]:
        outcomes: tuple[Outcome, ...] | None = None
        while True:
            try:
                asked = next(course) if outcomes is None else course.send(outcomes)
            except StopIteration as end:
                result: Result = end.value
                return result
            outcomes = yield asked
            for attempt, outcome in zip(asked.attempts, outcomes, strict=True):
                if attempt is asked.attempts[0] or outcome.error != "outraced" or outcome.elapsed or outcome.cost:
                    self._tried.append((attempt, outcome))

    async def _paid(self, attempt: Attempt, purse: Purse) -> Outcome:
        """One call with what it may cost taken before, and what it did cost settled after."""
        held = await purse.take_for(attempt, self._costs.get(attempt.target, 0.0))
        if held is None:
            return Outcome(ok=False, error="budget")
        outcome = Outcome(ok=False)
        try:
            outcome = await self._serve(attempt)
            return outcome
        finally:
            purse.settle(held, outcome.cost, outcome.usage.input + outcome.usage.output)

    async def _serve(self, attempt: Attempt) -> Outcome:
        """One call: a place at the model, its door, and what it gives."""
        loop, began = asyncio.get_running_loop(), asyncio.get_running_loop().time()
        left = float("inf") if attempt.timeout is None else attempt.timeout
        world, model = self._world, attempt.target
        permit = world.enter(model, self._doors, background=self._background) or await world.wait(
            model, left, self._doors, background=self._background
        )
        if permit is None:
            return Outcome(ok=False, error="overloaded", elapsed=loop.time() - began, detail="no place came free in time")
        self._doors.add(permit.name)
        outcome = Outcome(ok=False, error="cancelled")
        try:
            outcome = await self._answer(attempt, left - (loop.time() - began))
            outcome = msgspec.structs.replace(outcome, elapsed=loop.time() - began, endpoint=permit.name)
            return outcome
        finally:
            world.leave(permit, outcome)

    async def _answer(self, attempt: Attempt, left: float) -> Outcome:
        """What the model gives, in its time."""
        fault = self._fault(attempt.target)
        if fault is not None:
            await asyncio.sleep(min(fault.elapsed, left))
            wish = None if fault.retry_after is None else float(fault.retry_after)
            return Outcome(ok=False, error=fault.error, retry_after=wish)  # type: ignore[arg-type]  # checked when the file was read
        again = self._calls[attempt.target] = self._calls.get(attempt.target, -1) + 1
        drawn = self._draw(attempt.target, again)
        seconds = drawn.seconds * self._slowness(attempt.target)
        if seconds > left:
            await asyncio.sleep(max(left, 0.0))
            return Outcome(ok=False, error="timeout")
        await asyncio.sleep(seconds)
        return self._outcome(attempt, drawn)

    def _outcome(self, attempt: Attempt, drawn: Drawn) -> Outcome:
        good = drawn.score >= GOOD
        passed = self._dice.random() < (self._checks.specificity if good else 1.0 - self._checks.sensitivity)
        verdicts = tuple(Verdict(name, passed) for name in attempt.validators[:1])
        words = "right" if good else f"wrong, as {attempt.target} is"
        return Outcome(
            ok=True,
            answer=Answer("simulated", text=words, meta=drawn.score),
            usage=Usage(self._sent.features.input_tokens, drawn.output, estimated=True),
            cost=self._cost(attempt.target, drawn),
            verdicts=verdicts,
            feedback="" if passed or not verdicts else _REJECTED,
        )

    async def _choose(self, attempt: Attempt) -> Outcome:
        """A choice among answers: by a model that judges as well as validators see, or by what they say; wrong ones are taken to differ."""
        answers = [self._tried[place][1].answer for place in attempt.of]
        scores = [float(answer.meta) if answer is not None else 0.0 for answer in answers]
        if attempt.target:
            drawn = self._draw(attempt.target, 0)
            await asyncio.sleep(drawn.seconds)
            best = max(range(len(scores)), key=lambda place: scores[place])
            seen = self._dice.random() < self._checks.sensitivity
            return Outcome(ok=True, pick=best if seen else self._dice.randrange(len(scores)), elapsed=drawn.seconds,
                           cost=self._cost(attempt.target, drawn))  # fmt: skip
        words = [answer.text if answer is not None else "" for answer in answers]
        common = max(set(words), key=lambda text: (words.count(text), text))
        enough = words.count(common) == len(words) if attempt.combine is None or attempt.combine.by == "agreement" else (
            words.count(common) > len(words) / 2
        )  # fmt: skip
        await asyncio.sleep(0)
        return Outcome(ok=True, pick=words.index(common) if enough else None)

    def _draw(self, model: str, again: int) -> Drawn:
        sent = self._sent
        return draw(self._fitted, sent.query, sent.task, model, sent.features.output_tokens, self._seed, again)

    def _cost(self, model: str, drawn: Drawn) -> float:
        if drawn.cost is not None:
            return drawn.cost
        fleet = self._router.policy.fleet
        i = fleet.index[model]
        return self._sent.features.input_tokens * fleet.price_in[i] + drawn.output * fleet.price_out[i]

    def _cost_so_far(self, attempt: Attempt, elapsed: float) -> float:
        drawn = self._draw(attempt.target, self._calls.get(attempt.target, 0)) if attempt.target else None
        if drawn is None or drawn.seconds <= 0:
            return 0.0
        return self._cost(attempt.target, drawn) * min(elapsed / drawn.seconds, 1.0)

    def _fault(self, model: str) -> Fault | None:
        """The failure that this call meets, if any: of a window of the faults file, or as often as the log saw."""
        now, provider = asyncio.get_running_loop().time(), self._router.loaded.models[model].provider
        for fault in self._faults:
            if fault.error and fault.holds(model, provider, now) and self._dice.random() < fault.share:
                return fault
        point = self._dice.random()
        for error, share in self._fitted.fails.get(model, {}).items():
            point -= share
            if point < 0:
                return Fault(model=model, error=error)
        return None

    def _slowness(self, model: str) -> float:
        now, provider = asyncio.get_running_loop().time(), self._router.loaded.models[model].provider
        slow = 1.0
        for fault in self._faults:
            if fault.holds(model, provider, now):
                slow *= fault.slow
        return slow
