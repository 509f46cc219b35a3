"""Can the scorers of the routes be had: is their file there, whole, and about models of this spec?"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from tierline.config.case import Case
from tierline.config.document import Place
from tierline.config.environment import has_placeholder
from tierline.config.scorer_file import ScorerUnusable, read_scorer
from tierline.config.spec import ScorerSpec
from tierline.types.catalog import Model

UNTRAINED = ("hints",)
TRAINED = ("linear",)


def examine_scorers(case: Case, models: Mapping[str, Model]) -> None:
    """Reports a trained scorer without a file, one whose file cannot be used, and a file that nobody reads."""
    for name, route in case.spec.routes.items():
        place, scorer = ("routes", name, "scorer"), route.scorer
        if scorer.kind in TRAINED:
            _trained(case, place, scorer, models)
        elif scorer.artifact and scorer.kind in UNTRAINED:
            case.problems.error((*place, "artifact"), f"the scorer {scorer.kind!r} reads no file", "write kind: linear, or remove this key")


def _trained(case: Case, place: Place, scorer: ScorerSpec, models: Mapping[str, Model]) -> None:
    if find_spec("numpy") is None:
        case.problems.error((*place, "kind"), "a trained scorer needs NumPy", "pip install 'tierline[scorer]'")
    if not scorer.artifact:
        case.problems.error(
            place, f"the scorer {scorer.kind!r} needs a file", "add artifact: FILE, as `tierline train --out FILE` writes it"
        )
    elif not has_placeholder(scorer.artifact):
        _file(case, (*place, "artifact"), scorer, models)


def _file(case: Case, place: Place, scorer: ScorerSpec, models: Mapping[str, Model]) -> None:
    try:
        known = read_scorer(Path(case.problems.file).parent / scorer.artifact).header.models
    except ScorerUnusable as error:
        reason, _, suggestion = error.message.partition(" → ")
        case.problems.error(place, reason, suggestion)
        return
    there = [name for name, model in models.items() if name in known or model.upstream in known]
    if not there and case.whole:
        case.problems.error(
            place,
            f"it knows no model of this spec: it knows {', '.join(known[:8])}",
            "train it on answers of these models, or name another file",
        )
    elif case.whole and (strangers := [name for name in models if name not in there]):
        case.problems.warn(
            place,
            f"it does not know {', '.join(strangers)}: their pass rates stay assumed",
            "train it on answers of them too (`tierline train --help`)",
        )
