"""Who would have been right, and at what cost: every prompt asked of every scripted model. Nothing that decides can see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from tierline.config.loaded import Loaded
from tierline.demo.drive import Sent
from tierline.demo.figures import Single
from tierline.providers.script import Script
from tierline.providers.scripted import ScriptedProvider
from tierline.types.catalog import Model
from tierline.types.record import Record
from tierline.types.wire import Call


class Would(msgspec.Struct, frozen=True):
    """What one model makes of one prompt: is it right, and USD."""

    right: bool
    cost: float


class Scored(msgspec.Struct, frozen=True):
    """A request with its row of the log, whether its answer was right, and what each model that can hold it would have made of it."""

    sent: Sent
    record: Record
    right: bool
    fleet: Mapping[str, Would]


class Truth:
    """The fleet of a spec, without its failures and its waiting. It answers as the live one did, for the same request id."""

    def __init__(self, loaded: Loaded) -> None:
        self._models = loaded.models
        self._scripts = {name: Script.of(_flawless(endpoint.script)) for name, endpoint in loaded.providers.items()}
        self._providers = {
            name: ScriptedProvider(msgspec.structs.replace(endpoint, script=_flawless(endpoint.script)))
            for name, endpoint in loaded.providers.items()
        }

    async def score(self, sent: Sequence[Sent], records: Mapping[str, Record]) -> list[Scored]:
        """Every request that left a row; one that nobody answered counts as wrong."""
        return [await self._scored(one, records[one.decision]) for one in sent if one.decision in records]

    async def _scored(self, sent: Sent, record: Record) -> Scored:
        tokens = max((tried.usage.input for tried in record.tried), default=0)
        fleet = {name: await self._would(model, sent) for name, model in self._models.items() if model.context >= tokens}
        return Scored(sent, record, bool(record.model) and fleet[record.model].right, fleet)

    async def _would(self, model: Model, sent: Sent) -> Would:
        body = msgspec.json.encode(sent.prompt.body(model.upstream))
        reply = await self._providers[model.provider].send(Call(model, "chat", "/chat/completions", body, request_id=sent.decision))
        usage = msgspec.json.decode(await reply.body())["usage"]
        right = self._scripts[model.provider].is_able(model.upstream, sent.prompt.words, sent.decision)
        return Would(right, model.price.cost(usage["prompt_tokens"], usage["completion_tokens"]))


def singles(scored: Sequence[Scored]) -> list[Single]:
    """Mean cost and pass rate of sending everything to one model. What a model cannot hold counts as wrong, and free."""
    count = len(scored)
    names = sorted({name for one in scored for name in one.fleet})
    found = [(name, [one.fleet[name] for one in scored if name in one.fleet]) for name in names]
    return [Single(name, sum(w.cost for w in would) / count, sum(w.right for w in would) / count) for name, would in found]


def _flawless(script: Mapping[str, object]) -> dict[str, object]:
    """The script without its failures, in which nothing waits."""
    models = script.get("models")
    assert isinstance(models, Mapping)
    healthy = {name: {key: value for key, value in behaviour.items() if key != "fail"} for name, behaviour in models.items()}
    return {**script, "latency": "none", "models": healthy}
