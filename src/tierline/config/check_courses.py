"""Can a route's course be run as written: combining, hedging, refusals, streams and sessions?"""

from __future__ import annotations

from tierline.config.case import Case
from tierline.config.check_names import all_exist, exists
from tierline.config.document import Place
from tierline.config.spec import CombineSpec, RouteSpec
from tierline.config.units import Duration


def examine_courses(case: Case) -> None:
    """Reports what names nobody, and what cannot be done together."""
    for name, route in case.spec.routes.items():
        place = ("routes", name)
        if route.cascade.on_refusal:
            exists(case, (*place, "cascade", "on_refusal"), "model", route.cascade.on_refusal, case.models)
        if route.combine is not None:
            _combine(case, (*place, "combine"), route, route.combine)
        if route.hedge is not None:
            _hedge(case, (*place, "hedge"), route, route.hedge.after)
        if route.session.sticky and not route.session.ttl:
            case.problems.error((*place, "session", "ttl"), "a session that is forgotten at once keeps nothing", "give more than 0s")


def _combine(case: Case, place: Place, route: RouteSpec, combine: CombineSpec) -> None:
    problems = case.problems
    all_exist(case, (*place, "models"), "model", combine.models, case.models)
    if combine.else_:
        exists(case, (*place, "else"), "model", combine.else_, case.models)
        if combine.else_ in combine.models:
            problems.error((*place, "else"), f"{combine.else_!r} is one of those that did not agree", "name another model, or remove it")
    if combine.by == "judge" and not combine.judge:
        problems.error(place, "nobody is named to judge", "add judge: and a model")
    if combine.by != "judge" and combine.judge:
        problems.error((*place, "judge"), f"with by: {combine.by} nobody judges", "write by: judge, or remove it")
    if combine.judge:
        exists(case, (*place, "judge"), "model", combine.judge, case.models)
    calls, most = len(combine.models) + bool(combine.judge), route.cascade.max_attempts
    if calls > most:
        reason = f"it makes {calls} calls, and one request may make {most}"
        problems.error((*place, "models"), reason, "raise cascade.max_attempts, or combine fewer")
    elif calls == most:
        reason = f"its {calls} calls are all that one request may make, so nobody answers where they come to nothing"
        problems.warn((*place, "models"), reason, "raise cascade.max_attempts by one at least")
    if route.stream == "optimistic":
        where = (*place[:-1], "stream")
        problems.error(where, "answers that are combined cannot be passed on before they are whole", "write stream: buffered, or remove it")


def _hedge(case: Case, place: Place, route: RouteSpec, after: str) -> None:
    if route.combine is not None:
        reason = "the models that are combined run side by side already"
        case.problems.error(place, reason, "remove hedge, or combine")
    if after == "p95":
        return
    try:
        seconds = Duration.parse(after)
    except ValueError as error:
        case.problems.error((*place, "after"), f"{error}", "write p95, or a time such as 800ms")
        return
    if not 0 < seconds < route.deadline:
        reason = f"a second attempt after {seconds:g} s, with a deadline of {route.deadline:g} s, would never race"
        case.problems.error((*place, "after"), reason, "give more than 0s and less than the deadline")
