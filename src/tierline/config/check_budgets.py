"""Budgets: those for nobody, those that could never be kept to, and settings that nothing would read."""

from __future__ import annotations

import zoneinfo

from tierline.config.case import Case
from tierline.config.check_names import exists
from tierline.config.document import Place
from tierline.config.problems import did_you_mean
from tierline.config.spec import BudgetSpec

_ANSWERED_BY_OTHERS = "where a model's or provider's budget is spent, other models answer"


def examine_budgets(case: Case) -> None:
    """Reports budgets without a limit or for what is not there, unknown time zones, and what contradicts itself."""
    for name, budget in case.spec.budgets.items():
        place = ("budgets", name)
        _limit(case, place, budget)
        _names(case, place, budget)
        _zone(case, place, budget)
        _each(case, place, budget)
        _scope(case, place, budget)
        if budget.per == "request":
            _of_request(case, place, budget)
    _within(case)


def _limit(case: Case, place: Place, budget: BudgetSpec) -> None:
    if budget.limit is not None and budget.tokens is not None:
        case.problems.error((*place, "tokens"), "a budget counts USD or tokens, not both", "make it two budgets")
    elif budget.limit is None and budget.tokens is None and case.whole:
        case.problems.error(place, "it has no limit", "add limit: USD, or tokens: a number")
    elif budget.limit == 0:
        case.problems.error((*place, "limit"), "nothing could ever be spent of it", "give more than 0, or remove the budget")
    if budget.soft == 0:
        case.problems.error((*place, "soft"), "with 0 it would always warn", "give a share of the limit, e.g. 0.8")


def _names(case: Case, place: Place, budget: BudgetSpec) -> None:
    known = {"task": case.tasks, "route": case.routes, "model": case.models, "provider": case.names("providers")}
    for field, names in known.items():
        name = getattr(budget, field)
        if name:
            exists(case, (*place, field), field, name, names)
    if budget.key and budget.key not in case.names("keys"):
        reason = f"the spec has no key {budget.key!r}: this budget counts one of that name from elsewhere, or nothing"
        case.problems.warn((*place, "key"), reason, did_you_mean(budget.key, case.names("keys")) or "add the key, or remove the budget")
    teams = {key.team for key in case.spec.keys.values() if key.team}
    if budget.team and teams and budget.team not in teams:
        case.problems.warn((*place, "team"), f"no key of the spec is of the team {budget.team!r}", f"teams are {', '.join(sorted(teams))}")


def _zone(case: Case, place: Place, budget: BudgetSpec) -> None:
    try:
        zoneinfo.ZoneInfo(budget.time_zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        case.problems.unknown((*place, "time_zone"), "time zone", budget.time_zone, zoneinfo.available_timezones())


def _each(case: Case, place: Place, budget: BudgetSpec) -> None:
    if budget.each and getattr(budget, budget.each, ""):
        reason = f"it is for one {budget.each} already, so there is nothing to have one each of"
        case.problems.error((*place, "each"), reason, f"remove each, or {budget.each}")


def _scope(case: Case, place: Place, budget: BudgetSpec) -> None:
    """What makes no sense for a budget of a model or provider."""
    if budget.model and budget.provider:
        model = case.spec.models.get(budget.model)
        if model is not None and model.provider != budget.provider:
            reason = f"{budget.model!r} is not a model of {budget.provider!r}, so nothing would ever count"
            case.problems.error((*place, "provider"), reason, f"write {model.provider}, or remove it")
    if not (budget.model or budget.provider):
        return
    if budget.pace == "spread":
        case.problems.error((*place, "pace"), f"{_ANSWERED_BY_OTHERS}: it has no bar of its own to move", "remove pace")
    if budget.at_limit != "reject":
        case.problems.error((*place, "at_limit"), _ANSWERED_BY_OTHERS, "remove at_limit")


def _of_request(case: Case, place: Place, budget: BudgetSpec) -> None:
    """A limit of one request is kept by the decision itself: nothing is counted over time."""
    unread = {
        "pace": budget.pace != "none",
        "each": bool(budget.each),
        "at_limit": budget.at_limit != "reject",
        "model": bool(budget.model),
        "provider": bool(budget.provider),
        "soft": budget.soft != 1.0,
        "time_zone": budget.time_zone != "UTC",
    }
    for field, given in unread.items():
        if given:
            case.problems.error((*place, field), f"a budget per request has no {field}", f"remove {field}, or give a period such as day")


_HOURS = {"hour": 1, "day": 24, "week": 168, "month": 672}


def _within(case: Case) -> None:
    """A budget that is narrower and larger than another can never be spent."""
    whole = {
        name: budget
        for name, budget in case.spec.budgets.items()
        if budget.limit is not None and budget.per != "request" and not (budget.model or budget.provider or budget.each)
    }
    for name, inner in whole.items():
        for other, outer in whole.items():
            if name != other and outer.at_limit == "reject" and _is_part(inner, outer) and _exceeds(inner, outer):
                reason = f"it is part of {other!r}, which ends at ${outer.limit:g} per {outer.per}, so it can never be spent"
                case.problems.warn(("budgets", name, "limit"), reason, f"give less than {outer.limit:g}, or raise {other}")


def _is_part(inner: BudgetSpec, outer: BudgetSpec) -> bool:
    fields = ("key", "team", "task", "route", "tag")
    return all(getattr(outer, field) in ("", getattr(inner, field)) for field in fields) and any(
        getattr(inner, field) and not getattr(outer, field) for field in fields
    )


def _exceeds(inner: BudgetSpec, outer: BudgetSpec) -> bool:
    return _HOURS[inner.per] <= _HOURS[outer.per] and (inner.limit or 0.0) > (outer.limit or 0.0)
