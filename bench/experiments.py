"""`python -m bench experiments`: how often the sequential test errs when it is looked at after every request, and what it costs.

Rates of the errors: of so many simulated experiments without any difference, the share in which any look would have called one; beside it
the same for a z-test at 5 % that is looked at as often. Power: the share of experiments with a real difference in which it was found,
beside the z-test that is looked at once, at the end. Stopping: how many requests the sequential test took."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable

import numpy as np

from tierline.evaluation.experiments.contrast import Contrast, Floats, Units, contrast
from tierline.evaluation.experiments.sequences import Asymptotic, Bounded, Interval, quantile

ALPHA = 0.05
RUNS = 2000
FIRST_LOOK = 100
SEED = 20261122


def coins(dice: np.random.Generator, base: float, gain: float, share: float, count: int) -> Units:
    """One experiment on answers that pass or fail: a control, and an arm that passes by so much more."""
    arms = (dice.random(count) < share).astype(np.int64)
    values = (dice.random(count) < np.where(arms == 1, base + gain, base)).astype(float)
    return Units(("control", "treated"), values, arms, np.tile([1.0 - share, share], (count, 1)))


def costs(dice: np.random.Generator, gain: float, count: int) -> Units:
    """One experiment on costs: log-normal, with a long tail, as those of requests are."""
    arms = dice.integers(0, 2, count)
    values = dice.lognormal(-7.0, 1.0, count) * np.where(arms == 1, 1.0 + gain, 1.0)
    return Units(("control", "treated"), values, arms, np.full((count, 2), 0.5))


def decided_at(units: Units) -> int | None:
    """After how many requests the sequential test decides; None where it does not."""
    test = Bounded(contrast(units, {"treated": 1.0, "control": -1.0}), ALPHA)
    firsts = [at for path in test.paths(0.0) if (at := int(np.argmax(path >= math.log(2 / ALPHA)))) or path[0] >= math.log(2 / ALPHA)]
    return min(firsts) + 1 if firsts else None


def z_path(units: Units) -> Floats:
    """|z| of the plain difference after each request."""
    treated = units.arms == 1
    n, m = np.cumsum(treated), np.cumsum(~treated)
    p, q = np.cumsum(units.values * treated) / np.maximum(n, 1), np.cumsum(units.values * ~treated) / np.maximum(m, 1)
    spread = np.sqrt(p * (1 - p) / np.maximum(n, 1) + q * (1 - q) / np.maximum(m, 1))
    return np.asarray(np.abs(p - q) / np.maximum(spread, 1e-9))


def share_of(found: int, runs: int) -> str:
    """A share with its 95 % interval (Wilson)."""
    p, z = found / runs, 1.96
    centre, half = p + z * z / (2 * runs), z * math.sqrt(p * (1 - p) / runs + z * z / (4 * runs * runs))
    return f"{p:6.1%} [{(centre - half) / (1 + z * z / runs):.1%}, {(centre + half) / (1 + z * z / runs):.1%}]"


def errors(runs: int) -> bool:
    """Prints the errors under continuous looking; whether all are within alpha."""
    print(f"No difference, looked at after every request; {runs} experiments each; alpha {ALPHA:.0%}\n")
    print(f"{'share':>6} {'requests':>9} {'sequential test':>26} {'z-test, looked at as often':>30}")
    fine = True
    for share, count in ((0.5, 2000), (0.5, 10_000), (0.1, 10_000)):
        dice = np.random.default_rng(SEED)
        ours = theirs = 0
        for _ in range(runs if count <= 2000 else runs // 4):
            units = coins(dice, 0.9, 0.0, share, count)
            ours += decided_at(units) is not None
            theirs += bool(np.any(z_path(units)[FIRST_LOOK:] > 1.96))
        done = runs if count <= 2000 else runs // 4
        fine &= ours / done <= ALPHA
        print(f"{share:>6.0%} {count:>9,} {share_of(ours, done):>26} {share_of(theirs, done):>30}")
    return fine


def power(runs: int) -> None:
    """Prints how often a real difference is found, and when."""
    print(f"\nA real difference from a pass rate of 90 %; {runs} experiments each\n")
    print(f"{'share':>6} {'gain':>6} {'requests':>9} {'sequential':>11} {'z-test once':>12} {'median stop':>12}")
    for share, gain, count in ((0.5, -0.1, 2000), (0.5, -0.05, 5000), (0.5, -0.02, 40_000), (0.1, -0.1, 5000), (0.1, -0.05, 20_000)):
        dice = np.random.default_rng(SEED)
        stops, once = [], 0
        for _ in range(runs):
            units = coins(dice, 0.9, gain, share, count)
            stops.append(decided_at(units))
            once += bool(z_path(units)[-1] > 1.96)
        found = [at for at in stops if at is not None]
        middle = f"{int(np.median(found)):,}" if found else "-"
        print(f"{share:>6.0%} {gain:>+6.2f} {count:>9,} {len(found) / runs:>11.0%} {once / runs:>12.0%} {middle:>12}")


def others(runs: int) -> bool:
    """Prints the errors of the tests for costs and for the 95th percentile, at looks every 50 requests; whether all are within alpha."""
    print(f"\nOther metrics, no difference, looked at every 50 requests from the hundredth; {runs} experiments each\n")
    dice = np.random.default_rng(SEED)

    def cost() -> bool:
        units = costs(dice, 0.0, 2000)
        return any(not _covers(Asymptotic(_difference(units, at), ALPHA).interval(), 0.0) for at in range(FIRST_LOOK, 2001, 50))

    def slowest() -> bool:
        values = dice.lognormal(0.0, 0.7, 2000)
        truth = math.exp(0.7 * 1.6448536269514722)
        return any(not _covers(quantile(values[:at], 0.95, ALPHA), truth) for at in range(FIRST_LOOK, 2001, 50))

    found: list[tuple[str, Callable[[], bool], int]] = [("mean cost", cost, runs), ("95th percentile", slowest, runs // 4)]
    fine = True
    for name, wrong, many in found:
        count = sum(wrong() for _ in range(many))
        fine &= count / many <= ALPHA
        print(f"{name:>16} {share_of(count, many):>26}")
    return fine


def speed() -> None:
    """Prints what one reading costs."""
    units = coins(np.random.default_rng(SEED), 0.9, -0.02, 0.5, 100_000)
    began = time.perf_counter()
    Bounded(contrast(units, {"treated": 1.0, "control": -1.0}), ALPHA).interval()
    print(f"\nOne interval over 100,000 requests: {(time.perf_counter() - began) * 1000:.0f} ms")


def _difference(units: Units, count: int) -> Contrast:
    first = Units(units.names, units.values[:count], units.arms[:count], units.shares[:count])
    return contrast(first, {"treated": 1.0, "control": -1.0}, bounded=False)


def _covers(interval: Interval, truth: float) -> bool:
    return bool(interval.low <= truth <= interval.high)


def main() -> int:
    """Returns 1 where a test errs more often than it may."""
    fine = errors(RUNS)
    power(RUNS // 10)
    fine &= others(RUNS // 4)
    speed()
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
