"""The estimate: the worksheet's numbers carried through the course of every policy, with ranges.

Reads nothing and calls nobody: what is known was gathered before (`from_log`, `from_table`, `sheet`), so that a page may ask for it
again and again."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from tierline.config.loaded import Loaded
from tierline.evaluation.estimate.break_even import break_even
from tierline.evaluation.estimate.document import Estimate
from tierline.evaluation.estimate.evidence import NO_EVIDENCE, Evidence
from tierline.evaluation.estimate.inputs import drawn
from tierline.evaluation.estimate.policies import BEST, SPEC
from tierline.evaluation.estimate.sensitivity import swings
from tierline.evaluation.estimate.shown import shown
from tierline.evaluation.estimate.source import Source
from tierline.evaluation.estimate.subject import Planned, Subject, subject_of, totals
from tierline.evaluation.estimate.volume import MILLION, Volume
from tierline.types.errors import EvaluationFailure

DRAWS = 300
"""Of the uncertain inputs."""
PAYS = 100.0
"""USD a month that running a router is taken to cost, where nobody says."""


def estimate(
    loaded: Loaded,
    evidence: Evidence = NO_EVIDENCE,
    volume: Volume | None = None,
    *,
    against: Mapping[str, Loaded] | None = None,
    draws: int = DRAWS,
    seed: int = 0,
    fixed: float = PAYS,
) -> Estimate:
    """The estimate of a spec, the same for the same seed. `against`: further specs by name, held beside it on the same evidence;
    `fixed`: USD a month that routing costs whatever is sent, for the volume at which it pays."""
    subject = subject_of(loaded, evidence)
    volume = volume or _counted(evidence)
    inputs = drawn(subject.numbers, draws, seed)
    base = totals(subject, subject.policy(BEST), inputs)
    policies = [shown(subject, one, totals(subject, one, inputs), base, volume, seed) for one in subject.policies]
    for name, other in (against or {}).items():
        if any(policy.name == name for policy in policies):
            raise EvaluationFailure(f"two policies are called {name!r}: rename the file")
        rival = subject_of(other, evidence)
        its = rival.policy(SPEC)
        called = Planned(msgspec.structs.replace(its.policy, name=name, about=f"as {name} is written"), its.plans)
        policies.append(shown(rival, called, totals(rival, called, drawn(rival.numbers, draws, seed)), base, volume, seed))
    return Estimate(
        spec=str(loaded.path),
        fingerprint=loaded.fingerprint,
        volume=volume,
        draws=draws,
        seed=seed,
        worksheet=subject.worksheet,
        policies=tuple(policies),
        absent=subject.absent,
        sensitivity=swings(subject),
        break_even=break_even(subject, policies, fixed),
        assumed=_assumed(subject),
    )


def _counted(evidence: Evidence) -> Volume:
    """As many requests as were counted, else a million a month."""
    if evidence.per_day is None:
        return MILLION
    return Volume(evidence.per_day, Source("measured", evidence.requests, evidence.since, evidence.until, evidence.where))


def _assumed(subject: Subject) -> tuple[str, ...]:
    """What was taken for granted, beside the numbers that say so themselves."""
    sheet, spec = subject.worksheet, subject.loaded.spec
    said = list(sheet.notes)
    checked = any(
        plan.decision.steps and plan.decision.steps[0].validators for plans in subject.policy(SPEC).plans.values() for plan in plans
    )
    if checked:
        said.append(f"checks reject {sheet.sensitivity.value:.0%} of bad answers and accept {sheet.specificity.value:.0%} of good ones")
    said.append(f"{sheet.together.value:.0%} of what makes a request hard is shared by all models")
    if any(route.hedge for route in spec.routes.values()):
        said.append("hedges are left out: they change when an answer comes, and cost at most the calls that they race")
    if any(route.combine and route.combine.by == "first_valid" for route in spec.routes.values()):
        said.append("branches of `first_valid` are reckoned whole: those that are cancelled cost less")
    if any(route.explore for route in spec.routes.values()):
        said.append("what is left to chance (`explore`) is decided by the samples' own draws")
    said.append("no limit of load, rate or budget is met, and no call is cut at its deadline")
    return tuple(said)
