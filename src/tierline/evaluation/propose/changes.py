"""What the evidence changes in a spec: each change only where an interval supports it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from tierline.config.loaded import Loaded
from tierline.config.spec import TaskSpec
from tierline.evaluation.propose.measured import LEAST, Cell, Cells

FURTHER = 0.1
"""Tokens are changed where they are off by more than this share: less moves no decision."""


class Change(msgspec.Struct, frozen=True):
    """One change: where it stands in the spec, what was there (None: nothing), what comes there, why, and the figures it rests on."""

    place: tuple[str, ...]
    was: Any
    becomes: Any
    why: str
    evidence: str

    @property
    def where(self) -> str:
        """As people write it: `tasks.greeting.quality.mini`."""
        return ".".join(self.place)


def changes_of(loaded: Loaded, cells: Cells, artifact: str = "", card: str = "") -> list[Change]:
    """Every change that the evidence supports. `artifact` is a trained scorer's file, relative to the spec, and `card` what it says of
    itself."""
    found: list[Change] = []
    for name, task in loaded.spec.tasks.items():
        mine = {model: cells[name, model] for model in loaded.models if (name, model) in cells}
        found += _qualities(name, task, mine)
        found += _order(name, task, mine)
        found += _tokens(name, task, mine)
    if artifact:
        found += _scorers(loaded, artifact, card)
    return found


def _qualities(name: str, task: TaskSpec, cells: dict[str, Cell]) -> Iterator[Change]:
    for model, cell in cells.items():
        measured, was = cell.quality, task.quality.get(model)
        if not _enough(cell) or measured.value is None or measured.low is None or measured.high is None:
            continue
        if was is None or not measured.low <= was <= measured.high:
            why = "not known so far" if was is None else "what stood there is outside of the interval"
            yield Change(("tasks", name, "quality", model), was, round(measured.value, 3), why, f"{told(cell)} ({cell.origin})")


def _order(name: str, task: TaskSpec, cells: dict[str, Cell]) -> Iterator[Change]:
    """The cheapest model that is shown to clear the bar comes first, where the first one is shown to miss it, or to be dearer."""
    bar = task.quality_bar
    if bar is None or len(task.models) < 2 or task.models[0] not in cells:
        return
    first = cells[task.models[0]]
    clearing = [model for model in task.models if model in cells and _clears(cells[model], bar) and cells[model].cost.value is not None]
    cheapest = min(clearing, key=lambda model: cells[model].cost.value or 0.0, default="")
    if not cheapest or cheapest == task.models[0]:
        return
    misses = _enough(first) and first.quality.high is not None and first.quality.high < bar
    dearer = cells[cheapest].cost.high is not None and first.cost.low is not None and first.cost.low > (cells[cheapest].cost.high or 0.0)
    if not misses and not dearer:
        return
    rest = [model for model in task.models if model != cheapest and not (misses and model == task.models[0])]
    why = (
        f"{task.models[0]} misses the bar of {bar:g}" if misses else f"{cheapest} clears the bar of {bar:g} for less than {task.models[0]}"
    )
    evidence = f"{cheapest} {told(cells[cheapest])}, {task.models[0]} {told(first)}"
    yield Change(("tasks", name, "models"), list(task.models), [cheapest, *rest], why, evidence)


def _tokens(name: str, task: TaskSpec, cells: dict[str, Cell]) -> Iterator[Change]:
    """Tokens as its first model has them, where the spec says any."""
    cell = cells.get(task.models[0]) if task.models else None
    if cell is None:
        return
    for kind, measured in (("input", cell.input), ("output", cell.output)):
        was = getattr(task.tokens, kind)
        if measured.rows < LEAST or not measured.value or measured.low is None or measured.high is None or not was:
            continue
        if not measured.low <= was <= measured.high and abs(measured.value - was) > FURTHER * measured.value:
            evidence = f"{measured.value:.0f} [{measured.low:.0f}, {measured.high:.0f}] over {measured.rows} ({cell.origin})"
            yield Change(
                ("tasks", name, "tokens", kind), was, round(measured.value), "what stood there is outside of the interval", evidence
            )


def _scorers(loaded: Loaded, artifact: str, card: str) -> Iterator[Change]:
    for name, route in (loaded.spec.routes or {}).items():
        if route.scorer.kind in ("hints", "linear") and route.scorer.artifact != artifact:
            was = route.scorer.artifact or route.scorer.kind
            why = "a scorer that was trained on this traffic; whether it is better is for the certificate to say"
            yield Change(("routes", name, "scorer", "kind"), route.scorer.kind, "linear", why, card)
            yield Change(("routes", name, "scorer", "artifact"), was, artifact, why, card)


def _clears(cell: Cell, bar: float) -> bool:
    return _enough(cell) and cell.quality.low is not None and cell.quality.low >= bar


def _enough(cell: Cell) -> bool:
    return cell.effective >= LEAST


def told(cell: Cell) -> str:
    """A pass rate with its interval, in words."""
    found = cell.quality
    if found.value is None or found.low is None or found.high is None:
        return "unknown"
    worth = "" if cell.effective > found.rows - 1.0 else f", worth {cell.effective:.0f}"
    return f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}] over {found.rows}{worth}"
