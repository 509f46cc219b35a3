"""Are the names well formed, and does everything that is named exist?"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import get_args

from tierline.config.case import Case
from tierline.config.conditions import RISKS
from tierline.config.document import Place
from tierline.config.plugin_names import registered
from tierline.types.features import CAPABILITIES, Operation

_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._:@+-]*$")
_MODEL_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._:@+/-]*$")
_SAMPLE = re.compile(r"^sample\s+(\d*\.?\d+)$")


def examine_names(case: Case) -> None:
    """Reports names that cannot be used as one, and references to what is not there."""
    _forms(case)
    _tiers(case)
    _models(case)
    _tasks(case)
    _routes(case)
    _keys(case)
    _governance(case)


def _forms(case: Case) -> None:
    """Names travel in headers and addresses."""
    for section in ("providers", "models", "tasks", "routes", "keys", "signals", "sources", "experiments"):
        form = _MODEL_NAME if section == "models" else _NAME
        for name in sorted(case.names(section)):
            if not form.match(name) or len(name) > 100:
                extra = " /" if section == "models" else ""
                reason = f"{name[:40]!r} cannot be a name: it travels in headers and addresses"
                case.problems.error(
                    (section, name), reason, f"use at most 100 letters, digits and . _ : @ + -{extra}, beginning with a letter or digit"
                )
    for name in sorted(case.models):
        if name == "auto" or name.startswith(("auto/", "tier/")):
            case.problems.error(
                ("models", name), f"clients reach routes and tiers by names such as {name!r}", "give the model another name"
            )
        if name in case.spec.tiers:
            case.problems.error(
                ("models", name), f"{name!r} is a tier too, so `use: {name}` could mean either", "give the model another name"
            )


def _tiers(case: Case) -> None:
    tiers = case.spec.tiers
    if not tiers:
        case.problems.error(("tiers",), "there is no tier", "name at least one, cheapest first")
    for index, tier in enumerate(tiers):
        if tier in tiers[:index]:
            case.problems.error(("tiers", index), f"the tier {tier!r} stands twice", "keep one of them")
        if not _NAME.match(tier):
            case.problems.error(("tiers", index), f"{tier!r} cannot be a name", "use letters, digits and . _ -")


def _models(case: Case) -> None:
    if not case.models:
        case.problems.error(
            ("models",), "there is no model to route to", "add one, e.g. models: {mini: {provider: openai, model: gpt-5-mini, tier: fast}}"
        )
    for name, model in case.spec.models.items():
        place = ("models", name)
        exists(case, (*place, "provider"), "provider", model.provider, case.names("providers"))
        if case.spec.tiers:
            exists(case, (*place, "tier"), "tier", model.tier, case.spec.tiers)
        all_exist(case, (*place, "capabilities"), "capability", model.capabilities or [], CAPABILITIES)


def _tasks(case: Case) -> None:
    for name, task in case.spec.tasks.items():
        place = ("tasks", name)
        all_exist(case, (*place, "models"), "model", task.models, case.models)
        all_exist(case, (*place, "fallback"), "model", task.fallback, case.models)
        for field, named in (("weights", task.weights), ("quality", task.quality)):
            for model in named:
                exists(case, (*place, field, model), "model", model, case.models)
        if task.risk:
            exists(case, (*place, "risk"), "risk", task.risk, RISKS)
        if task.match is not None and task.match.operation:
            exists(case, (*place, "match", "operation"), "operation", task.match.operation, get_args(Operation))


def _routes(case: Case) -> None:
    targets = case.models | set(case.spec.tiers)
    for name, route in case.spec.routes.items():
        place = ("routes", name)
        if route.task:
            exists(case, (*place, "task"), "task", route.task, case.tasks)
        for tier in route.difficulty:
            exists(case, (*place, "difficulty", tier), "tier", tier, case.spec.tiers)
        for model in route.weights:
            exists(case, (*place, "weights", model), "model", model, case.models)
        exists(case, (*place, "scorer", "kind"), "scorer", route.scorer.kind, registered("tierline.scorers"))
        sampled = _SAMPLE.match(route.log_text)
        if route.log_text not in ("none", "all", "flagged") and (sampled is None or float(sampled[1]) > 1):
            reason = f"{route.log_text!r} is none of the choices"
            case.problems.error((*place, "log_text"), reason, "write none, all, flagged, or sample 0.01")
        for index, rule in enumerate(route.rules):
            at = (*place, "rules", index)
            if rule.task is not None:
                exists(case, (*at, "task"), "task", rule.task, case.tasks)
            if isinstance(rule.use, list):
                all_exist(case, (*at, "use"), "model", rule.use, case.models)
            elif rule.use is not None:
                exists(case, (*at, "use"), "tier or model", rule.use, targets)


def _keys(case: Case) -> None:
    for name, key in case.spec.keys.items():
        all_exist(case, ("keys", name, "routes"), "route", key.routes, case.routes)
        all_exist(case, ("keys", name, "models"), "model", key.models, case.models)
        if key.task:
            exists(case, ("keys", name, "task"), "task", key.task, case.tasks)


def _governance(case: Case) -> None:
    for index, rule in enumerate(case.spec.governance.rules):
        place = ("governance", "rules", index, "allow")
        all_exist(case, (*place, "models"), "model", rule.allow.models, case.models)
        all_exist(case, (*place, "tiers"), "tier", rule.allow.tiers, case.spec.tiers)


def exists(case: Case, place: Place, kind: str, name: str, known: Collection[str]) -> None:
    """Reports a name that nothing bears."""
    if name not in known:
        case.problems.unknown(place, kind, name, known)


def all_exist(case: Case, place: Place, kind: str, names: Iterable[str], known: Collection[str]) -> None:
    """Reports the names of a list that nothing bears, and those that stand twice."""
    seen: set[str] = set()
    for index, name in enumerate(names):
        exists(case, (*place, index), kind, name, known)
        if name in seen:
            case.problems.error((*place, index), f"{name!r} stands twice", "keep one of them")
        seen.add(name)
