"""A small log whose words are kept, with labels of every source beside it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec

from tierline.decision_log.sqlite import SqliteLog
from tierline.ledger.feedback import Feedback
from tierline.ledger.ledger import Ledger
from tierline.ledger.shadows import Shadowed
from tierline.types.decision import Decision, Step
from tierline.types.features import Features
from tierline.types.label import Label
from tierline.types.outcome import Usage, Verdict
from tierline.types.record import Record, Tried

STEPS = (Step("fast", ("mini",)), Step("best", ("opus",)))


class Asked(msgspec.Struct, frozen=True):
    """One request: its prompt, what was answered by whom, and what the check said."""

    id: str
    prompt: str = "What is 6 × 7?"
    answer: str = "42"
    model: str = "mini"
    task: str = "sums"
    passed: bool | None = None
    propensity: float = 1.0
    climbed: bool = False


def logged(path: Path, asked: Sequence[Asked], *, texts: bool = True) -> Path:
    """A log of these requests; one that `climbed` was answered badly by mini before."""
    with closing(SqliteLog(path)) as log:
        for number, one in enumerate(asked):
            log.put(_record(number, one), _text(one) if texts else None)
        asyncio.run(log.flushed())
    with closing(Ledger(path)):
        return path


def said(path: Path, *feedback: Feedback) -> None:
    with closing(Ledger(path)) as ledger:
        for one in feedback:
            ledger.feedback.add(one)


def labelled(path: Path, *labels: Label) -> None:
    with closing(Ledger(path)) as ledger:
        ledger.labels.add(labels)


def shadowed(path: Path, request_id: str, model: str = "opus", **changes: object) -> None:
    given = {"against": "mini", "share": 0.5, "ok": True, "cost": 0.03, "elapsed": 1.0, "judging": 0.01, "usage": Usage(12, 7), **changes}
    with closing(Ledger(path)) as ledger:
        ledger.shadows.add([Shadowed(request_id, 1000.0, "auto", "sums", model, **given)])  # type: ignore[arg-type]


def golden(request_id: str, score: float, model: str = "mini", by: str = "set") -> Label:
    return Label(request_id, model, score, "golden", 5.0, by)


def _record(number: int, one: Asked) -> Record:
    decision = Decision(one.id, "auto", "3f9a1c0b77de", STEPS, task=one.task, propensity=one.propensity)
    verdicts = () if one.passed is None else (Verdict("sums/schema", one.passed),)
    tried = [Tried(one.model, "escalation" if one.climbed else "first", True, 0.002, 0.5, None, Usage(10, 5), verdicts=verdicts)]
    if one.climbed:
        tried.insert(0, Tried("mini", "first", True, 0.001, 0.5, None, Usage(10, 5), verdicts=(Verdict("sums/schema", False),)))
    return Record(1000.0 + number, Features(one.id, dialect="openai_chat", language="en"), decision, tuple(tried), winner=len(tried) - 1)


def _text(one: Asked) -> bytes:
    message = {"role": "assistant", "content": one.answer}
    answer = {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": one.model,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    }
    return json.dumps({"request": {"model": "auto", "messages": [{"role": "user", "content": one.prompt}]}, "answer": answer}).encode()
