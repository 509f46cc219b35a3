"""The calls of `tierline collect`: the gateway, in process, asked for one named model at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tierline.client import Client
from tierline.config.loaded import Loaded
from tierline.evaluation.collect.call import Called, Candidate, Trouble
from tierline.evaluation.collect.prompts import Prompt
from tierline.gateway.answered import Answered
from tierline.types.ask import Ask, Told
from tierline.types.errors import RequestError

_PASSING = frozenset({"connect", "timeout", "rate_limited", "overloaded", "server", "malformed", "cut", "idle", "deadline", "outraced"})
_HOPELESS = "auth"


class Calls:
    """Makes calls through `client`, which serves `loaded`: a prompt of a task that the spec has not goes without one."""

    def __init__(self, client: Client, loaded: Loaded) -> None:
        self._client = client
        self._tasks = frozenset(loaded.spec.tasks)
        self._held = frozenset(name for name, model in loaded.models.items() if "json_schema" in model.capabilities)

    async def call(self, candidate: Candidate, prompt: Prompt) -> Called:
        """What this model makes of this prompt."""
        task = prompt.task if prompt.task in self._tasks else ""
        return await self._made(candidate.name, prompt.messages, task, candidate.params)

    async def ask(self, ask: Ask) -> Told:
        """What a judge says. One that cannot be held to a schema is told of it in words, as the gateway does."""
        said = ask.system
        if ask.schema and ask.model not in self._held:
            said = f"{said}\n\nReply with one JSON object and nothing else. Its JSON Schema: {ask.schema.decode()}".strip()
        system = [{"role": "system", "content": said}] if said else []
        params: dict[str, Any] = {"max_tokens": ask.max_tokens}
        if ask.schema and ask.model in self._held:
            shape = {"name": "reply", "strict": True, "schema": msgspec.Raw(ask.schema)}
            params["response_format"] = {"type": "json_schema", "json_schema": shape}
        called = await self._made(ask.model, [*system, {"role": "user", "content": ask.prompt}], "", params)
        return Told(
            not called.trouble,
            called.text,
            called.usage,
            called.cost,
            called.elapsed,
            called.detail or called.error if called.trouble else "",
        )

    async def _made(self, model: str, messages: Sequence[Mapping[str, Any]], task: str, params: Mapping[str, Any]) -> Called:
        try:
            return _called(await self._client.pursued(messages, model=model, task=task, **params))
        except RequestError as error:
            return Called(trouble="final", error=error.code, detail=error.message)


def _called(answered: Answered) -> Called:
    result = answered.result
    outcome = result.outcome
    if answered.error is None and outcome is not None and outcome.answer is not None:
        answer = outcome.answer
        return Called(answer.text, answer.body, outcome.usage, result.cost, outcome.elapsed, answer.finish)
    last = result.attempts[-1][1] if result.attempts else None
    error = answered.error
    said = "" if error is None else error.message
    return Called(
        cost=result.cost,
        elapsed=0.0 if last is None else last.elapsed,
        trouble=_trouble("" if last is None else last.error, error),
        error=(last.error if last is not None and last.error else "") or ("no_answer" if error is None else error.code),
        detail=(last.detail if last is not None and last.detail else said),
        retry_after=None if error is None else error.retry_after,
    )


def _trouble(kind: str, error: RequestError | None) -> Trouble:
    """What the failure means. Without an attempt nobody could be asked: a resting or busy model (503) will be back."""
    if not kind:
        return "passing" if error is not None and error.status == 503 else "final"
    if kind == _HOPELESS:
        return "model"
    return "passing" if kind in _PASSING else "final"
