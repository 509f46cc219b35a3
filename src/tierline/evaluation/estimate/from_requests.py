"""Evidence from requests that are known but were not sent: which tasks they are, how long, and how the spec decides them."""

from __future__ import annotations

from collections.abc import Iterable

from tierline.evaluation.estimate.evidence import Evidence
from tierline.evaluation.estimate.gather import TaskSoFar
from tierline.evaluation.simulate.workload import Sent
from tierline.routing.router import Router
from tierline.types.view import NO_VIEW


def from_requests(router: Router, sent: Iterable[Sent], where: str = "") -> Evidence:
    """A request belongs to the task that it names, else to the one that the router takes it for. Tokens in are estimates, as the
    router makes them."""
    tasks: dict[str, TaskSoFar] = {}
    count = 0
    for one in sent:
        decision = router.decide(one.features, one.scores, NO_VIEW)
        task = tasks.setdefault(one.task, TaskSoFar())
        task.requests += 1
        task.tokens_in.add(one.features.input_tokens)
        task.keep(decision.target, one.features, one.scores)
        count += 1
    return Evidence(where=where, requests=count, measured=True, tasks={name: found.seen() for name, found in tasks.items()})
