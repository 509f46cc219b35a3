"""Do the rules work: can each of them fire, does each of them do something, do those of governance leave a model?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tierline.config.case import Case
from tierline.config.cel_syntax import Call, Node
from tierline.config.conditions import Rule, examine_condition
from tierline.config.document import Place
from tierline.config.logic import Effort, always_holds, never_holds
from tierline.config.spec import AllowSpec, RouteSpec, RuleSpec
from tierline.types.catalog import Model


def examine_rules(case: Case, models: Mapping[str, Model]) -> None:
    """Reports conditions that cannot be met and rules that change nothing."""
    for name, route in case.spec.routes.items():
        _route(case, name, route)
    _governance(case, models)


def _route(case: Case, name: str, route: RouteSpec) -> None:
    earlier: dict[str, list[tuple[int, Rule]]] = {"task": [], "use": []}
    effort = Effort()
    for index, rule in enumerate(route.rules):
        place = ("routes", name, "rules", index)
        _effect(case, place, route, rule)
        condition = examine_condition(case, (*place, "when"), rule.when, name, task_open=rule.task is not None and rule.use is None)
        if condition is None:
            continue
        phases = [phase for phase in ("task", "use") if getattr(rule, phase) is not None]
        if phases and all(_shadowed(condition, earlier[phase], effort) for phase in phases):
            _report_shadow(case, (*place, "when"), condition, earlier[phases[0]])
        for phase in phases:
            earlier[phase].append((index, condition))


def _effect(case: Case, place: Place, route: RouteSpec, rule: RuleSpec) -> None:
    if case.whole and rule.use is None and rule.task is None:
        case.problems.error(place, "this rule neither uses nor settles anything", "add use: (a tier or models) or task:")
    if case.whole and rule.use == []:
        case.problems.error((*place, "use"), "the list is empty", "name at least one model")
    if rule.task is not None and route.task:
        reason = f"the route settles the task as {route.task!r} before any rule is asked"
        case.problems.error((*place, "task"), reason, "remove the route's task, or this one")
    if rule.task is not None and rule.use is not None:
        task = case.spec.tasks.get(rule.task)
        used = _used(case, rule.use)
        if task is not None and task.models and used and not used & {*task.models, *task.fallback}:
            reason = f"the rule uses {', '.join(sorted(used))}, and the task {rule.task!r} that it settles takes none of them"
            case.problems.error(place, reason, "let the task choose (remove use:), or add the models to it")


def _used(case: Case, use: str | list[str]) -> set[str]:
    """The models that a rule's `use` names."""
    if isinstance(use, list):
        return set(use)
    return {use} if use in case.models else {name for name, model in case.spec.models.items() if model.tier == use}


def _shadowed(condition: Rule, earlier: Sequence[tuple[int, Rule]], effort: Effort) -> bool:
    if condition.node is None or never_holds(condition.node, condition.domains):
        return False  # what never fires at all has been reported already
    before = [rule.node for _, rule in earlier if rule.node is not None]
    if any(node.text == condition.node.text for node in before):
        return True
    return bool(before) and never_holds(condition.node, condition.domains, before, effort)


def _report_shadow(case: Case, place: Place, condition: Rule, earlier: Sequence[tuple[int, Rule]]) -> None:
    """Names the one earlier rule that takes everything, where it is one."""
    reason, node = "the rules above together take every request that could meet this condition", condition.node
    for index, rule in earlier:
        if rule.node is None or node is None:
            continue
        if rule.node.text == node.text:
            reason = f"the same condition as rule {index} above, which wins"
        elif always_holds(rule.node, rule.domains):
            reason = f"rule {index} above always holds, so this one is never asked"
        elif never_holds(node, condition.domains, [rule.node]):
            reason = f"rule {index} above takes every request that could meet this condition"
        else:
            continue
        break
    case.problems.error(place, reason, "put the narrower rule first, or remove one")


def _governance(case: Case, models: Mapping[str, Model]) -> None:
    checked: list[tuple[int, Rule, frozenset[str]]] = []
    for index, rule in enumerate(case.spec.governance.rules):
        place = ("governance", "rules", index)
        condition = examine_condition(case, (*place, "when"), rule.when)
        allow = rule.allow
        if rule.refuse or (rule.redact and not _restricts(allow)):
            continue
        if case.whole and not _restricts(allow):
            hint = "name a residency, a region, models, tiers or providers, or write redact: or refuse:"
            case.problems.error((*place, "allow"), "it allows everything, so the rule does nothing", hint)
            continue
        left = frozenset(name for name, model in models.items() if allows(allow, model))
        if not left and case.whole:
            _report_nothing_left(case, place, allow, models)
        elif condition is not None:
            checked.append((index, condition, left))
    if case.whole:
        _pairs(case, checked)


def _restricts(allow: AllowSpec) -> bool:
    return bool(allow.residency or allow.region or allow.models or allow.tiers or allow.providers)


def allows(allow: AllowSpec, model: Model) -> bool:
    """Whether a governance rule leaves this model standing."""
    return (
        (not allow.residency or model.residency in _words(allow.residency))
        and (not allow.region or model.region in _words(allow.region))
        and (not allow.models or model.name in allow.models)
        and (not allow.tiers or model.tier in allow.tiers)
        and (not allow.providers or model.provider in allow.providers)
    )


def _words(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _report_nothing_left(case: Case, place: Place, allow: AllowSpec, models: Mapping[str, Model]) -> None:
    for field in ("residency", "region"):
        known = {getattr(model, field) for model in models.values()} - {""}
        wanted = _words(getattr(allow, field))
        if wanted and not known & set(wanted):
            have = ", ".join(sorted(known)) or "none: give it to a provider or a model"
            case.problems.error((*place, "allow", field), f"no model has the {field} {' or '.join(wanted)}", f"the models' own: {have}")
            return
    case.problems.error(
        (*place, "allow"), "no model meets all of this, so the rule refuses every request it holds for", "allow at least one model"
    )


def _pairs(case: Case, checked: Sequence[tuple[int, Rule, frozenset[str]]]) -> None:
    """Two rules that can hold for one request and leave no model in common."""
    for at, (second, condition, left) in enumerate(checked):
        for first, other, also in checked[:at]:
            if left & also or condition.node is None or other.node is None:
                continue
            both: Node = Call(f"({other.node.text} && {condition.node.text})", "&&", (other.node, condition.node))
            if not never_holds(both, condition.domains):
                reason = f"a request for which this and rule {first} both hold is refused: no model is allowed by both"
                case.problems.warn(("governance", "rules", second), reason, "allow one model in both, if such requests should be answered")
