"""Requests of three planted types, for the tests of discovery."""

from __future__ import annotations

import asyncio
import random
from contextlib import closing
from pathlib import Path

import msgspec

from tierline.config.load import load
from tierline.config.loaded import Loaded
from tierline.decision_log.sqlite import SqliteLog
from tierline.evaluation.replay.logged import labels_of
from tierline.ledger.feedback import Feedback
from tierline.ledger.ledger import Ledger
from tierline.testing.builders import features
from tierline.types.decision import Decision, Step
from tierline.types.features import Features
from tierline.types.outcome import Usage
from tierline.types.record import Record, Tried

SPEC = """
version: 1
providers: {fleet: {kind: scripted, script: {latency: none}}}
models:
  small: {provider: fleet, tier: fast, price: {input: 1, output: 4}}
  big: {provider: fleet, tier: best, price: {input: 20, output: 80}}
routes: {auto: {quality_bar: 0.8}}
"""
KINDS = ("orders", "summaries", "chat")
SHARES = (0.5, 0.3, 0.2)
WORDS = {
    "orders": ("order", "shipment", "parcel", "delivery", "courier", "tracking"),
    "summaries": ("report", "meeting", "minutes", "agenda", "summary", "notes"),
    "chat": ("weather", "holiday", "music", "dinner", "football", "cinema"),
}
SECRET = "Rumpelstilzchen"


def loaded(folder: Path, text: str = SPEC) -> Loaded:
    """The spec, loaded."""
    path = folder / "tierline.yaml"
    path.write_text(text)
    return load(path, need_secrets=False)


def kind_of(request_id: str) -> str:
    """Which type a request was planted as."""
    return request_id.split("/", maxsplit=1)[0]


def asked(count: int, seed: int = 1) -> list[Features]:
    """Requests of the three types: prompts, operations and lengths of their own, and noise in all else."""
    dice = random.Random(seed)
    found = []
    for number in range(count):
        kind = dice.choices(KINDS, SHARES)[0]
        place = KINDS.index(kind)
        one = features(
            round(dice.random() * 0.2, 3),
            request_id=f"{kind}/{number}",
            operation=("extraction", "synthesis", "generation")[place],
            prompt_fingerprint=("aa11bb22cc33", "dd44ee55ff66", "")[place],
            input_tokens=dice.randint(*((200, 900), (3_000, 9_000), (10, 50))[place]),
            output_tokens=dice.randint(20, 280),
            language=dice.choice(("en", "en", "en", "de")),
            draw=dice.random(),
        )
        found.append(msgspec.structs.replace(one, dialect="openai_chat"))
    return found


def text_of(request_id: str, dice: random.Random) -> str:
    """Words of its type, with a stranger's name in it, who comes but once or twice."""
    words = " ".join(dice.choices(WORDS[kind_of(request_id)], k=8))
    return f"{words} {SECRET}" if request_id.endswith("/7") else words


def written(folder: Path, requests: list[Features], *, texts: bool = False, good: float = 0.95, small: float = 0.5) -> Path:
    """A log of these requests: a share of each type is answered by the small model, the others by the big one; half of the answers are
    judged, and `good` of them are good."""
    path, dice, said = folder / "log.db", random.Random(5), []
    with closing(SqliteLog(path)) as log:
        for one in requests:
            lot = random.Random(one.request_id)
            model, price = ("small", (1, 4)) if lot.random() < small else ("big", (20, 80))
            cost = (one.input_tokens * price[0] + one.output_tokens * price[1]) / 1e6
            usage = Usage(one.input_tokens, one.output_tokens)
            decision = Decision(one.request_id, "auto", "3f9a1c0b77de", (Step("fast", (model,)),))
            record = Record(1e9 + lot.random(), one, decision, (Tried(model, "first", True, cost, 0.5, None, usage),), winner=0)
            log.put(record, _body(text_of(one.request_id, dice)) if texts else None)
            if lot.random() < 0.5:
                said.append(Feedback(one.request_id, 1e9 + 5, score=float(lot.random() < good)))
        asyncio.run(log.flushed())
    with closing(Ledger(path)) as ledger:
        for feedback in said:
            ledger.feedback.add(feedback)
    return path


def labels(path: Path) -> dict[str, float]:
    """What was said of the answers."""
    return labels_of(path)


def _body(text: str) -> bytes:
    request = {
        "model": "auto",
        "messages": [{"role": "system", "content": "You help people of Hill Street."}, {"role": "user", "content": text}],
    }
    return msgspec.json.encode({"request": request, "answer": None})
