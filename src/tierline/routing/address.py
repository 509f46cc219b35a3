"""What a client means by a model name: `auto`, `auto/<route>`, `tier/<tier>`, a model of the spec, or `provider/upstream-name`."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

import msgspec

from tierline.routing.policy import Policy
from tierline.types.errors import UnknownModel


class Address(msgspec.Struct, frozen=True):
    """The route to take, and the tier or model that the name pins; both are empty for a routed request."""

    route: str = "auto"
    tier: str = ""
    model: str = ""


def addresses(policy: Policy) -> Mapping[str, Address]:
    """Every name that a client may use, with its meaning. A spec model's own name wins over every other reading."""
    names = {"auto": Address()}
    names.update({f"auto/{route}": Address(route) for route in policy.routes})
    names.update({f"tier/{tier}": Address(tier=tier) for tier in policy.fleet.tiers})
    for model in policy.fleet.models:
        names.setdefault(f"{model.provider}/{model.upstream}", Address(model=model.name))
    names.update({model.name: Address(model=model.name) for model in policy.fleet.models})
    return names


def resolve(names: Mapping[str, Address], name: str) -> Address:
    """The meaning of one name; raises UnknownModel with the nearest known ones."""
    address = names.get(name)
    if address is not None:
        return address
    near = difflib.get_close_matches(name, names, n=2, cutoff=0.6)
    hint = f"did you mean {' or '.join(near)}?" if near else "GET /v1/models lists every name"
    raise UnknownModel(f"model {name[:100]!r} is not in the spec; {hint}", param="model")
