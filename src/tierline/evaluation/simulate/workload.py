"""What is sent in a simulation, and when: the prompts of a table, the requests of a file, or those of a log."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tierline.config.scorers import scorers_of
from tierline.dialects.openai_chat import OpenAIChat
from tierline.evaluation.replay.again import Decider
from tierline.evaluation.replay.logged import Logged
from tierline.evaluation.table import Table
from tierline.routing.extract import Extractor
from tierline.routing.router import Router
from tierline.types.access import ANYONE
from tierline.types.errors import BadRequest, EvaluationFailure, RequestError
from tierline.types.features import Features
from tierline.types.hints import Hints
from tierline.types.scores import NO_SCORES, Scores
from tierline.types.view import NO_VIEW

_FIELDS = ("messages", "prompt", "system", "task", "user_tier", "risk", "max_cost", "at", "id", "model")


class Sent(msgspec.Struct, frozen=True):
    """One request. `query` and `task` are what the outcome models know it by (the router sees neither, unless the client names the
    task; where nobody names one, a file's request has the task that the router takes it for); `at` is seconds from the start, None
    where arrivals are to be drawn."""

    query: str
    task: str
    features: Features
    scores: Scores
    at: float | None = None


class Asker:
    """Turns prompts into features and scores, as the gateway does."""

    def __init__(self, router: Router) -> None:
        self._router = router
        self._extract = Extractor(router.loaded)
        self._scorers = scorers_of(router.loaded)
        self._dialect = OpenAIChat()

    def ask(self, identity: str, body: dict[str, Any], hints: Hints) -> tuple[Features, Scores]:
        """The features and scores of one chat body. Raises RequestError as the gateway would."""
        address = self._router.address(str(body.get("model", "auto")))
        hints = msgspec.structs.replace(hints, tier=address.tier or hints.tier, model=address.model or hints.model)
        request = msgspec.structs.replace(self._dialect.parse(msgspec.json.encode(body)), id=identity, route=address.route, hints=hints)
        features = self._extract(request, ANYONE)
        if self._router.settle(features) is not None:
            return features, NO_SCORES
        return features, self._scorers[features.route].score(request, features)

    def taken_for(self, features: Features, scores: Scores) -> str:
        """The task that the router takes a request for; empty for none."""
        return self._router.decide(features, scores, NO_VIEW).task


def of_table(router: Router, table: Table) -> list[Sent]:
    """The prompts of a table, one request each."""
    if table.text is None or not any(table.text):
        raise EvaluationFailure("a spec decides by prompts, and the data have none")
    asker, found = Asker(router), []
    for query, text, task in zip(table.query, table.text, table.task, strict=True):
        features, scores = asker.ask(query, {"model": "auto", "messages": [{"role": "user", "content": text}]}, Hints())
        found.append(Sent(query, task, features, scores))
    return found


def of_file(router: Router, path: Path) -> list[Sent]:
    """The requests of a JSONL file: chat bodies, or `{"prompt": …}`; each may say `task`, `system`, `user_tier`, `risk`, `max_cost`, `id`
    and `at` (seconds). Raises EvaluationFailure with the number of a line that cannot be sent."""
    asker, found = Asker(router), list[Sent]()
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                found.append(_sent(asker, path, number, line))
    if not found:
        raise EvaluationFailure(f"{path} holds no request")
    return found


def of_log(router: Router, rows: Iterable[Sequence[Logged]]) -> list[Sent]:
    """The requests of a log at their own times, those that a tool had answered, or that the spec refuses, left out."""
    decider = Decider(router)
    from_rows = [row for batch in rows for row in batch if not row.answered]
    if not from_rows:
        raise EvaluationFailure("the log holds no request that was routed")
    first = min(row.at for row in from_rows)
    found = []
    for row in from_rows:
        with contextlib.suppress(BadRequest):
            scores = decider.scores(row)
            found.append(Sent(row.features.request_id, row.decision.task, row.features, scores, row.at - first))
    return found


def resampled(sent: Sequence[Sent], count: int | None, rate: float | None, seed: int) -> list[Sent]:
    """So many of the requests (drawn with replacement where there are not enough of them), each under an id and with a draw of its own
    where it comes again; arrivals at `rate` a second, exponentially spaced, or at their own times."""
    dice = random.Random(seed)  # noqa: S311  # a simulation, not a secret
    count = len(sent) if count is None else count
    picked = list(sent[:count]) if count <= len(sent) else [*sent, *dice.choices(sent, k=count - len(sent))]
    times = _times(picked, len(sent), rate, dice)
    found = []
    for number, (one, at) in enumerate(zip(picked, times, strict=True)):
        features = one.features
        if number >= len(sent):
            features = msgspec.structs.replace(features, request_id=f"{features.request_id}~{number}", draw=dice.random())
        found.append(msgspec.structs.replace(one, features=features, at=at))
    return sorted(found, key=lambda one: one.at or 0.0)


def _times(picked: Sequence[Sent], distinct: int, rate: float | None, dice: random.Random) -> list[float]:
    own = [one.at for one in picked]
    if rate is None and len(picked) <= distinct and all(at is not None for at in own):
        return [at for at in own if at is not None]
    known = [at for at in own[:distinct] if at is not None]
    span = max(known, default=0.0)
    rate = rate or (len(known) / span if len(known) > 1 and span > 0 else 1.0)
    now, times = 0.0, []
    for _ in picked:
        now += dice.expovariate(rate)
        times.append(now)
    return times


def _sent(asker: Asker, path: Path, number: int, line: bytes) -> Sent:
    where = f"{path}:{number}"
    try:
        given = msgspec.json.decode(line, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise EvaluationFailure(f"{where}: no JSON object ({error})") from None
    body = _body(where, given)
    hints = Hints(task=str(given.get("task", "")), user_tier=str(given.get("user_tier", "")), risk=str(given.get("risk", "")),
                  max_cost=given.get("max_cost"))  # fmt: skip
    identity = str(given.get("id", f"{path.name}:{number}"))
    try:
        features, scores = asker.ask(identity, body, hints)
    except RequestError as error:
        raise EvaluationFailure(f"{where}: {error.message}") from None
    at = given.get("at")
    return Sent(
        identity, hints.task or asker.taken_for(features, scores), features, scores, float(at) if isinstance(at, (int, float)) else None
    )


def _body(where: str, given: dict[str, Any]) -> dict[str, Any]:
    if "messages" in given:
        kept = {key: value for key, value in given.items() if key not in _FIELDS or key in ("messages", "model")}
        return {"model": "auto", **kept}
    if isinstance(given.get("prompt"), str):
        system = [{"role": "system", "content": str(given["system"])}] if given.get("system") else []
        return {"model": str(given.get("model", "auto")), "messages": [*system, {"role": "user", "content": given["prompt"]}]}
    raise EvaluationFailure(f'{where}: neither messages nor prompt: write {{"prompt": …}} or a chat body')
