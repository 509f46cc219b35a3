"""The uncertain inputs of a worksheet by name, and their values: as they stand, drawn, or moved one at a time.

    share/<task> · tokens in/<task> · cached/<task> · tool hits/<task> · asks/<task>
    pass rate/<task>/<model> · tokens out/<task>/<model> · thinking/<task>/<model> · latency/<task>/<model>
    fails/<model> · sensitivity · specificity · together

Prices, bars and costs of failure are fixed: they are looked up or decided, not estimated.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tierline.evaluation.estimate.number import Number, Values, draws
from tierline.evaluation.estimate.worksheet import Worksheet

SHARES = "share/"


def inputs_of(worksheet: Worksheet) -> dict[str, Number]:
    """Every number that the arithmetic reads and that may be off, by name."""
    found: dict[str, Number] = {}
    for row in worksheet.rows:
        task = row.task
        found |= {
            f"{SHARES}{task}": row.traffic_share,
            f"tokens in/{task}": row.tokens_in,
            f"cached/{task}": row.cached,
            f"tool hits/{task}": row.tool_hits,
            f"asks/{task}": row.asks,
        }
        for model, believed in row.models.items():
            found |= {
                f"pass rate/{task}/{model}": believed.pass_rate,
                f"tokens out/{task}/{model}": believed.tokens_out,
                f"thinking/{task}/{model}": believed.thinking,
                f"latency/{task}/{model}": believed.latency_p50,
            }
    found |= {f"fails/{name}": model.fails for name, model in worksheet.models.items()}
    return found | {"sensitivity": worksheet.sensitivity, "specificity": worksheet.specificity, "together": worksheet.together}


class Inputs:
    """Values of the inputs, an array each, all of one length. What was not drawn is as it stands."""

    def __init__(self, numbers: Mapping[str, Number], given: Mapping[str, Values], length: int) -> None:
        self._numbers = numbers
        self._given = given
        self.length = length

    def __getitem__(self, name: str) -> Values:
        """The values of one input."""
        found = self._given.get(name)
        return np.full(self.length, self._numbers[name].value) if found is None else found

    def shares(self) -> dict[str, Values]:
        """The share of each task; they add up to 1."""
        names = [name for name in self._numbers if name.startswith(SHARES)]
        whole = np.sum([self[name] for name in names], axis=0)
        return {name.removeprefix(SHARES): self[name] / whole for name in names}


def drawn(numbers: Mapping[str, Number], count: int, seed: int) -> Inputs:
    """The inputs as they stand (the first value of each), then so many draws of all of them."""
    given = {
        name: np.concatenate(([number.value], draws(number, name, count, seed)))
        for name, number in numbers.items()
        if number.like != "fixed"
    }
    return Inputs(numbers, given, count + 1)


def moved(numbers: Mapping[str, Number], ends: Mapping[str, tuple[float, float]]) -> Inputs:
    """The inputs as they stand (the first value), then each of `ends` in turn at its low and at its high end, all others as they stand."""
    length = 1 + 2 * len(ends)
    given = {}
    for place, (name, (low, high)) in enumerate(ends.items()):
        values = np.full(length, numbers[name].value)
        values[1 + 2 * place], values[2 + 2 * place] = low, high
        given[name] = values
    return Inputs(numbers, given, length)
