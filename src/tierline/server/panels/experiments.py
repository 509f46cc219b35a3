"""The experiments of the spec at work: what their arms gave, how far each is from its end, and stopping an arm or letting it run again."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from tierline.config.spec import ExperimentSpec
from tierline.ledger.arms import ArmEntry
from tierline.ledger.ledger import Ledger
from tierline.server.errors import NotFound
from tierline.server.exchange import Exchange
from tierline.server.looks import imported
from tierline.server.panels.ground import Ground
from tierline.server.panels.once import Once
from tierline.server.route import Route, Routes
from tierline.types.errors import BadRequest, LogFailure, Unavailable

KEPT_FOR = 10.0
"""Seconds for which a reading is shown to all who ask."""

MOST = 200_000
"""Requests of one experiment that are read; the first so many count, as the referee has it."""

MOST_TOLD = 50
"""Things done to the arms of one experiment that are listed, the newest first."""

LONGEST_WHY = 1000
"""Characters of a reason."""


class Turned(msgspec.Struct, forbid_unknown_fields=True):
    """The body of POST /admin/experiments/{name}: the arm, what it is to do from now on, and why, for the audit trail."""

    arm: str
    state: Literal["stopped", "running"]
    why: str


class Experiments:
    """Handlers: looking for keys with the scope `read`, turning for `admin`."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._once = Once(KEPT_FOR)

    async def list(self, exchange: Exchange) -> None:
        """GET /admin/experiments: every experiment of the spec at work: what it asks, its arms with their shares and figures, pairs and
        guards with their evidence and what it takes, and what was done to its arms. What is not known, or has no bound, is null."""
        loaded = exchange.gateway.loaded
        asked = {name: found for name, found in loaded.spec.experiments.items() if found.arms}
        history = await self._ground.books.ask(lambda ledger: {name: ledger.arms.history(name, MOST_TOLD) for name in asked})
        newest = max((one.at for told in history.values() for one in told), default=0.0)
        read = await self._once.get((loaded.fingerprint, newest), lambda: _read(self._ground.logs[-1], asked)) if asked else []
        exchange.json({"experiments": [_told(asked[one.experiment], one, history[one.experiment]) for one in read]})

    async def turn(self, exchange: Exchange) -> None:
        """POST /admin/experiments/{name}: `{"arm": "mini", "state": "stopped", "why": "complaints"}`. A stopped arm's share is zero in
        every worker within a second; `running` gives it its share back. Audited."""
        asked, name, who = await exchange.read(Turned), exchange.rest, exchange.key.name
        experiment = exchange.gateway.loaded.spec.experiments.get(name)
        if experiment is None or not experiment.arms:
            raise NotFound(f"the spec has no experiment {name[:100]!r} with arms")
        if asked.arm not in experiment.arms:
            raise BadRequest(f"arm: no {asked.arm[:100]!r} in {name}; there are {', '.join(sorted(experiment.arms))}", param="arm")
        why = asked.why.strip()
        if not why or len(why) > LONGEST_WHY:
            raise BadRequest(f"why: say it in 1 to {LONGEST_WHY} characters: it stands in the audit trail", param="why")

        def turn(ledger: Ledger) -> bool:
            act = ledger.arms.stop if asked.state == "stopped" else ledger.arms.resume
            return act(name, asked.arm, why, who)

        if not await self._ground.books.ask(turn):
            raise BadRequest(f"state: the arm {asked.arm} of {name} is {asked.state} already", param="state")
        exchange.json({"experiment": name, "arm": asked.arm, "state": asked.state, "why": why, "by": who})


def routes(ground: Ground) -> Routes:
    """The two addresses."""
    panel = Experiments(ground)
    return Routes({("GET", "/admin/experiments"): Route(panel.list, "read")}, {("POST", "/admin/experiments/"): Route(panel.turn, "admin")})


async def _read(where: Path | str, asked: Mapping[str, ExperimentSpec]) -> list[Any]:
    """The verdicts. Reading them needs NumPy, which is an extra."""
    try:
        told = await imported("tierline.evaluation.experiments.told")
    except ImportError:
        raise Unavailable("reading experiments needs NumPy and SciPy: pip install 'tierline[analysis]'") from None
    try:
        return await asyncio.to_thread(lambda: [*told.verdicts(where, asked, MOST)])
    except LogFailure as failure:
        raise Unavailable(f"the decision log cannot be read: {failure.message}") from None


def _told(experiment: ExperimentSpec, found: Any, history: list[ArmEntry]) -> dict[str, Any]:
    """A verdict with what the spec says of the experiment, and the evidence that ends each pair."""
    return {
        **msgspec.structs.asdict(found),
        "why": experiment.why,
        "tasks": experiment.tasks,
        "routes": experiment.routes,
        "alpha": experiment.alpha,
        "margin": experiment.margin,
        "ends": experiment.stop == "sequential",
        "adaptive": experiment.adaptive is not None,
        "history": [
            {"at": one.at, "arm": one.arm, "state": one.state, "share": one.share, "why": one.why, "by": one.by} for one in history
        ],
    }
