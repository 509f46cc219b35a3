"""What is paid and waited for beside the calls that answer: tools asked first, preparing, a classifier, and checks that ask a model.

    tools first     a hit ends the request: no tokens, and the answer is taken to be right
    prepare         each step is one call of its small model; it reads the request and writes a little
    classifier      asks · min(tokens in · price in + 12 · price out, max_cost)
    checks          of each answer: a judge reads request and answer, `agreement` asks a second model the same, `confidence` asks once more

Seconds of a small answer are taken to be half those of a whole one of that model, a classifier's no more than its time-out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import numpy as np

from tierline.config.loaded import Loaded
from tierline.config.spec import PrepareSpec, RouteSpec
from tierline.evaluation.estimate.inputs import Inputs
from tierline.evaluation.estimate.number import Values
from tierline.evaluation.estimate.worksheet import OPEN, Row, Worksheet

LABEL, VERDICT, REWRITTEN, SUMMARY = 12, 30, 40, 200
"""Tokens of a task's name, a judgement, a rewritten question, and a summary."""
RUBRIC = 150
"""Tokens of a judge's instructions."""
HALF = 0.5
"""The seconds of a small answer over those of a whole one."""
HIT_SECONDS = 0.02
"""Of a tool that knows the answer."""


class Extra(msgspec.Struct, frozen=True):
    """A call that every so-manieth request makes: its model, USD, seconds at the median, and the chance that it is made."""

    name: str
    model: str
    cost: Values
    seconds: float
    chance: Values


def before(loaded: Loaded, worksheet: Worksheet, row: Row, inputs: Inputs, asks: bool) -> list[Extra]:
    """The calls before the first attempt: of preparing, and of the classifier where the policy has one."""
    route = loaded.spec.routes.get(row.route, RouteSpec())
    found = [_prepared(worksheet, row, inputs, step) for step in route.prepare if row.tokens_in.value > step.above]
    ask = route.scorer.ask
    if ask is not None and asks and row.asks.value > 0:
        offered = worksheet.models[ask.model]
        cost = (inputs[f"tokens in/{row.task}"] * offered.price_in.value + LABEL * offered.price_out.value) / 1e6
        seconds = min(HALF * row.models[ask.model].latency_p50.value, float(ask.timeout))
        found.append(Extra("classifier", ask.model, np.minimum(cost, ask.max_cost), seconds, inputs[f"asks/{row.task}"]))
    return found


def _prepared(worksheet: Worksheet, row: Row, inputs: Inputs, step: PrepareSpec) -> Extra:
    model = step.moderate or step.rewrite_query or step.summarise_history
    words = LABEL if step.moderate else REWRITTEN if step.rewrite_query else SUMMARY
    offered = worksheet.models[model]
    cost = (inputs[f"tokens in/{row.task}"] * offered.price_in.value + words * offered.price_out.value) / 1e6
    return Extra("prepare", model, cost, HALF * row.models[model].latency_p50.value, np.ones(inputs.length))


def checking(loaded: Loaded, worksheet: Worksheet, row: Row, inputs: Inputs, model: str) -> tuple[Values, float]:
    """USD and seconds of the checks that ask a model about one answer of `model`."""
    cost, seconds = np.zeros(inputs.length), 0.0
    tokens_in, tokens_out = inputs[f"tokens in/{row.task}"], inputs[f"tokens out/{row.task}/{model}"]
    for asked, second, read, said in _asked(loaded, row, model):
        offered = worksheet.models[asked]
        out = inputs[f"tokens out/{row.task}/{asked}"] if second else np.full(inputs.length, float(said))
        more = np.zeros(inputs.length) if second else tokens_out + read
        cost = cost + ((tokens_in + more) * offered.price_in.value + out * offered.price_out.value) / 1e6
        seconds += row.models[asked].latency_p50.value * (1.0 if second else HALF)
    return cost, seconds


def _asked(loaded: Loaded, row: Row, model: str) -> Iterator[tuple[str, bool, int, int]]:
    """Whom the checks of a row ask about an answer of `model`: the model, whether it answers the request a second time, else the
    tokens of what it reads beside request and answer, and of what it says."""
    for entry in _entries(loaded, row):
        if "judge" in entry:
            yield str(entry.get("model") or _smallest(loaded)), False, RUBRIC, VERDICT
        elif "agreement" in entry:
            yield str(entry["agreement"]), True, 0, 0
        elif "confidence" in entry and entry.get("otherwise", "ask") == "ask" and "logprobs" not in loaded.models[model].capabilities:
            yield str(entry.get("model") or model), False, RUBRIC, LABEL


def _entries(loaded: Loaded, row: Row) -> list[Mapping[str, Any]]:
    task = loaded.spec.tasks.get("" if row.task == OPEN else row.task)
    route = loaded.spec.routes.get(row.route, RouteSpec())
    return list(task.validate if task is not None and task.validate else route.validate)


def _smallest(loaded: Loaded) -> str:
    """The cheapest model of the lowest tier that has one: who judges where nobody is named."""
    tiers = loaded.spec.tiers
    return min(loaded.models, key=lambda name: (tiers.index(loaded.models[name].tier), loaded.models[name].price.input, name))
