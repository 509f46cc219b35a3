"""The worksheet as a simulation's models of outcomes, and requests by its shares: `simulate` then draws what `estimate` reckons."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from scipy import special

from tierline.evaluation.estimate.evidence import Sample
from tierline.evaluation.estimate.latency import NINETY_FIVE
from tierline.evaluation.estimate.number import Number
from tierline.evaluation.estimate.worksheet import OPEN, Believed, Worksheet
from tierline.evaluation.simulate.outcomes import SAMPLES, Fitted, Kind
from tierline.evaluation.simulate.pursued import Checks
from tierline.evaluation.simulate.workload import Sent

_PLACES = (np.arange(SAMPLES) + 0.5) / SAMPLES


def outcomes_of(worksheet: Worksheet) -> tuple[Fitted, Checks]:
    """Pass rates, tokens, seconds and failures as the sheet has them. Tokens in are those of the requests, so a prompt cache is not
    simulated."""
    kinds = {
        ("" if row.task == OPEN else row.task, model): _kind(believed) for row in worksheet.rows for model, believed in row.models.items()
    }
    models = {model: _overall(worksheet, model) for model in worksheet.models}
    fails = {name: {"server": model.fails.value} for name, model in worksheet.models.items()}
    said = "the models are as good, fast and wordy as the worksheet says"
    fitted = Fitted(kinds, models, {}, fails, worksheet.together.value, (said,))  # type: ignore[arg-type]  # `server` is a class of errors
    return fitted, Checks(worksheet.sensitivity.value, worksheet.specificity.value)


def requests_of(worksheet: Worksheet, samples: Mapping[str, Sequence[Sample]], count: int, seed: int) -> list[Sent]:
    """So many requests, tasks by their shares and the requests of each by their weights, scaled to the sheet's tokens in. They arrive
    one a second."""
    dice = random.Random(seed)  # noqa: S311  # a simulation, not a secret
    rows = {row.task: row for row in worksheet.rows}
    tasks = dice.choices(list(rows), [row.traffic_share.value for row in rows.values()], k=count)
    scale = {name: _scale(row.tokens_in, samples[name]) for name, row in rows.items()}
    found = []
    for number, task in enumerate(tasks):
        sample = dice.choices(samples[task], [sample.weight for sample in samples[task]])[0]
        tokens = round(sample.features.input_tokens * scale[task])
        features = msgspec.structs.replace(sample.features, request_id=f"estimate-{number}", input_tokens=tokens, draw=dice.random())
        found.append(Sent(f"{task}/{number}", "" if task == OPEN else task, features, sample.scores, float(number)))
    return found


def _kind(believed: Believed) -> Kind:
    """A lognormal's seconds by their quantiles, and always as many tokens."""
    p50, p95 = believed.latency_p50.value, believed.latency_p95.value
    sigma = max(np.log(max(p95 / p50, 1.0)) / NINETY_FIVE, 1e-3)
    seconds = p50 * np.exp(sigma * special.ndtri(_PLACES))
    return Kind(believed.pass_rate.value, (round(believed.tokens_out.value + believed.thinking.value),), tuple(seconds.tolist()))


def _overall(worksheet: Worksheet, model: str) -> Kind:
    """Of a model in a task that the sheet does not know: as in its largest."""
    largest = max(worksheet.rows, key=lambda row: row.traffic_share.value)
    return _kind(largest.models[model])


def _scale(tokens: Number, samples: Sequence[Sample]) -> float:
    mean = sum(sample.weight * sample.features.input_tokens for sample in samples) / sum(sample.weight for sample in samples)
    return tokens.value / mean if mean else 1.0
