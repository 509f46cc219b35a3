"""How often a router changes its mind when nothing of the question has changed, and what that costs.

    flip rate      = flips / pairs, with Wilson's 95 % interval
    quality lost   = mean over pairs of score[model before] − score[model after]; a flip to a better model counts against it
    cost change    = mean over pairs of cost[model after] − cost[model before], USD a query

The scores are those of the prompt as it stood: what the models make of the changed wording was not measured, so a figure here says what
the *router* loses by flipping, not what the models lose by the typo.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec
import numpy as np

from tierline.evaluation.perturb.kinds import KINDS, perturbed
from tierline.evaluation.perturb.pairs import Pairs
from tierline.evaluation.picked import mean_interval, picked
from tierline.evaluation.table import Table
from tierline.evaluation.wilson import wilson

Choose = Callable[[Sequence[int], Sequence[str]], Sequence[str]]
"""Rows of the table and the words in which they are asked → the name of the model chosen for each (empty: none)."""


class Flips(msgspec.Struct, frozen=True):
    """One kind of change. `measured` pairs have scores of both models; shares, mean scores and USD a query, ends of 95 % intervals;
    `lost_per_flip` is None where nothing flipped; `examples` are ids of queries that flipped."""

    pairs: int
    flips: int
    flip_rate: float
    low: float
    high: float
    measured: int
    quality_lost: float | None
    quality_low: float | None
    quality_high: float | None
    lost_per_flip: float | None
    cost_change: float | None
    moved: Mapping[str, int] = {}
    examples: tuple[str, ...] = ()


class Robustness(msgspec.Struct, frozen=True):
    """Every kind, and the flip rate over all of them."""

    flip_rate: float
    quality_lost: float | None
    seed: int
    kinds: Mapping[str, Flips]


def robustness(
    table: Table, choose: Choose, seed: int, pairs: Pairs | None = None, kinds: Sequence[str] = tuple(KINDS), before: Sequence[str] = ()
) -> Robustness:
    """What `choose` does with the built-in `kinds`, or with `pairs` in their place. `before` is what it chose for the prompts as they
    stand, where that is known already. The table must hold its prompts."""
    texts = table.text
    if texts is None:
        raise ValueError("the table holds no prompts, so none can be changed")
    everything = range(len(texts))
    first = before or choose(everything, texts)
    if pairs is not None:
        cases = {kind: (rows, words) for kind, (rows, words) in pairs.kinds.items()}
    else:
        cases = {kind: (tuple(everything), tuple(perturbed(texts, kind, seed))) for kind in kinds}
    told = {kind: _flips(table, rows, [first[row] for row in rows], choose(rows, words)) for kind, (rows, words) in cases.items()}
    asked = sum(flips.pairs for flips in told.values())
    lost = [(flips.quality_lost, flips.measured) for flips in told.values() if flips.quality_lost is not None]
    measured = sum(count for _, count in lost)
    return Robustness(
        sum(flips.flips for flips in told.values()) / asked if asked else 0.0,
        sum(value * count for value, count in lost) / measured if measured else None,
        seed,
        told,
    )


def _flips(table: Table, rows: Sequence[int], before: Sequence[str], after: Sequence[str]) -> Flips:
    flipped = [place for place, (one, other) in enumerate(zip(before, after, strict=True)) if one != other]
    low, high = wilson(len(flipped), len(rows))
    lost = picked(table.score, table, rows, before) - picked(table.score, table, rows, after)
    change = picked(table.cost, table, rows, after) - picked(table.cost, table, rows, before)
    known = ~np.isnan(lost)
    measured = int(known.sum())
    mean, half = mean_interval(lost[known])
    of_flips = lost[flipped][known[flipped]]
    moved: dict[str, int] = {}
    for place in flipped:
        way = f"{before[place] or 'no model'} → {after[place] or 'no model'}"
        moved[way] = moved.get(way, 0) + 1
    return Flips(
        len(rows),
        len(flipped),
        len(flipped) / len(rows) if rows else 0.0,
        low,
        high,
        measured,
        mean,
        None if mean is None else mean - half,
        None if mean is None else mean + half,
        float(of_flips.mean()) if of_flips.size else None,
        float(np.nanmean(change)) if np.any(~np.isnan(change)) else None,
        dict(sorted(moved.items(), key=lambda item: -item[1])[:6]),
        tuple(str(table.query[rows[place]]) for place in flipped[:5]),
    )
