"""Bars: what a router must reach before it may be promoted, and whether it does.

    version: 1
    beat_the_mix: true                  # built in: advantage.low > 0 for every candidate; false takes it away, and every output says so
    bars:
      - {figure: quality, min: 0.90, why: agreed with support}
      - {figure: save_at.99, min: 0.25}
      - {figure: slices.task.*.quality.value, min: 0.70}
      - {figure: routers.spec.regret.under_routed.share, max: 0.05}

A figure is a path into the document: of each candidate, or of the whole where it begins with `routers`, `reference` or `data`. `*` stands
for every name. A figure that is null, or that nothing matches, misses its bar: a bar that measures nothing must not pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import yaml

from tierline.evaluation.document import Document
from tierline.types.errors import EvaluationFailure

WHOLE = ("routers", "reference", "data")
"""First words of paths that begin at the top of the document."""

BUILT_IN = "no router that fails to beat a random mix of the same cost may be promoted"
WAIVED = "the gate's file waives the built-in bar (beat_the_mix: false): a router that loses to a coin may pass"


class Bar(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One bar: at least `min`, at most `max`, more than `above`; one of them at least is given."""

    figure: str
    min: float | None = None
    max: float | None = None
    above: float | None = None
    why: str = ""

    def __post_init__(self) -> None:
        if self.min is None and self.max is None and self.above is None:
            raise ValueError(f"the bar on {self.figure!r} needs min, max or above")

    @property
    def wanted(self) -> str:
        """What is wanted, in signs."""
        signs = (("≥", self.min), ("≤", self.max), (">", self.above))
        return " and ".join(f"{sign} {bound:g}" for sign, bound in signs if bound is not None)

    def met(self, value: float) -> bool:
        """Whether a value reaches it."""
        enough = self.min is None or value >= self.min
        return enough and (self.max is None or value <= self.max) and (self.above is None or value > self.above)


class Gate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A gate's file."""

    version: int = 1
    beat_the_mix: bool = True
    bars: tuple[Bar, ...] = ()


class Check(msgspec.Struct, frozen=True):
    """One bar on one figure: where it stands in the document, what it is (null: not there), what is wanted, and whether it is met."""

    figure: str
    value: float | None
    wanted: str
    met: bool
    why: str = ""
    missing: str = ""

    def __str__(self) -> str:
        value = self.missing or "null" if self.value is None else f"{self.value:.6g}"
        return f"{self.figure}: {value}, wanted {self.wanted}" + (f" ({self.why})" if self.why else "")


class Verdict(msgspec.Struct, frozen=True):
    """What the gate says: every check, and the candidates it judged. `waived`: the built-in bar was taken away."""

    candidates: tuple[str, ...]
    checks: tuple[Check, ...]
    waived: bool = False

    @property
    def passed(self) -> bool:
        """Whether every bar is met."""
        return all(check.met for check in self.checks)


def read_gate(path: Path) -> Gate:
    """The gate of a YAML file; raises EvaluationFailure saying what is wrong with it."""
    try:
        gate = msgspec.convert(yaml.safe_load(path.read_bytes()) or {}, Gate)
    except OSError as error:
        raise EvaluationFailure(f"{path}: {error.strerror or error}") from None
    except (msgspec.ValidationError, yaml.YAMLError) as error:
        raise EvaluationFailure(f"{path} is no gate: {error}") from None
    if gate.version != 1:
        raise EvaluationFailure(f"{path}: version {gate.version} is not known; this Tierline reads version 1")
    return gate


def judge(gate: Gate, document: Document) -> Verdict:
    """Every bar on every candidate; raises EvaluationFailure when there is no candidate."""
    if not document.candidates:
        raise EvaluationFailure("the gate has nobody to judge: give --spec, --choices, --router or --cross-validate")
    tree = msgspec.to_builtins(document, str_keys=True)
    built_in = Bar("advantage.low", above=0.0, why=BUILT_IN)
    checks: list[Check] = []
    for bar in (built_in, *gate.bars) if gate.beat_the_mix else gate.bars:
        if bar.figure.split(".")[0] in WHOLE:
            checks.extend(_checks(bar, tree, (), bar.figure))
        else:
            for name in document.candidates:
                checks.extend(_checks(bar, tree["routers"][name], ("routers", name), bar.figure))
    return Verdict(document.candidates, tuple(checks), not gate.beat_the_mix)


def _checks(bar: Bar, tree: Any, under: Sequence[str], figure: str) -> Iterator[Check]:
    found = list(_found(tree, figure.split("."), under))
    if not found:
        yield Check(".".join((*under, figure)), None, bar.wanted, False, bar.why, _missing(tree, figure) or "there is no such figure")
    for place, value in found:
        number = isinstance(value, bool | int | float)
        why = "" if number else _missing(tree, figure) or "it is null" if value is None else "it is no number"
        yield Check(".".join(place), float(value) if number else None, bar.wanted, number and bar.met(float(value)), bar.why, why)


def _found(tree: Any, path: Sequence[str], place: Sequence[str]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every value that the path leads to, with its place. A name may hold dots itself: the longest that is there is taken."""
    if not path:
        yield tuple(place), tree
    elif isinstance(tree, Mapping) and path[0] == "*":
        for name, value in tree.items():
            yield from _found(value, path[1:], (*place, name))
    elif isinstance(tree, Mapping):
        for many in range(len(path), 0, -1):
            name = ".".join(path[:many])
            if name in tree:
                yield from _found(tree[name], path[many:], (*place, name))
                return


def _missing(row: Any, figure: str) -> str:
    """The reason that the row gives for a figure that is not there."""
    why = row.get("why", {}) if isinstance(row, Mapping) else {}
    return str(why.get(figure.split(".", maxsplit=1)[0], ""))
