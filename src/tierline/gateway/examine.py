"""What becomes of an answer before it counts: its validators, and the choice among the answers of several models."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from time import perf_counter

import msgspec

from tierline.gateway.ask import Asker
from tierline.gateway.choose import Normalise, agreed, judged
from tierline.gateway.translate import Translation, finish_of, words_of
from tierline.gateway.trial import Trial
from tierline.gateway.verdict import ruling
from tierline.gateway.weighed import Weighed
from tierline.interfaces import Validator
from tierline.types.ask import Ask, Exchange, Told
from tierline.types.completion import Completion
from tierline.types.decision import Attempt
from tierline.types.outcome import Answer, Aside, Outcome, Verdict


class Examiner:
    """Looks at the answers to one request. What it asks of models is charged to the attempt whose answer it looks at."""

    __slots__ = ("_asker", "_normalise", "_translation", "_validators", "_weighed")

    def __init__(
        self, validators: Mapping[str, Validator], normalise: Normalise, weighed: Weighed, translation: Translation, asker: Asker
    ) -> None:
        self._validators = validators
        self._normalise = normalise
        self._weighed = weighed
        self._translation = translation
        self._asker = asker

    async def examined(self, trial: Trial, outcome: Outcome, spent: float) -> Outcome:
        """The outcome with what its validators say, its words mended where one of them did. `spent`: USD that the request has cost so far.

        One that is cancelled meanwhile says so, with all that it has cost."""
        completion = trial.completion
        if completion is None:
            return _unread(trial, outcome)
        exchange = Exchange(
            self._weighed.request,
            self._weighed.features,
            completion,
            words_of(completion),
            finish_of(completion),
            trial.lane.model.name,
        )
        asides: list[Aside] = []

        async def ask(asked: Ask, name: str) -> Told:
            left = None if trial.attempt.timeout is None else trial.attempt.timeout - trial.elapsed
            return await self._asker.told(asked, name, asides, left=left, money=self._money(spent + _cost(asides)))

        try:
            found = await ruling(trial.attempt.validators, self._validators, exchange, ask)
        except asyncio.CancelledError:
            gone = msgspec.structs.replace(outcome, ok=False, answer=None, error="cancelled", detail="the client went away")
            return _charged(gone, asides, trial.elapsed)
        answer = outcome.answer
        if found.mended is not None and answer is not None and (trial.held or trial.reader is None):
            trial.completion = found.mended
            answer = self._mended(found.mended, answer, streamed=trial.held)
        told = msgspec.structs.replace(outcome, answer=answer, verdicts=found.verdicts, feedback=found.feedback)
        return _charged(told, asides, trial.elapsed)

    async def chosen(self, attempt: Attempt, answers: Sequence[Completion], spent: float) -> Outcome:
        """The outcome of a choice among answers: `pick` is the place of the one to give, None where none could be chosen."""
        assert attempt.combine is not None
        started, asides = perf_counter(), list[Aside]()
        combine, request = attempt.combine, self._weighed.request
        if combine.by != "judge":
            return Outcome(ok=True, pick=agreed(combine, answers, self._normalise), elapsed=perf_counter() - started)

        async def ask(asked: Ask) -> Told:
            return await self._asker.told(asked, "judge", asides, left=attempt.timeout, money=self._money(spent + _cost(asides)))

        try:
            pick = await judged(combine, answers, request, self._weighed.decision.draw, ask)
        except asyncio.CancelledError:
            gone = Outcome(ok=False, error="cancelled", detail="the client went away")
            return _charged(gone, asides, perf_counter() - started)
        return _charged(Outcome(ok=True, pick=pick), asides, perf_counter() - started)

    def _money(self, spent: float) -> float | None:
        """USD that the request may still cost."""
        most = self._weighed.decision.max_cost
        return None if most is None else most - spent

    def _mended(self, completion: Completion, answer: Answer, *, streamed: bool) -> Answer:
        """An answer whose words were replaced, as the client gets it."""
        mended = self._translation.answer(completion, answer.dropped)
        return msgspec.structs.replace(mended, body=self._translation.events(completion)) if streamed else mended


def _unread(trial: Trial, outcome: Outcome) -> Outcome:
    """An answer that could not be read back passes none of its validators."""
    detail = "the answer was too long to be checked, or no sound stream of its dialect"
    return msgspec.structs.replace(
        outcome, verdicts=tuple([Verdict(name, passed=False, detail=detail) for name in trial.attempt.validators])
    )


def _charged(outcome: Outcome, asides: Sequence[Aside], elapsed: float) -> Outcome:
    return msgspec.structs.replace(outcome, asides=tuple(asides), cost=outcome.cost + _cost(asides), elapsed=elapsed)


def _cost(asides: Sequence[Aside]) -> float:
    return sum(aside.cost for aside in asides)
