"""What a spec gives its requests to call with: how each model is reached, and the validators by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from tierline.gateway.choose import Normalise
from tierline.interfaces import Dialect, Provider, Validator
from tierline.types.access import Endpoint
from tierline.types.catalog import Model
from tierline.types.features import Features
from tierline.types.outcome import Usage


class Lane(msgspec.Struct, frozen=True):
    """How one model is reached: everything that a call to it needs, looked up once at load. `headers` are those that every upstream of its
    dialect wants."""

    model: Model
    endpoint: Endpoint
    provider: Provider
    dialect: Dialect
    headers: tuple[tuple[str, str], ...] = ()


class Means(msgspec.Struct, frozen=True):
    """Everything a request may call. `reach` says which models governance and the key let a request of that task be shown to; `ladder`
    names the models that chat, lowest tier first and cheapest first within it: who is asked where nobody is named. `normalise` says when
    several answers mean the same."""

    lanes: dict[str, Lane]
    validators: Mapping[str, Validator]
    reach: Callable[[Features, str], frozenset[str]]
    ladder: tuple[str, ...]
    normalise: Normalise


def ladder_of(lanes: Mapping[str, Lane], tiers: tuple[str, ...]) -> tuple[str, ...]:
    """The models that chat: lowest tier first, cheapest first within it; one of unknown price counts as the dearest."""
    chatting = [lane.model for lane in lanes.values() if "chat" in lane.model.capabilities]

    def height(model: Model) -> tuple[int, bool, float, str]:
        return tiers.index(model.tier), not model.price.known, model.price.input + model.price.output, model.name

    return tuple([model.name for model in sorted(chatting, key=height)])


def cost(model: Model, usage: Usage) -> float:
    """USD of one call at the model's list price."""
    return model.price.cost(usage.input, usage.output, usage.cached, usage.cache_written)
