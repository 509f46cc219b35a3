"""The demo's workload: a support desk's mixed day, generated anew from a seed. No prompt carries a hint for the router."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from tierline.demo import phrases

_GAP = re.compile(r"\{(\w+)\}")


class Prompt(msgspec.Struct, frozen=True):
    """One request of the workload: `family` is what a person would call it (the router never sees it), `messages` and `extra` are
    fields of the body."""

    family: str
    messages: tuple[Mapping[str, str], ...]
    extra: Mapping[str, Any] = {}

    def body(self, model: str = "auto") -> dict[str, Any]:
        """The body of POST /v1/chat/completions."""
        return {"model": model, "messages": list(self.messages), **self.extra}


def generate(count: int, seed: int = 7) -> list[Prompt]:
    """`count` prompts in the shares of `_MIX`, shuffled; the same ones for the same seed."""
    dice = random.Random(seed)  # noqa: S311  # a workload, not a secret
    shares = [share for share, _, _ in _MIX]
    total = sum(shares)
    prompts: list[Prompt] = []
    for share, family, make in _MIX:
        prompts += [make(family, dice) for _ in range(max(1, round(count * share / total)))]
    dice.shuffle(prompts)
    while len(prompts) < count:
        _, family, make = dice.choices(_MIX, shares)[0]
        prompts.append(make(family, dice))
    return prompts[:count]


def fill(template: str, dice: random.Random) -> str:
    """The template with every `{gap}` filled at random from `phrases.FILLS`."""
    return _GAP.sub(lambda gap: dice.choice(phrases.FILLS[gap[1]]), template)


Maker = Callable[[str, random.Random], Prompt]


def _said(system: str, templates: Sequence[str], **extra: Any) -> Maker:
    def make(family: str, dice: random.Random) -> Prompt:
        return Prompt(family, _turns(system, fill(dice.choice(templates), dice)), extra)

    return make


def _thread(turns: int) -> Maker:
    def make(family: str, dice: random.Random) -> Prompt:
        text = "\n".join(fill(dice.choice(phrases.THREAD_TURN), dice) for _ in range(turns))
        return Prompt(family, _turns(phrases.SHOP, phrases.SUMMARISE + text))

    return make


def _turns(system: str, user: str) -> tuple[Mapping[str, str], ...]:
    return ({"role": "system", "content": system}, {"role": "user", "content": user})


_AS_JSON = {"type": "json_schema", "json_schema": {"name": "order", "strict": True, "schema": phrases.ORDER_SCHEMA}}

_MIX: Sequence[tuple[float, str, Maker]] = (
    (0.26, "where is my order", _said(phrases.SHOP, phrases.ORDER_STATUS)),
    (0.12, "label a ticket", _said(phrases.TRIAGE, phrases.TRIAGE_TICKETS, max_tokens=8)),
    (0.16, "extract an order as JSON", _said(phrases.EXTRACT, phrases.ORDER_MAILS, response_format=_AS_JSON)),
    (0.08, "angry customer", _said(phrases.SHOP, phrases.COMPLAINTS)),
    (0.09, "policy question", _said(phrases.SHOP, phrases.POLICY)),
    (0.06, "code, easy", _said(phrases.INTEGRATION, phrases.CODE_EASY)),
    (0.05, "code, hard", _said(phrases.INTEGRATION, phrases.CODE_HARD)),
    (0.10, "small talk", _said(phrases.SHOP, phrases.SMALL_TALK)),
    (0.04, "hard and open", _said(phrases.SHOP, phrases.HARD_OPEN)),
    (0.04, "summarise a long case", _thread(400)),
)
"""Share of the day, family, and how a prompt of it is made."""
