"""What is estimated: a spec with its worksheet, and each policy with its plans."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np

from tierline.config.loaded import Loaded
from tierline.evaluation.estimate.asked import asked_in
from tierline.evaluation.estimate.evidence import Evidence
from tierline.evaluation.estimate.fill import worksheet_of
from tierline.evaluation.estimate.inputs import Inputs, inputs_of
from tierline.evaluation.estimate.number import Number, Values
from tierline.evaluation.estimate.plans import Plan, Planner
from tierline.evaluation.estimate.policies import Policy, policies_of
from tierline.evaluation.estimate.reckon import Reckoned, reckon
from tierline.evaluation.estimate.worksheet import Worksheet
from tierline.routing.router import Router


class Planned(msgspec.Struct, frozen=True):
    """A policy with its plans, by task."""

    policy: Policy
    plans: Mapping[str, tuple[Plan, ...]]


class Subject(msgspec.Struct, frozen=True):
    """A spec, its worksheet with the inputs by name, its policies, and why others are not among them."""

    loaded: Loaded
    worksheet: Worksheet
    numbers: Mapping[str, Number]
    policies: tuple[Planned, ...]
    absent: Mapping[str, str]

    def policy(self, name: str) -> Planned:
        """One policy by its name."""
        return next(one for one in self.policies if one.policy.name == name)


class Totals(msgspec.Struct, frozen=True):
    """One policy for every draw of the inputs: USD, USD of risk and quality a request over all traffic; each task's share, and what
    it comes to."""

    cost: Values
    risk: Values
    quality: Values
    shares: Mapping[str, Values]
    tasks: Mapping[str, Reckoned]

    @property
    def whole(self) -> Values:
        """Cost and risk."""
        return self.cost + self.risk


def subject_of(loaded: Loaded, evidence: Evidence) -> Subject:
    """A spec made ready: its worksheet filled in, and every policy's decisions made and followed."""
    router = Router(loaded)
    worksheet = worksheet_of(loaded, evidence, router)
    samples = {row.task: asked_in(loaded, evidence, row.task) for row in worksheet.rows}
    policies, absent = policies_of(loaded, router, worksheet, samples)
    planner = Planner(worksheet)
    planned = [
        Planned(policy, {row.task: planner.plans(row, samples[row.task], policy.decide) for row in worksheet.rows}) for policy in policies
    ]
    return Subject(loaded, worksheet, inputs_of(worksheet), tuple(planned), absent)


def totals(subject: Subject, one: Planned, inputs: Inputs) -> Totals:
    """A policy over all traffic."""
    shares, found = inputs.shares(), {}
    cost, risk, quality = (np.zeros(inputs.length) for _ in range(3))
    for row in subject.worksheet.rows:
        task = found[row.task] = reckon(subject.loaded, subject.worksheet, row, one.plans[row.task], inputs, one.policy.asks)
        share = shares[row.task]
        cost = cost + share * task.cost
        risk = risk + share * (1.0 - task.quality) * row.failure_cost.value
        quality = quality + share * task.quality
    return Totals(cost, risk, quality, shares, found)
