"""A candidate that answers a share of the traffic: the spec at work with one experiment more, whose second arm is the candidate."""

from __future__ import annotations

import msgspec

from tierline.config import fingerprint
from tierline.config.arm_specs import differences
from tierline.config.loaded import Loaded
from tierline.config.spec import ArmSpec, ExperimentSpec
from tierline.ledger.releases import Release
from tierline.types.errors import TierlineError

BEFORE, CANDIDATE = "before", "candidate"
"""Its arms."""


class CannotRelease(TierlineError):
    """What was asked of the life cycle cannot be done; the message says why and what to do."""


def experiment_of(canary: Release) -> str:
    """The experiment of a canary; each run is one of its own, so that what an earlier one showed does not count against it."""
    return f"canary-{canary.detail.get('run', canary.id)}"


def with_canary(loaded: Loaded, candidate: Loaded, canary: Release) -> Loaded:
    """The spec at work while a candidate answers its share. It has a fingerprint of its own, so that each row can be decided again."""
    name = experiment_of(canary)
    experiment = canary_experiment(loaded, candidate, canary.share)
    spec = msgspec.structs.replace(loaded.spec, experiments={**loaded.spec.experiments, name: experiment})
    canonical = _canonical(loaded.canonical, name, experiment)
    parts = {**loaded.parts, "spec": fingerprint.digest(canonical)}
    return msgspec.structs.replace(
        loaded,
        spec=spec,
        canonical=canonical,
        parts=parts,
        fingerprint=fingerprint.fingerprint(parts),
        arms={**loaded.arms, f"{name}/{_arm(CANDIDATE, loaded)}": candidate},
    )


def canary_experiment(loaded: Loaded, candidate: Loaded, share: float) -> ExperimentSpec:
    """The comparison that a canary is: everything takes part, and the guards of `release` stop the candidate."""
    before, new = _arm(BEFORE, loaded), _arm(CANDIDATE, loaded)
    return ExperimentSpec(
        arms={before: ArmSpec(share=1.0 - share), new: ArmSpec(share=share, spec=f"release:{candidate.fingerprint}")},
        why=f"the candidate {candidate.fingerprint} answers a share before it is published",
        baseline=before,
        guards=list(loaded.spec.release.guards),
        alpha=loaded.spec.release.alpha,
    )


def may_be_canary(loaded: Loaded, candidate: Loaded) -> None:
    """Raises CannotRelease where the two specs cannot answer side by side."""
    if any(found.arms for found in loaded.spec.experiments.values()):
        raise CannotRelease("the spec at work has experiments, and a request is in one at most → end them, or publish from shadow")
    routes = list(loaded.spec.routes)
    for reason, advice in differences(loaded.spec, candidate.spec, "the candidate", routes):
        raise CannotRelease(f"{reason} → {advice}; what changes these is published, not tried")


def _arm(name: str, loaded: Loaded) -> str:
    """A name that no model has: an arm that bears a model's name would be that model."""
    while name in loaded.spec.models:
        name += "_"
    return name


def _canonical(canonical: bytes, name: str, experiment: ExperimentSpec) -> bytes:
    plain = msgspec.json.decode(canonical)
    plain["experiments"][name] = msgspec.to_builtins(experiment, enc_hook=float, order="sorted")
    return msgspec.json.encode(plain, order="sorted")
