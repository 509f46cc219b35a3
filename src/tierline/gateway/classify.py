"""Asking a small model what a request is, where its route's scorer is unsure.

    small = classifier_for(classifiers, weighed)    None: there is nothing to ask
    done = await small.ask(...)                     the scores to decide on again with

The call is charged to the request, logged as an aside and held to governance, the key, its own time-out and cap, and the request's
deadline. Whatever goes wrong, the request goes up, as it would have without asking. Answers are remembered by a digest of what was shown;
no text is kept. Requests that show the same words at the same time share one call.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from time import perf_counter

import msgspec

from tierline.config.loaded import Loaded
from tierline.config.spec import AskSpec
from tierline.gateway.ask import Asker
from tierline.gateway.means import Means
from tierline.gateway.waiting import Waiting
from tierline.gateway.weighed import Weighed
from tierline.scoring.llm import Opinion, SmallModel, Unusable
from tierline.types.ask import CLASSIFY, REMEMBERED, Ask
from tierline.types.outcome import Aside
from tierline.types.scores import Scores

_NO_TIME = 0.001
"""Seconds below which nobody is asked."""
_PART = 4
"""Asking takes at most this part (a fourth) of the time that a request has left: the rest is the answer's."""


class Classified(msgspec.Struct, frozen=True):
    """What came of asking: the scores to decide with, the call (at most one) and the seconds it took. `cancelled`: the client went away
    meanwhile."""

    scores: Scores
    asides: tuple[Aside, ...] = ()
    elapsed: float = 0.0
    cancelled: bool = False


class Classifier:
    """The small model of one route: asked once for the same words."""

    def __init__(self, loaded: Loaded, ask: AskSpec, abstain_below: float, means: Means) -> None:
        self.model = ask.model
        self._small = SmallModel(loaded, ask, abstain_below)
        self._means = means
        self._timeout = float(ask.timeout)
        self._max_cost = ask.max_cost
        self._most = ask.remember
        self._policy = loaded.fingerprint.encode()
        self._known: OrderedDict[bytes, Opinion] = OrderedDict()
        self._under_way: dict[bytes, asyncio.Future[Opinion | None]] = {}

    async def ask(self, weighed: Weighed, asker: Asker, waiting: Waiting, left: float, money: float | None) -> Classified:
        """What is believed of a request after asking, within `left` seconds and `money` USD. Never raises."""
        ask, own = self._small.ask(weighed.request), weighed.scores
        if ask is None:
            return Classified(own)
        asides: list[Aside] = []
        began = perf_counter()
        cancelled, opinion = False, None
        try:
            if not self._may_see(weighed):
                self._refused(asides, "auth", "governance or the key keeps the request from this model")
            elif (seconds := min(self._timeout, left / _PART)) < _NO_TIME:
                self._refused(asides, "deadline", "the request has no time left")
            else:
                cap = self._max_cost if money is None else min(self._max_cost, money)
                opinion = await self._opinion(ask, asker, waiting, asides, seconds, cap)
        except asyncio.CancelledError:
            cancelled = True
        return Classified(self._small.believed(own, opinion), tuple(asides), perf_counter() - began, cancelled)

    def _may_see(self, weighed: Weighed) -> bool:
        """Whether the request may be shown to the model, whichever of the tasks that its scorer thinks of it turns out to be."""
        reach, features = self._means.reach, weighed.features
        return all(self.model in reach(features, task) for task in ("", *weighed.scores.task))

    async def _opinion(self, ask: Ask, asker: Asker, waiting: Waiting, asides: list[Aside], seconds: float, cap: float) -> Opinion | None:
        """What was said of these words before, is being said to another request, or is said now."""
        key = hashlib.blake2b(ask.prompt.encode(), digest_size=16, key=self._policy).digest()
        known = self._known.get(key)
        if known is not None:
            self._known.move_to_end(key)
            asides.append(Aside(CLASSIFY, ask.model, ok=True, detail=REMEMBERED))
            return known
        under_way = self._under_way.get(key)
        if under_way is not None:
            return await self._overheard(under_way, waiting, asides, seconds)
        under_way = self._under_way[key] = asyncio.get_running_loop().create_future()
        opinion: Opinion | None = None
        try:
            opinion = await self._told(ask, asker, asides, seconds, cap)
        finally:
            del self._under_way[key]
            under_way.set_result(opinion)
        if opinion is not None and self._most:
            self._known[key] = opinion
            if len(self._known) > self._most:
                self._known.popitem(last=False)
        return opinion

    async def _told(self, ask: Ask, asker: Asker, asides: list[Aside], seconds: float, cap: float) -> Opinion | None:
        """What the model says now. It is cut off from here and not by its provider's time-out: that it was too slow for a question says
        nothing about its health, and what it was sent is charged."""
        try:
            async with asyncio.timeout(seconds):
                told = await asker.told(ask, CLASSIFY, asides, money=cap)
            return self._small.opinion(told.text) if told.ok else None
        except TimeoutError:
            asides[-1] = msgspec.structs.replace(asides[-1], error="timeout", detail=_late(seconds))
        except Unusable as error:
            asides[-1] = msgspec.structs.replace(asides[-1], ok=False, error="malformed", detail=str(error))
        return None

    async def _overheard(
        self, under_way: asyncio.Future[Opinion | None], waiting: Waiting, asides: list[Aside], seconds: float
    ) -> Opinion | None:
        """What the model says to another request that shows it the same words; that one pays."""
        opinion, began = None, perf_counter()
        waiting.begin(began)
        error, detail = "failed", "it was asked the same for another request, and gave no usable reply"
        try:
            async with asyncio.timeout(seconds):
                opinion = await asyncio.shield(under_way)
        except TimeoutError:
            error, detail = "timeout", _late(seconds)
        finally:
            now = perf_counter()
            waiting.end(now)
        if opinion is None:
            asides.append(Aside(CLASSIFY, self.model, ok=False, elapsed=now - began, error=error, detail=detail))
        else:
            asides.append(Aside(CLASSIFY, self.model, ok=True, elapsed=now - began, detail=REMEMBERED))
        return opinion

    def _refused(self, asides: list[Aside], error: str, detail: str) -> None:
        asides.append(Aside(CLASSIFY, self.model, ok=False, error=error, detail=detail))


def classifiers_of(loaded: Loaded, means: Means) -> Mapping[str, Classifier]:
    """The classifier of every route that asks."""
    asking = {name: route.scorer for name, route in loaded.spec.routes.items() if route.scorer.ask is not None}
    return {name: Classifier(loaded, scorer.ask, scorer.abstain_below, means) for name, scorer in asking.items() if scorer.ask is not None}


def classifier_for(classifiers: Mapping[str, Classifier], weighed: Weighed) -> Classifier | None:
    """Who is to be asked about a request: nobody where its scorer is sure, where it is no chat, and where no model could serve it."""
    if not weighed.scores.abstained or weighed.request.kind != "chat" or not weighed.decision.steps:
        return None
    return classifiers.get(weighed.features.route)


def _late(seconds: float) -> str:
    return f"no answer within {seconds * 1000:.0f} ms"
