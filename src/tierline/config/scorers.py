"""The scorers that a spec names, each made once."""

from __future__ import annotations

from typing import Any

from tierline import plugins
from tierline.config.loaded import Loaded
from tierline.config.spec import RouteSpec, ScorerSpec
from tierline.interfaces import Scorer

DEFAULT_ROUTE = "auto"


def scorers_of(loaded: Loaded) -> dict[str, Scorer]:
    """A scorer for each route, `auto` always among them; routes with the same settings share one. Raises PluginMissing for a kind that
    nobody registers, ScorerUnusable for a file that cannot be used."""
    routes = {DEFAULT_ROUTE: RouteSpec(), **loaded.spec.routes}
    kinds = plugins.find_all("scorers", {route.scorer.kind for route in routes.values()})
    made: list[tuple[ScorerSpec, Scorer]] = []
    for route in routes.values():
        if not any(settings == route.scorer for settings, _ in made):
            made.append((route.scorer, _made(kinds[route.scorer.kind], loaded, route.scorer)))
    return {name: next(scorer for settings, scorer in made if settings == route.scorer) for name, route in routes.items()}


def _made(kind: Any, loaded: Loaded, settings: ScorerSpec) -> Scorer:
    """A scorer is made from the spec and `abstain_below`; one that is trained gets the name of its file as well."""
    scorer: Scorer = kind(loaded, settings.abstain_below, settings.artifact) if settings.artifact else kind(loaded, settings.abstain_below)
    return scorer
