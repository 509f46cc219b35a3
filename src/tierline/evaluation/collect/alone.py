"""The spec with everything taken out of it that would put another model, another prompt or a tool in the place of the model asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tierline.config.loaded import Loaded
from tierline.config.spec import CascadeSpec, RouteSpec
from tierline.config.units import Duration
from tierline.evaluation.collect.call import Candidate
from tierline.evaluation.grade.grader import print_of
from tierline.types.errors import TierlineError


class BadCandidates(TierlineError):
    """Models that cannot be run: unknown, twice, or without a price."""


def alone(loaded: Loaded, deadline: float) -> Loaded:
    """The same models, providers, prices, tasks and governance, and a plain route that waits `deadline` seconds. Which model is asked is
    the caller's word; what governance forbids stays forbidden."""
    spec = loaded.spec
    tasks = {
        name: msgspec.structs.replace(task, models=[], fallback=[], weights={}, validate=[], stream=None, latency_budget=None)
        for name, task in spec.tasks.items()
    }
    plain = RouteSpec(deadline=Duration(deadline), cascade=CascadeSpec(retries=0))
    return msgspec.structs.replace(loaded, spec=msgspec.structs.replace(spec, routes={"auto": plain}, tasks=tasks))


def candidates(loaded: Loaded, names: Sequence[str], params: Mapping[str, Any]) -> tuple[Candidate, ...]:
    """The named models, ready to run; raises BadCandidates with everything wrong with the names."""
    problems = [f"{name!r} is not in the spec → it has {', '.join(loaded.models)}" for name in names if name not in loaded.models]
    problems += [f"{name!r} is named twice" for name in sorted({name for name in names if names.count(name) > 1})]
    unpriced = [name for name in names if name in loaded.models and not loaded.models[name].price.known]
    problems += [f"the price of {name!r} is not known, so no budget could hold → give `models.{name}.price`" for name in unpriced]
    if not names:
        problems.append("name at least one model")
    if problems:
        raise BadCandidates("\n".join(problems))
    return tuple(_candidate(loaded, name, params) for name in names)


def _candidate(loaded: Loaded, name: str, params: Mapping[str, Any]) -> Candidate:
    model = loaded.models[name]
    endpoint = loaded.providers[model.provider]
    who = print_of(
        model.upstream, model.provider, endpoint.kind, endpoint.dialect, endpoint.base_url, endpoint.table, endpoint.script, params
    )
    return Candidate(name, who, model.price, params)
