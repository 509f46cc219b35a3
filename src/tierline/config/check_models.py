"""Can every model be reached, and is everything declared put to use?"""

from __future__ import annotations

from collections.abc import Mapping

from tierline.config.case import Case
from tierline.config.cel_syntax import Member, Name, read, walk
from tierline.config.check_rules import allows
from tierline.config.logic import always_holds
from tierline.config.spec import RouteSpec
from tierline.types.catalog import Model


def examine_models(case: Case, models: Mapping[str, Model]) -> None:
    """Reports models that routing can never choose, and warns of what nothing uses. Looks at whole specs only."""
    if not case.whole:
        return
    _unreachable(case)
    _forbidden(case, models)
    _no_key(case)
    _empty_tiers(case)
    _unused(case)


def _unreachable(case: Case) -> None:
    """A route without a task of its own takes every model while the task is open, so nothing is out of reach there."""
    spec = case.spec
    if any(not (spec.routes[name].task if name in spec.routes else "") for name in case.routes):
        return
    if any(not task.models for task in spec.tasks.values()):
        return
    reached: set[str] = set()
    for task in spec.tasks.values():
        reached |= {*task.models, *task.fallback}
    for route in spec.routes.values():
        for rule in route.rules:
            reached |= {rule.use} if isinstance(rule.use, str) else set(rule.use or ())
        reached |= _beside(route)
    for experiment in spec.experiments.values():
        reached |= {*experiment.shadow}
    reached.add(spec.governance.safety_model)
    checks = [task.validate for task in spec.tasks.values()] + [route.validate for route in spec.routes.values()]
    reached |= {value for entries in checks for entry in entries for value in entry.values() if isinstance(value, str)}
    for name, model in spec.models.items():
        if name not in reached and model.tier not in reached:
            reason = "no task, rule or route ever takes this model: every route has a task, and no task lists it"
            case.problems.error(("models", name), reason, "add it to a task's models or fallback, or remove it")


def _beside(route: RouteSpec) -> set[str]:
    """The models that a route asks for something else than the answer, or for one of several."""
    named = {step.rewrite_query or step.summarise_history or step.moderate for step in route.prepare}
    if route.combine is not None:
        named |= {*route.combine.models, route.combine.else_, route.combine.judge}
    if route.shadow is not None:
        named |= {*route.shadow.models, route.shadow.judge}
    return {*named, route.cascade.on_refusal}


def _forbidden(case: Case, models: Mapping[str, Model]) -> None:
    for index, rule in enumerate(case.spec.governance.rules):
        node = read(rule.when)
        if node is None or not always_holds(node, {}):
            continue
        for name, model in models.items():
            if rule.refuse or not allows(rule.allow, model):
                reason = f"governance rule {index} always holds and never allows this model"
                case.problems.error(("models", name), reason, "allow it there, or remove it")


def _no_key(case: Case) -> None:
    callers = [key for key in case.spec.keys.values() if "call" in key.scopes]
    if not callers or any(not key.models for key in callers):
        return
    reached = {model for key in callers for model in key.models}
    for name in sorted(case.models - reached):
        case.problems.warn(("models", name), "no key may reach this model", "add it to the models of a key, or remove it")


def _empty_tiers(case: Case) -> None:
    used = {model.tier for model in case.spec.models.values()}
    for index, tier in enumerate(case.spec.tiers):
        if tier in used or not case.spec.models:
            continue
        rules = [
            ("routes", name, "rules", number, "use")
            for name, route in case.spec.routes.items()
            for number, rule in enumerate(route.rules)
            if rule.use == tier
        ]
        for place in rules:
            case.problems.error(place, f"no model is in the tier {tier!r}", "use another, or give a model this tier")
        if not rules and "tiers" in case.written:
            case.problems.warn(("tiers", index), f"no model is in the tier {tier!r}", "remove it, or give a model this tier")


def _unused(case: Case) -> None:
    spec = case.spec
    served = {model.provider for model in spec.models.values()}
    for name in spec.providers:
        if name not in served:
            case.problems.warn(("providers", name), "no model uses this provider", "remove it, or add a model")
    whens = [rule.when for route in spec.routes.values() for rule in route.rules] + [rule.when for rule in spec.governance.rules]
    read_signals: set[str] = set()
    for when in whens:
        node = read(when)
        if node is None:
            return  # beyond our reader: it could use any signal
        parts = list(walk(node))
        members = [part for part in parts if isinstance(part, Member) and part.of == Name("signals", "signals")]
        read_signals |= {part.key for part in members}
        if sum(part == Name("signals", "signals") for part in parts) > len(members):
            return  # the map is used as a whole
    for name in spec.signals:
        if name not in read_signals:
            case.problems.warn(("signals", name), "no rule reads this signal", f"use signals.{name} in a rule, or remove it")
