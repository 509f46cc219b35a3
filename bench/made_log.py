"""A decision log of any size in seconds: some hundred requests are really decided and pursued under `desk.yaml`, with made-up outcomes, and
written again and again under other ids and times, in the daily rhythm of a desk."""

from __future__ import annotations

import math
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from tierline.config.load import load
from tierline.config.loaded import Loaded
from tierline.decision_log.codec import encode
from tierline.decision_log.schema import COLUMNS, MIGRATIONS, PART
from tierline.evaluation.drive import drive
from tierline.routing.pursue import pursue
from tierline.routing.router import Router
from tierline.scoring.hints import HintScorer
from tierline.sqlite_file import open_file
from tierline.types.decision import Attempt
from tierline.types.features import Complexity, Features
from tierline.types.hints import Hints
from tierline.types.outcome import Answer, Outcome, Usage, Verdict
from tierline.types.record import Record, Tried
from tierline.types.request import Request
from tierline.types.view import Latency, View

DESK = Path(__file__).parent / "desk.yaml"
DAY = 86400.0
KINDS = (
    # share, task that is hit, operation, tokens in, tokens out, difficulty from, to
    (0.46, "order_status", "generation", 280, 90, 0.05, 0.3),
    (0.27, "order_extraction", "extraction", 900, 150, 0.1, 0.4),
    (0.09, "policy_questions", "reasoning", 700, 420, 0.4, 0.9),
    (0.18, "", "generation", 500, 260, 0.05, 0.95),
)
PASS = {"fast": 0.93, "balanced": 0.97, "best": 0.99}
PACE = {"fast": 160.0, "balanced": 110.0, "best": 70.0}
"""Tokens a second."""


def records(loaded: Loaded, count: int = 600, seed: int = 7) -> Iterator[Record]:
    """So many different requests, decided by the spec's own router and pursued with outcomes that a die makes up."""
    router, dice, scorer = Router(loaded), random.Random(seed), HintScorer(loaded, 0.6)
    for number in range(count):
        features = _features(f"r{number}", dice)
        settled = router.settle(features)
        scores = scorer.score(Request("", "", ""), features)
        view = View(
            latency={name: Latency(0.2 + 2 * dice.random(), 3.0 + dice.random(), 200) for name in ("mini", "mid", "big")},
            resting={"mini": 12.0} if dice.random() < 0.03 else {},
        )
        decision = router.decide(features, scores, view, settled)
        result = drive(pursue(decision), lambda attempt, features=features: _outcome(loaded, features, attempt, dice))
        tried = tuple(Tried.of(attempt, outcome) for attempt, outcome in result.attempts)
        failed = result.winner is None
        yield Record(
            0.0, features, decision, tried, scores, view, result.winner, 502 if failed else 200, "provider_error" if failed else "",
            result.stopped, result.flagged, result.truncated, 0.00015 + 0.0001 * dice.random(),
        )  # fmt: skip


def _features(request_id: str, dice: random.Random) -> Features:
    _, task, operation, tokens_in, tokens_out, low, high = dice.choices(KINDS, [kind[0] for kind in KINDS])[0]
    scale = math.exp(dice.gauss(0.0, 0.5))
    key = dice.choice(["shop-bot", "shop-bot", "mail-desk", "partner-api"])
    return Features(
        request_id,
        "partners" if key == "partner-api" else "auto",
        key=key,
        team="platform" if key == "partner-api" else "support",
        dialect="openai_chat",
        operation=operation,  # type: ignore[arg-type]  # one of KINDS
        operations=(operation,),
        input_tokens=int(tokens_in * scale * (14 if dice.random() < 0.02 else 1)),
        output_tokens=int(tokens_out * scale),
        language=dice.choice(["en", "en", "de", "fr"]),
        complexity=Complexity(
            score := round(dice.uniform(low, high), 3), {"length": round(score / 3, 3), "structure": round(score * 2 / 3, 3)}
        ),
        prompt_fingerprint="9f2c1e77ab01",
        signals={"anger": 1} if dice.random() < 0.03 else {},
        matches={task: 3} if task else {},
        hints=Hints(max_cost=0.0004) if dice.random() < 0.02 else Hints(),
        draw=dice.random(),
    )


def _outcome(loaded: Loaded, features: Features, attempt: Attempt, dice: random.Random) -> Outcome:
    model = loaded.models[attempt.target]
    if dice.random() < (0.05 if model.tier == "fast" else 0.01):
        error, status = dice.choice([("overloaded", 529), ("timeout", 0), ("rate_limited", 429)])
        return Outcome(ok=False, error=error, status=status, elapsed=0.1 + 2 * dice.random())  # type: ignore[arg-type]  # of the list
    usage = Usage(features.input_tokens, max(int(features.output_tokens * dice.uniform(0.6, 1.3)), 1), int(features.input_tokens * 0.2))
    first = 0.15 + 0.5 * dice.random() + (0.3 if model.tier == "best" else 0.0)
    verdicts = tuple(Verdict(name, dice.random() < PASS[model.tier]) for name in attempt.validators)
    return Outcome(
        ok=True,
        answer=Answer("openai_chat", served_model=model.upstream),
        usage=usage,
        cost=model.price.cost(usage.input, usage.output, usage.cached),
        elapsed=first + usage.output / PACE[model.tier],
        ttft=first,
        verdicts=verdicts,
    )


def rows(loaded: Loaded, count: int, until: float, days: float) -> Iterator[tuple[Any, ...]]:
    """The values of `schema.COLUMNS` of so many rows over the days before `until`, oldest first."""
    made, dice = [encode(record) for record in records(loaded)], random.Random(11)
    begin = until - days * DAY
    for number, at in enumerate(_moments(count, begin, until)):
        yield (f"{int(at * 1000):011x}0de5c00{number & 0xFFFF:04x}", at, *made[dice.randrange(len(made))][2:])


def _moments(count: int, begin: float, until: float) -> Iterator[float]:
    """Moments in order, twice as dense by day as by night."""
    at, step = begin, (until - begin) / count
    for _ in range(count):
        yield min(at, until - 0.001)
        at += step / (1.0 + 0.5 * math.sin(at % DAY / DAY * 2 * math.pi - math.pi / 2))


def make_log(path: Path, loaded: Loaded, count: int, until: float, days: float = 30.0) -> None:
    """Write them into a new log."""
    columns = ", ".join(f'"{name}"' for name in COLUMNS)
    marks = ", ".join("?" * len(COLUMNS))
    with closing(open_file(path, PART, MIGRATIONS)) as connection:
        connection.execute("PRAGMA synchronous = off")
        connection.execute("BEGIN")
        connection.executemany(f"INSERT INTO decisions ({columns}) VALUES ({marks})", rows(loaded, count, until, days))
        connection.execute("COMMIT")


def put_text(path: Path, request_id: str, at: float, request: Any, answer: Any) -> None:
    """Keep a prompt and an answer beside a row, as a route with `log_text` does."""
    with closing(sqlite3.connect(path)) as connection, connection:
        body = msgspec.json.encode({"request": request, "answer": answer})
        connection.execute("INSERT OR REPLACE INTO texts (request_id, at, body) VALUES (?, ?, ?)", (request_id, at, body))


def desk() -> Loaded:
    """The spec that decides."""
    return load(DESK, {})
