"""A fitted scorer ↔ the bytes of its file. Weights are kept in eighths of a byte's range a column (int8 with a scale each), and only for
buckets that say something."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from tierline.config.scorer_file import MOST_CELLS, Array, Header, ScorerFile, ScorerUnusable, pack
from tierline.scoring.learned.beliefs import Amount, Fitted
from tierline.scoring.learned.embed import SIZE
from tierline.scoring.learned.form import FORM, OLDEST
from tierline.scoring.learned.grams import BUCKETS, LAYOUT

KIND = "linear"
_STEPS = 127.0
_FORMS = {1: OLDEST, LAYOUT: FORM}
"""Facts of form in each layout of the features."""


class Artifact(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of one file. `route` says of each task whether it may be routed by the scorer; `best` is the place of the model that takes
    the rest where choices are measured; `price` is the quality that a dollar must buy at the operating point; `seen` holds the rising
    fingerprints of the texts that it was trained on."""

    fitted: Fitted
    route: tuple[bool, ...]
    best: int
    price: float
    seen: NDArray[np.uint64]
    card: Mapping[str, Any]


def encode(artifact: Artifact) -> bytes:
    """The bytes of its file: the same artifact, the same bytes."""
    fitted = artifact.fitted
    used = np.flatnonzero(fitted.idf)
    rows = np.concatenate([used, np.arange(BUCKETS, len(fitted.weights))])
    weights = fitted.weights[rows]
    steps = np.maximum(np.abs(weights).max(axis=0, initial=0.0) / _STEPS, 1e-30).astype("<f4")
    parts: dict[str, NDArray[Any]] = {
        "buckets": used.astype("<i4"),
        "idf": fitted.idf[used].astype("<f4"),
        "weights": np.rint(weights / steps).astype("|i1"),
        "steps": steps,
        "seen": np.sort(artifact.seen).astype("<u8"),
    }
    for name in _PLAIN:
        parts[name] = getattr(fitted, name).astype("<f4")
    for name, amount in fitted.amounts.items():
        parts[f"{name}.table"], parts[f"{name}.correction"] = amount.table.astype("<f4"), amount.correction.astype("<f4")
    header = Header(
        kind=KIND,
        features=LAYOUT,
        tasks=fitted.tasks,
        models=fitted.models,
        route=artifact.route,
        numbers={name: float(getattr(fitted, name)) for name in _NUMBERS} | {"price": artifact.price, "best": float(artifact.best)},
        amounts=tuple(fitted.amounts),
        arrays=tuple(Array(name, part.dtype.str, part.shape) for name, part in parts.items()),  # type: ignore[arg-type]
        card=artifact.card,
        embedder=fitted.embedder,
    )
    return pack(header, b"".join(np.ascontiguousarray(part).tobytes() for part in parts.values()))


_PLAIN = ("form_mean", "form_spread", "offset", "table", "labels", "overall", "knots", "shifts", "levels")
_NUMBERS = ("sharpness", "level_share", "gap_share", "form_weight")
_OLDEST_FORM_WEIGHT = 0.15


def decode(file: ScorerFile, name: str) -> Artifact:
    """The scorer in a file that is whole; raises ScorerUnusable when it was fitted on other features or its parts do not fit."""
    header = file.header
    if header.kind != KIND or header.features not in _FORMS:
        raise ScorerUnusable(
            f"the scorer {name} is of kind {header.kind!r} on features {header.features}, and this version reads {KIND!r} on "
            f"{', '.join(map(str, _FORMS))} → train it anew"
        )
    parts = _arrays(header.arrays, file.body)
    try:
        return _artifact(header, parts)
    except (KeyError, ValueError, IndexError):
        raise ScorerUnusable(f"the scorer {name} holds parts that do not fit together → train it anew") from None


def _arrays(arrays: Sequence[Array], body: bytes) -> dict[str, NDArray[Any]]:
    parts: dict[str, NDArray[Any]] = {}
    start = 0
    for array in arrays:
        cells = np.frombuffer(body, dtype=array.kind, count=array.size // np.dtype(array.kind).itemsize, offset=start)
        parts[array.name] = cells.reshape(array.shape)
        start += array.size
    return parts


def _artifact(header: Header, parts: Mapping[str, NDArray[Any]]) -> Artifact:
    tasks, models, numbers = len(header.tasks), len(header.models), header.numbers
    forms = _FORMS[header.features]
    features = BUCKETS + forms + (SIZE if header.embedder else 0)
    outputs = tasks + 1 + models + len(header.amounts)
    buckets = parts["buckets"]
    if outputs * features > MOST_CELLS or (len(buckets) and (buckets.min() < 0 or buckets.max() >= BUCKETS)):
        raise ValueError
    idf = np.zeros(BUCKETS, np.float32)
    idf[buckets] = _shaped(parts["idf"], len(buckets))
    weights = np.zeros((features, outputs), np.float32)
    rows = np.concatenate([buckets, np.arange(BUCKETS, features)])
    weights[rows] = _shaped(parts["weights"], len(rows), outputs).astype(np.float32) * _shaped(parts["steps"], outputs)
    cells, knots = (tasks, models), parts["knots"].shape[1:]
    fitted = Fitted(
        tasks=header.tasks,
        models=header.models,
        idf=idf,
        form_mean=_shaped(parts["form_mean"], forms),
        form_spread=_shaped(parts["form_spread"], forms),
        weights=weights,
        offset=_shaped(parts["offset"], outputs),
        sharpness=numbers["sharpness"],
        form_weight=numbers.get("form_weight", _OLDEST_FORM_WEIGHT),
        embedder=header.embedder,
        table=_shaped(parts["table"], *cells),
        labels=_shaped(parts["labels"], *cells),
        overall=_shaped(parts["overall"], models),
        level_share=numbers["level_share"],
        gap_share=numbers["gap_share"],
        knots=_shaped(parts["knots"], models, *knots),
        shifts=_shaped(parts["shifts"], models, *knots),
        levels=_finite(parts["levels"]),
        amounts={
            name: Amount(parts[f"{name}.table"].reshape(cells), parts[f"{name}.correction"].reshape(models)) for name in header.amounts
        },
    )
    best = int(numbers["best"])
    if not 0 <= best < models:
        raise ValueError
    return Artifact(fitted=fitted, route=header.route, best=best, price=numbers["price"], seen=parts["seen"], card=header.card)


def _shaped(part: NDArray[Any], *shape: int) -> NDArray[Any]:
    if part.shape != shape:
        raise ValueError
    return _finite(part)


def _finite(part: NDArray[Any]) -> NDArray[Any]:
    if not np.isfinite(part).all():
        raise ValueError
    return part
