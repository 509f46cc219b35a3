"""One task under one policy, for every draw of the inputs: the sums of `course` over its plans, with what surrounds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from scipy import special

from tierline.config.loaded import Loaded
from tierline.evaluation.estimate.course import Expected, Means, expected
from tierline.evaluation.estimate.inputs import Inputs
from tierline.evaluation.estimate.latency import Stream
from tierline.evaluation.estimate.number import Values
from tierline.evaluation.estimate.overhead import HIT_SECONDS, Extra, before, checking
from tierline.evaluation.estimate.plans import Plan
from tierline.evaluation.estimate.worksheet import Row, Worksheet

OVERHEADS = ("checks", "classifier", "prepare")
"""Costs that are no attempt's."""


class Reckoned(msgspec.Struct, frozen=True):
    """One task under one policy, an array a number: USD a request by what it is for, by tier of the model called, quality and the
    share of requests of each kind. `streams` are for its seconds."""

    costs: Mapping[str, Values]
    tier_costs: Mapping[str, Values]
    quality: Values
    shares: Mapping[str, Values]
    streams: tuple[Stream, ...]

    @property
    def cost(self) -> Values:
        """USD a request."""
        whole: Values = np.sum(list(self.costs.values()), axis=0)
        return whole


KINDS = ("escalated", "retried", "fell_back", "flagged", "unanswered", "calls")


def reckon(loaded: Loaded, worksheet: Worksheet, row: Row, plans: Sequence[Plan], inputs: Inputs, asks: bool) -> Reckoned:
    """The task's expectations under these plans."""
    hits = inputs[f"tool hits/{row.task}"]
    extras = before(loaded, worksheet, row, inputs, asks)
    done = [(plan, means := _means(loaded, worksheet, row, plan, inputs), expected(plan.paths, means)) for plan in plans]
    costs: dict[str, Values] = {}
    quality = np.zeros(inputs.length)
    shares = {kind: np.zeros(inputs.length) for kind in KINDS}
    tiers = {model.tier: np.zeros(inputs.length) for model in worksheet.models.values()}
    for plan, means, found in done:
        for cause, usd in found.costs.items():
            costs[cause] = costs.get(cause, np.zeros(inputs.length)) + plan.share * usd * (1.0 - hits)
        quality = quality + plan.share * found.quality
        for kind in KINDS:
            shares[kind] = shares[kind] + plan.share * getattr(found, kind) * (1.0 - hits)
        for model, usd in _by_model(plan, found, means).items():
            tiers[worksheet.models[model].tier] += plan.share * usd * (1.0 - hits)
    for extra in extras:
        costs[extra.name] = costs.get(extra.name, np.zeros(inputs.length)) + extra.chance * extra.cost * (1.0 - hits)
    streams = tuple(_stream(loaded, worksheet, row, plan, found, inputs, extras) for plan, _, found in done)
    return Reckoned(costs, tiers, hits + (1.0 - hits) * quality, shares, streams)


def _means(loaded: Loaded, worksheet: Worksheet, row: Row, plan: Plan, inputs: Inputs) -> Means:
    """What the plan's models do, draw by draw."""
    checks = any(call.checked for path in plan.paths for call in path.calls)
    return Means(
        good={model: _good(inputs[f"pass rate/{row.task}/{model}"], plan.easier.get(model, 0.0)) for model in plan.models},
        fails={model: inputs[f"fails/{model}"] for model in plan.models},
        cost={model: call_costs(worksheet, row, model, inputs, plan.longer) for model in plan.models},
        checking={model: checking(loaded, worksheet, row, inputs, model)[0] for model in plan.models} if checks else {},
        sensitivity=inputs["sensitivity"],
        specificity=inputs["specificity"],
        together=inputs["together"],
    )


def call_costs(worksheet: Worksheet, row: Row, model: str, inputs: Inputs, longer: float = 1.0) -> Values:
    """USD of one call: tokens in at their price, those from a prompt cache at theirs, and tokens said and thought."""
    offered, task = worksheet.models[model], row.task
    cached = inputs[f"cached/{task}"]
    price_in = (1.0 - cached) * offered.price_in.value + cached * offered.price_cached.value
    out = inputs[f"tokens out/{task}/{model}"] + inputs[f"thinking/{task}/{model}"]
    usd: Values = (inputs[f"tokens in/{task}"] * longer * price_in + out * offered.price_out.value) / 1e6
    return usd


def _good(rate: Values, easier: float) -> Values:
    """A pass rate moved by so many logits."""
    if not easier:
        return rate
    moved: Values = special.expit(special.logit(np.clip(rate, 1e-6, 1.0 - 1e-6)) + easier)
    return moved


def _by_model(plan: Plan, found: Expected, means: Means) -> dict[str, Values]:
    """USD of the calls to each model."""
    usd: dict[str, Values] = {}
    for number, path in enumerate(plan.paths):
        for call in path.calls:
            if call.kind != "fail" and call.model:
                usd[call.model] = usd.get(call.model, np.zeros(found.chances.shape[1])) + found.chances[number] * means.cost[call.model]
    return usd


def _stream(loaded: Loaded, worksheet: Worksheet, row: Row, plan: Plan, found: Expected, inputs: Inputs, extras: Sequence[Extra]) -> Stream:
    scale = {}
    checks = {}
    for model in plan.models:
        name = f"latency/{row.task}/{model}"
        scale[model] = inputs[name] / row.models[model].latency_p50.value
        checks[model] = checking(loaded, worksheet, row, inputs, model)[1]
    waits = tuple((extra.seconds, float(extra.chance[0])) for extra in extras)
    hits = float(inputs[f"tool hits/{row.task}"][0])
    return Stream(plan.share, plan.paths, found.chances, row, scale, checks, waits, hits, HIT_SECONDS)
