"""Seconds of a request over its course: quantiles of a mixture, found by drawing requests.

Quantiles do not add: the 95th percentile of two calls one after the other is less than the sum of both. So requests are drawn: a plan
by its share, a path by its chance, each call's seconds from a lognormal with the model's own median and 95th percentile (σ = ln(p95 /
p50) / 1.645), a failed call's from `FAILED`. A round lasts as long as its longest call, waits are added, and the quantile is that of
what was drawn. Uniforms are stratified (a Latin hypercube), which needs far fewer draws for the same precision, and the same ones
serve every draw of the uncertain medians, so that the interval is of the inputs and not of the dice. Time limits are left out: no
call is cut at the deadline."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy import special

from tierline.evaluation.estimate.number import Values
from tierline.evaluation.estimate.paths import Call, Path
from tierline.evaluation.estimate.worksheet import Row

FAILED = 0.2
"""Seconds until a failed call is known to have failed, as in a simulation."""
NINETY_FIVE = 1.6448536269514722
"""Deviations of a normal below which nineteen in twenty lie."""
LEAST_SPREAD = 1e-3

Rounds = tuple[tuple[Call, ...], ...]


class Stream(msgspec.Struct, frozen=True):
    """Requests that go one way: their share of everything, the paths and their chances (a row a path, a column a draw), the row of
    their task, the factor by which each draw moves each model's seconds, seconds of checks by model, extra seconds before (median,
    chance) and the share that a tool answers."""

    share: float
    paths: Sequence[Path]
    chances: Values
    row: Row
    scale: dict[str, Values]
    checks: dict[str, float]
    before: Sequence[tuple[float, float]]
    hits: float
    hit_seconds: float


def seconds_of(stream: Stream, count: int, draws: int, seed: int) -> Values:
    """So many requests of a stream, a row for each of the first `draws` draws of the inputs; every row is about the same requests."""
    dice = np.random.default_rng(seed)
    chances = stream.chances[:, :draws]
    order = np.argsort(chances[:, 0])[::-1]
    reached = np.cumsum(chances[order], axis=0)
    reached /= reached[-1]
    uniform = _stratified(dice, count)
    path = np.minimum((uniform[None, :, None] > reached.T[:, None, :]).sum(axis=2), len(order) - 1)
    rounds = [stream.paths[place].rounds for place in order.tolist()]
    took = np.zeros((chances.shape[1], count))
    for place in range(max(map(len, rounds), default=0)):
        took += _round(stream, rounds, place, path, dice, count)
    for median, chance in stream.before:
        made = _stratified(dice, count) < chance
        took += made * median * np.exp(0.42 * special.ndtri(_stratified(dice, count)))
    hit = _stratified(dice, count) < stream.hits
    return np.where(hit[None, :], stream.hit_seconds, took)


def quantiles(drawn: Sequence[tuple[float, Values]], at: Sequence[float]) -> Values:
    """Quantiles over streams by their shares, (draws, len(at)): each stream with its share and the seconds of its requests."""
    seconds = np.concatenate([values for _, values in drawn], axis=1)
    weights = np.concatenate([np.full(values.shape[1], share / values.shape[1]) for share, values in drawn])
    order = np.argsort(seconds, axis=1)
    below = np.cumsum(weights[order], axis=1)
    below /= below[:, -1:]
    places = [np.minimum((below < point).sum(axis=1), seconds.shape[1] - 1) for point in at]
    return np.stack([np.take_along_axis(seconds, np.take_along_axis(order, place[:, None], 1), 1)[:, 0] for place in places], axis=1)


def _round(stream: Stream, rounds: Sequence[Rounds], place: int, path: NDArray[np.intp], dice: np.random.Generator, count: int) -> Values:
    """Seconds of the round at this place of whatever path each request takes: the longest of its calls, with the wait before it."""
    most = max((len(one[place]) for one in rounds if len(one) > place), default=0)
    longest = np.zeros(path.shape)
    for branch in range(most):
        normal = special.ndtri(_stratified(dice, count))
        table, sigma, fixed = _table(stream, rounds, place, branch, path.shape[0])
        drawn = np.take_along_axis(table, path, axis=1) * np.exp(sigma[path] * normal[None, :]) + fixed[path]
        longest = np.maximum(longest, drawn)
    return longest


def _table(stream: Stream, rounds: Sequence[Rounds], place: int, branch: int, draws: int) -> tuple[Values, Values, Values]:
    """By path, for one call: its median in each draw, the deviation of its logarithm, and the seconds that do not vary."""
    medians, sigmas, fixed = np.zeros((draws, len(rounds))), np.zeros(len(rounds)), np.zeros(len(rounds))
    for number, one in enumerate(rounds):
        if len(one) <= place or len(one[place]) <= branch:
            continue
        call = one[place][branch]
        fixed[number] = call.wait + (FAILED if call.kind == "fail" else stream.checks.get(call.model, 0.0) if call.checked else 0.0)
        if call.kind != "fail" and call.model:
            believed = stream.row.models[call.model]
            medians[:, number] = believed.latency_p50.value * stream.scale[call.model][:draws]
            sigmas[number] = max(np.log(max(believed.latency_p95.value / believed.latency_p50.value, 1.0)) / NINETY_FIVE, LEAST_SPREAD)
    return medians, sigmas, fixed


def _stratified(dice: np.random.Generator, count: int) -> Values:
    """Uniforms, one in each of `count` equal parts, in random order."""
    values: Values = (dice.permutation(count) + dice.random(count)) / count
    return np.clip(values, 1e-9, 1.0 - 1e-9)
