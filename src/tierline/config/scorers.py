"""The scorers that a spec names, each made once."""

from __future__ import annotations

import inspect
from typing import Any

import msgspec

from tierline import plugins
from tierline.config.loaded import Loaded
from tierline.config.scorer_file import ScorerUnusable
from tierline.config.spec import RouteSpec, ScorerSpec
from tierline.config.structure import decode_unit
from tierline.interfaces import Scorer
from tierline.types.errors import TierlineError

DEFAULT_ROUTE = "auto"


def scorers_of(loaded: Loaded) -> dict[str, Scorer]:
    """A scorer for each route, `auto` always among them; routes with the same settings share one. Raises PluginMissing for a kind that
    nobody registers, ScorerUnusable for a file that cannot be used."""
    routes = {DEFAULT_ROUTE: RouteSpec(), **loaded.spec.routes}
    kinds = plugins.find_all("scorers", {route.scorer.kind for route in routes.values()})
    own = {name: msgspec.structs.replace(route.scorer, ask=None) for name, route in routes.items()}
    made: list[tuple[ScorerSpec, Scorer]] = []
    for wanted in own.values():
        if not any(settings == wanted for settings, _ in made):
            made.append((wanted, _made(kinds[wanted.kind], loaded, wanted)))
    return {name: next(scorer for settings, scorer in made if settings == wanted) for name, wanted in own.items()}


def _made(kind: Any, loaded: Loaded, settings: ScorerSpec) -> Scorer:
    """A scorer is made from the spec and `abstain_below`; where the spec names a file, it gets `artifact` as well, and one that has a
    struct `Options` gets `options`."""
    more: dict[str, Any] = {"artifact": settings.artifact} if settings.artifact else {}
    shape = options_of(kind)
    if shape is not None:
        more["options"] = msgspec.convert(settings.options, shape, dec_hook=decode_unit)
    try:
        scorer: Scorer = kind(loaded, settings.abstain_below, **more)
    except TierlineError:
        raise
    except Exception as error:
        raise ScorerUnusable(f"the scorer {settings.kind!r} cannot be made: {type(error).__name__}: {error} → mend its package") from error
    return scorer


def options_of(kind: Any) -> type[msgspec.Struct] | None:
    """The struct `Options` of a scorer's class, the shape of `scorer.options`; None where it takes none."""
    shape = getattr(kind, "Options", None)
    return shape if inspect.isclass(shape) and issubclass(shape, msgspec.Struct) else None
