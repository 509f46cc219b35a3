"""The demo's workload: a support desk's mixed day, generated anew from a seed. No prompt carries a hint for the router."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

import msgspec

_GAP = re.compile(r"\{(\w+)\}")


class Prompt(msgspec.Struct, frozen=True):
    """One request of the workload: `family` is what a person would call it (the router never sees it), `messages` and `extra` are
    fields of the body."""

    family: str
    messages: tuple[Mapping[str, str], ...]
    extra: Mapping[str, Any] = {}

    @property
    def words(self) -> str:
        """What the user says."""
        return self.messages[-1]["content"]

    def body(self, model: str = "auto") -> dict[str, Any]:
        """The body of POST /v1/chat/completions."""
        return {"model": model, "messages": list(self.messages), **self.extra}


class Family(msgspec.Struct, frozen=True):
    """A kind of request: its share of the day, its system prompt and its templates. With `turns` a prompt is a long text of that
    many templates after the words in `opens`; `body` holds further fields of the request."""

    name: str
    share: float
    system: str
    says: tuple[str, ...]
    opens: str = ""
    turns: int = 1
    body: Mapping[str, Any] = {}


class Phrasebook(msgspec.Struct, frozen=True):
    """The whole of workload.yaml."""

    systems: Mapping[str, str]
    families: tuple[Family, ...]
    fills: Mapping[str, Sequence[str]]

    def prompt(self, family: Family, dice: random.Random) -> Prompt:
        """One prompt of the family."""
        said = [self.fill(dice.choice(family.says), dice) for _ in range(family.turns)]
        user = "\n".join([family.opens, *said] if family.opens else said)
        messages = ({"role": "system", "content": self.systems[family.system]}, {"role": "user", "content": user})
        return Prompt(family.name, messages, family.body)

    def fill(self, template: str, dice: random.Random) -> str:
        """The template with every `{gap}` that has fills replaced by one of them."""
        return _GAP.sub(lambda gap: dice.choice(self.fills[gap[1]]) if gap[1] in self.fills else gap[0], template)


def phrasebook() -> Phrasebook:
    """The one that ships with the package."""
    return msgspec.yaml.decode(resources.files("tierline.demo").joinpath("workload.yaml").read_bytes(), type=Phrasebook)


def generate(count: int, seed: int = 7) -> list[Prompt]:
    """`count` prompts in the families' shares, shuffled; the same ones for the same seed."""
    dice = random.Random(seed)  # noqa: S311  # a workload, not a secret
    book = phrasebook()
    shares = [family.share for family in book.families]
    prompts: list[Prompt] = []
    for family in book.families:
        prompts += [book.prompt(family, dice) for _ in range(max(1, round(count * family.share / sum(shares))))]
    dice.shuffle(prompts)
    while len(prompts) < count:
        prompts.append(book.prompt(dice.choices(book.families, shares)[0], dice))
    return prompts[:count]
