"""An entry of `tasks:` for a type that has none. What only a person can know, the bar, is left to a person."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from tierline.evaluation.discover.asked import Asked
from tierline.evaluation.discover.document import Discovery, Type
from tierline.evaluation.discover.traits import Trait

LEAST_PREFIX, MOST_PREFIX = 12, 60
"""Characters of a system prompt's common beginning that may be a hint."""
OWN = 0.9
"""Of a type's requests, that have the system prompt for it to be a hint."""

HEAD = (
    "# Suggested by `tierline discover`: types of requests that have no task yet. Lay them over the `tasks:` of your spec, set every\n"
    "# quality_bar (the least acceptable pass rate), owner and failure_cost, and run `tierline check`.\n"
)


def suggestion(one: Type, traits: Sequence[Trait], group: Sequence[Asked], taken: set[str], told: Mapping[str, float]) -> str:
    """The entry as YAML, with remarks; `traits` set the type apart, `told` are measured pass rates by model."""
    name = task_name(one, taken)
    match, remarks = _match(one, traits, group, name)
    saving = one.saving
    first = saving.model if saving is not None and saving.model else next(iter(one.models), "")
    models = list(dict.fromkeys(filter(None, (first, *list(one.models)[:1]))))
    entry: dict[str, Any] = {"why": _why(one)}
    if match:
        entry["match"] = match
    entry["tokens"] = {"input": round(one.tokens_in), "output": round(one.tokens_out)}
    if models:
        entry["models"] = models
    if told:
        entry["quality"] = {model: round(rate, 3) for model, rate in told.items()}
    text = yaml.safe_dump({name: entry}, sort_keys=False, allow_unicode=True, width=140)
    lines = [f"# {remark}" for remark in remarks] + text.splitlines() + ["  # quality_bar: 0.95   # to be set by a person"]
    return "\n".join(lines)


def tasks_yaml(found: Discovery) -> str:
    """All suggestions as one file, to be laid over a spec."""
    entries = [one.suggestion for one in found.types if one.suggestion]
    body = "\n".join("\n".join(f"  {line}" if line else "" for line in entry.splitlines()) for entry in entries)
    return f"{HEAD}tasks:\n{body}\n" if entries else f"{HEAD}tasks: {{}}\n"


def task_name(one: Type, taken: set[str]) -> str:
    """A name for the task, that no other has: `order_shipment`."""
    words = re.findall(r"[a-z][a-z0-9]*", " ".join(one.terms[:2] or one.traits[:2]).lower())
    base = "_".join(words[:3]) or "requests"
    name, number = base, 2
    while name in taken:
        name, number = f"{base}_{number}", number + 1
    taken.add(name)
    return name


def _match(one: Type, traits: Sequence[Trait], group: Sequence[Asked], name: str) -> tuple[dict[str, Any], list[str]]:
    """Hints for the built-in classifier, and what they leave open."""
    found: dict[str, Any] = {}
    if one.terms:
        found["keywords"] = list(one.terms)
    glob = _glob([one.system for one in group if one.system])
    if glob and sum(bool(one.system) for one in group) >= OWN * len(group):
        found["system_prompt"] = glob
    operation = next((value for field, value in traits if field == "operation"), "")
    own_prompt = any(field == "prompt" for field, _ in traits)
    if operation and (found or not own_prompt):
        found["operation"] = operation
    remarks = []
    if own_prompt and (fingerprint := _prompt(group)):
        remarks.append(
            "exactly, as the first of your route's rules: "
            f"{{when: \"prompt_fingerprint == '{fingerprint}'\", task: {name}, why: its system prompt}}"
        )
    elif not one.terms:
        remarks.append(f"the log keeps no words to know it by: name it in the header x-tierline-task: {name}, or keep some (log_text)")
    return found, remarks


def _prompt(group: Sequence[Asked]) -> str:
    """The fingerprint that nearly all of the group's system prompts have."""
    counts: dict[str, int] = {}
    for one in group:
        counts[one.features.prompt_fingerprint] = counts.get(one.features.prompt_fingerprint, 0) + 1
    most = min(counts, key=lambda prompt: (-counts[prompt], prompt))
    return most if counts[most] >= OWN * len(group) else ""


def _glob(systems: Sequence[str]) -> str:
    """What all the system prompts begin with, cut at a word; empty where that is too little."""
    first, last = min(systems, default="").strip(), max(systems, default="").strip()
    same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    start = "".join(one for one, _ in same).split("\n")[0]
    if len(start) > MOST_PREFIX:
        start = start[:MOST_PREFIX].rsplit(" ", 1)[0]
    return re.sub(r"([\[\]*?])", "[\\1]", start) + "*" if len(start) >= LEAST_PREFIX and not re.search(r"\d", start) else ""


def _why(one: Type) -> str:
    shares = f"Found by tierline discover: {one.share:.0%} of the requests, {one.cost_share:.0%} of the cost"
    saving = one.saving
    if saving is None or not saving.model or saving.passes is None:
        return f"{shares}."
    return f"{shares}; {saving.model} is {saving.basis} to pass {saving.passes.value:.0%}."
