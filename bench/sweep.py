"""What a sweep costs: a 21 × 21 grid of two ceilings over a million requests. `python -m bench sweep`.

One core, one process. Every setting is a whole choice among the models for every request, with its score and cost summed; a sample of
rows and settings is decided again by the router itself, and must come out the same."""

from __future__ import annotations

import gc
import resource
import sys
import time

import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table

from tierline.evaluation.sweep.axes import Setting, axis, grid
from tierline.evaluation.sweep.choose import Chooser
from tierline.evaluation.sweep.questions import COLUMNS, Questions, questions
from tierline.evaluation.sweep.sweep import Outcomes, sweep
from tierline.routing.router import Router
from tierline.testing import builders
from tierline.types.scores import NO_SCORES
from tierline.types.view import NO_VIEW

ROWS = 1_000_000
MODELS = {
    "three models": {"mini": ("fast", (0.2, 0.8)), "sonnet": ("balanced", (3.0, 15.0)), "opus": ("best", (15.0, 75.0))},
    "six models": {
        "mini": ("fast", (0.2, 0.8)), "local": ("fast", (0.1, 0.3)), "sonnet": ("balanced", (3.0, 15.0)),
        "flash": ("balanced", (1.0, 5.0)), "opus": ("best", (15.0, 75.0)), "pro": ("best", (10.0, 40.0)),
    },
}  # fmt: skip
AXES = ("routes.auto.difficulty.fast=0:0.95:21", "routes.auto.difficulty.balanced=0.05:1:21")
CHECKED = 200


def repeated(router: Router, rows: int, dice: np.random.Generator) -> Questions:
    """Requests that differ in difficulty and tokens, as columns: one is asked of the router, the rest are made in its likeness."""
    one = questions(router, [(builders.features(0.5), NO_SCORES, NO_VIEW)])
    fleet = router.policy.fleet
    tokens_in, tokens_out = dice.integers(20, 6000, rows), dice.integers(10, 800, rows)
    many = {name: np.repeat(getattr(one, name), rows, axis=-1) for name in COLUMNS}
    many["difficulty"] = dice.random(rows)
    many["cost"] = np.array([tokens_in * i + tokens_out * o for i, o in zip(fleet.price_in, fleet.price_out, strict=True)])
    return msgspec.structs.replace(one, **many)


def check(router: Router, asked: Questions, settings: list[Setting], dice: np.random.Generator) -> None:
    """Rows of the sweep against the router, setting by setting; exits where one differs."""
    for _ in range(CHECKED):
        row, setting = int(dice.integers(len(asked))), settings[int(dice.integers(len(settings)))]
        at = setting.thresholds
        moved = Router(router.loaded)
        route = msgspec.structs.replace(router.policy.routes["auto"], ceilings=at.ceilings["auto"], bar=at.bars["auto"])
        moved.policy = msgspec.structs.replace(router.policy, routes={"auto": route})
        cost = asked.cost[:, row]
        price_in, price_out = np.array(router.policy.fleet.price_in), np.array(router.policy.fleet.price_out)
        tokens = np.linalg.lstsq(np.stack([price_in, price_out], axis=1), cost, rcond=None)[0].round().astype(int)
        features = builders.features(float(asked.difficulty[row]), input_tokens=int(tokens[0]), output_tokens=int(tokens[1]))
        chosen = int(Chooser(asked.part(slice(row, row + 1)), len(settings)).choose(at)[0])
        if moved.decide(features, NO_SCORES, NO_VIEW).target != router.policy.fleet.names[chosen]:
            sys.exit(f"row {row} at {setting.values} is chosen otherwise by the router")


def main(rows: int = ROWS) -> None:
    """Measure and print."""
    table = Table("fleet", "settings", "seconds", "decisions/s", "goal", title=f"sweeps over {rows:,} requests, one core")
    for name, fleet in MODELS.items():
        dice = np.random.default_rng(4)
        router = builders.router({}, {model: {"tier": tier, "price": price} for model, (tier, price) in fleet.items()})
        settings = every_setting(router)
        asked = repeated(router, rows, dice)
        outcomes = Outcomes((dice.random((len(fleet), rows)) < 0.8).astype(float), asked.cost)
        check(router, asked, settings, dice)
        gc.collect()
        began = time.perf_counter()
        sweep(asked, outcomes, settings)
        took = time.perf_counter() - began
        goal = "≤ 15 s" if len(fleet) == 3 else ""
        table.add_row(name, f"{len(settings)}", f"{took:.1f}", f"{len(settings) * rows / took / 1e6:,.0f} million", goal)
    console = Console(width=120)
    console.print(table)
    console.print(f"largest memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


def every_setting(router: Router) -> list[Setting]:
    """All 441, those included whose ceilings do not rise, so that the grid is whole."""
    one, two = (axis(text, router) for text in AXES)
    made = grid(router, (one,))
    found = []
    for setting in made:
        for value in two.values:
            ceilings = (setting.thresholds.ceilings["auto"][0], value, 1.0)
            at = msgspec.structs.replace(setting.thresholds, ceilings={"auto": ceilings})
            found.append(Setting({**setting.values, two.path: value}, at))
    return found


if __name__ == "__main__":
    main()
