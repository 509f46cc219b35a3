"""Routing alone, as a library: no server, no network, no key.

router = Router.from_file("tierline.yaml")
choice = router.decide([{"role": "user", "content": "Where is my order?"}])
choice.model, choice.why
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tierline.config.check_prepare import STEPS
from tierline.config.load import load
from tierline.config.loaded import Loaded
from tierline.config.scorers import scorers_of
from tierline.config.spec import RouteSpec
from tierline.config.tools_first import tools_of
from tierline.dialects.openai_chat import OpenAIChat
from tierline.gateway.asked import Asked
from tierline.gateway.guarded import Guard
from tierline.routing.explain import Explanation, explain
from tierline.routing.explain_tools import asked_first, preceded
from tierline.routing.extract import Extractor
from tierline.routing.router import Router as Decider
from tierline.types.access import ANYONE
from tierline.types.decision import Decision
from tierline.types.features import Features
from tierline.types.hints import Hints
from tierline.types.request import Request
from tierline.types.scores import NO_SCORES, Scores
from tierline.types.view import NO_VIEW, View


class Choice(msgspec.Struct, frozen=True):
    """A decision with everything it was made from. `model` is the name in the spec of the model to ask first (empty: nothing is
    eligible), `upstream` the name its provider knows it by."""

    decision: Decision
    features: Features
    scores: Scores
    model: str
    upstream: str
    explanation: Explanation

    @property
    def why(self) -> str:
        """The whole explanation as one text."""
        return " ".join(self.explanation.sentences)


class Router:
    """Decides which model should answer, and calls nobody."""

    def __init__(self, loaded: Loaded) -> None:
        self._decider = Decider(loaded)
        self._extract = Extractor(loaded)
        self._scorers = scorers_of(loaded)
        self._dialect = OpenAIChat()
        detect = loaded.spec.governance.detect
        self._guard = Guard(loaded, self._decider.policy, {self._dialect.name: self._dialect}) if detect else None

    @classmethod
    def from_file(cls, path: str | Path, environ: Mapping[str, str] | None = None) -> Router:
        """A router from a spec file, which needs none of its secrets; raises SpecInvalid with every problem of it."""
        return cls(load(path, environ, need_secrets=False))

    def decide(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        model: str = "auto",
        hints: Hints | None = None,
        view: View = NO_VIEW,
        request_id: str | None = None,
        **params: Any,
    ) -> Choice:
        """The choice for a chat in OpenAI's form; `params` are further fields of the body, such as `tools` or `max_tokens`.

        Raises BadRequest and UnknownModel as the gateway would. The same `request_id` always gives the same choice."""
        body = msgspec.json.encode({"model": model, "messages": messages, **params})
        address = self._decider.address(model)
        given = hints or Hints()
        request = msgspec.structs.replace(
            self._dialect.parse(body),
            id=request_id or secrets.token_hex(8),
            route=address.route,
            hints=msgspec.structs.replace(given, tier=address.tier or given.tier, model=address.model or given.model),
        )
        if self._guard is not None:
            request = self._guard.watch(Asked(request, ANYONE, request.hints), self._facts, dry=True).asked.request
        features = self._extract(request, ANYONE)
        settled = self._decider.settle(features)
        scores = NO_SCORES if settled else self._scorers[address.route].score(request, features)
        decision = self._decider.decide(features, scores, view, settled)
        name = decision.target
        upstream = self._decider.loaded.models[name].upstream if name else ""
        told = explain(self._decider, features, scores, view, decision)
        return Choice(decision, features, scores, name, upstream, preceded(told, self._asked_first(request, scores)))

    def _facts(self, asked: Asked) -> tuple[Features, str | None]:
        features = self._extract(asked.request, ANYONE)
        settled = self._decider.settle(features)
        return features, None if settled is None else settled.task

    def _asked_first(self, request: Request, scores: Scores) -> tuple[str, ...]:
        """What the route would do before any model; a client that names a model or a tier is only moderated."""
        route = self._decider.loaded.spec.routes.get(request.route)
        if route is None:
            return ()
        named = bool(request.hints.model or request.hints.tier)
        tools = () if named else tools_of(route.tools_first)
        steps = [(kind, getattr(step, kind)) for step in route.prepare for kind in STEPS if getattr(step, kind)]
        steps = [(kind, model) for kind, model in steps if kind == "moderate" or not named]
        return asked_first([f"{tool.kind}:{tool.settings[tool.kind]}" for tool in tools], steps, _unsure(route, scores))


def _unsure(route: RouteSpec, scores: Scores) -> str:
    """The model that the route would ask what the request is; empty where its scorer is sure."""
    return route.scorer.ask.model if scores.abstained and route.scorer.ask is not None else ""
