"""`tierline experiments`: what each arm gave, with intervals that hold however often one looks, and stopping an arm by hand."""

from __future__ import annotations

import getpass
import json
import math
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from tierline.cli.log_source import LOG, named, written
from tierline.cli.terminal import local_time, refusing, terminal
from tierline.config.load import load
from tierline.config.spec import ExperimentSpec
from tierline.config.structure import decode_unit
from tierline.decision_log.opening import open_reader
from tierline.evaluation.experiments.reading import rows_of
from tierline.evaluation.experiments.sequences import Interval
from tierline.evaluation.experiments.verdict import ArmReading, Verdict, verdict
from tierline.evaluation.labels.sayings import said_of
from tierline.ledger.arms import ArmEntry
from tierline.ledger.ledger import Ledger
from tierline.ledger.reader import LedgerReader

VERBS = ("stop", "resume")

FORMS: Mapping[str, str] = {"cost": ".6f", "latency": ".3f", "latency_p95": ".3f"}
"""How the figures of each metric are written; rates in percent."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(experiments)


def experiments(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME] | stop NAME ARM | resume NAME ARM", help="An experiment, or what to do to an arm.")
    ] = None,
    log: Annotated[str, typer.Option("--log", help=f"{LOG}; the experiments' state is in it too.")] = "",
    config: Annotated[
        Path | None,
        typer.Option(help="The spec to take the log, guards and shares from; if left out, the newest that is kept beside the log."),
    ] = None,
    why: Annotated[str, typer.Option(help="stop, resume: the reason, for those who read the audit trail.")] = "",
    by: Annotated[str, typer.Option(help="stop, resume: who does it; your user name if left out.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Read the experiments of a decision log, or stop an arm: its share is zero at once, in every worker.

    Examples: `tierline experiments --log tierline.db`, `tierline experiments mini-vs-local --json`,
    `tierline experiments stop mini-vs-local local --why "complaints"`"""
    with refusing("experiments"):
        if words and words[0] in VERBS:
            _turn(words, written(log, config), why, by or getpass.getuser(), as_json)
        elif len(words or ()) > 1:
            raise ValueError(f"name one experiment, or begin with {' or '.join(VERBS)}")
        else:
            _read(words[0] if words else "", named(log, config), config, as_json)


def _turn(words: list[str], log: str, why: str, by: str, as_json: bool) -> None:
    if len(words) != 3:
        raise ValueError(f'name an experiment and an arm: tierline experiments {words[0]} mini-vs-local local --why "…"')
    if not why:
        raise ValueError("say why with --why: it stands in the audit trail")
    verb, name, arm = words
    with closing(Ledger(log)) as ledger:
        known = {entry.arm: entry for entry in ledger.arms.now(name)}
        if arm not in known:
            raise ValueError(f"no arm {arm!r} of an experiment {name!r} ever ran here; {_known(ledger.arms.now())}")
        done = (ledger.arms.stop if verb == "stop" else ledger.arms.resume)(name, arm, why, by)
    if not done:
        raise ValueError(f"the arm {arm!r} of {name!r} is {known[arm].state} already")
    state = "stopped: its share is zero within a second" if verb == "stop" else "running again, with the share of the spec"
    typer.echo(json.dumps({"experiment": name, "arm": arm, "state": verb}) if as_json else f"the arm {name}/{arm} is {state}")


def _known(entries: list[ArmEntry]) -> str:
    return f"known: {', '.join(f'{entry.experiment}/{entry.arm}' for entry in entries) or 'none'}"


def _read(name: str, log: str, config: Path | None, as_json: bool) -> None:
    with closing(LedgerReader(log)) as ledger:
        specs = _specs(ledger, config)
        arms = ledger.arms()
        entries = {found: [] if arms is None else arms.now(found) for found in specs}
        began = {found: None if arms is None else arms.began(found) for found in specs}
    if name and name not in specs:
        raise ValueError(f"there is no experiment {name!r} here; known: {', '.join(sorted(specs)) or 'none'}")
    said = said_of(log)
    found = []
    with closing(open_reader(log)) as reader:
        for one in [name] if name else sorted(specs):
            rows = dict(rows_of(reader, one, began[one] or 0.0))
            found.append((specs[one], verdict(one, specs[one], rows, said, entries[one], began[one])))
    if as_json:
        typer.echo(json.dumps({"experiments": [_plain(msgspec.to_builtins(one)) for _, one in found]}))
    elif not found:
        typer.echo("no spec of this log has an experiment")
    else:
        for experiment, told in found:
            _show(terminal(), experiment, told)


def _specs(ledger: LedgerReader, config: Path | None) -> dict[str, ExperimentSpec]:
    """Every experiment with arms: of the spec that is given, else as the newest kept spec that has it defines it."""
    if config is not None:
        return {name: found for name, found in load(config, need_secrets=False).spec.experiments.items() if found.arms}
    known: dict[str, ExperimentSpec] = {}
    for kept in ledger.specs():
        section = msgspec.json.decode(kept.canonical).get("experiments", {})
        known |= msgspec.convert(section, dict[str, ExperimentSpec], dec_hook=decode_unit)
    return {name: found for name, found in known.items() if found.arms}


def _plain(value: Any) -> Any:
    """What is not known is null in JSON."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _show(console: Console, experiment: ExperimentSpec, found: Verdict) -> None:
    since = "" if found.began is None else f", since {local_time(found.began)}"
    console.print(f"[bold]{found.experiment}[/bold]{since}; decides by {found.metric}, {1 - experiment.alpha:.0%} at every look at once")
    table = Table()
    metrics = [metric for metric in found.arms[0].estimates if any(arm.measured[metric] for arm in found.arms)]
    for column in ("arm", "state", "share", "requests", "units", *metrics):
        table.add_column(column)
    for arm in found.arms:
        table.add_row(arm.name, _state(arm), f"{arm.share:.1%}", str(arm.requests), str(arm.units), *[_cell(arm, m) for m in metrics])
    console.print(table)
    for one in found.comparisons:
        told = f"{one.better} is better" if one.better else "equal within the margin" if one.equal else "nothing is shown yet"
        known = one.difference.known
        size = f"{_interval(one.difference, found.metric)}, evidence {one.evidence:.3g}" if known else "nothing is measured yet"
        console.print(f"{one.arm} − {one.other}: {size}: {told}" if known else f"{one.arm} − {one.other}: {size}")
    for guard in found.guards:
        told = "worse than allowed" if guard.shown else "holds"
        console.print(
            f"guard {guard.metric} (worse by {guard.worse_by:g} at most) on {guard.arm}: {told}, "
            f"evidence {guard.evidence:.3g} of the {guard.needed:.3g} that stop it"
        )
    for arm in found.arms:
        if arm.state != "running":
            console.print(f"{arm.name} is {arm.state}, by {arm.by}: {arm.why}")
    console.print(f"→ {found.follows}\n")


def _state(arm: ArmReading) -> str:
    return arm.state if arm.state == "running" else f"[bold]{arm.state}[/bold]"


def _cell(arm: ArmReading, metric: str) -> str:
    """The estimate, and of how many units it is where that is not all of them."""
    count = arm.measured[metric]
    return "-" if not count else _interval(arm.estimates[metric], metric) + ("" if count == arm.units else f" of {count}")


def _interval(found: Interval, metric: str) -> str:
    form = FORMS.get(metric, ".1%")
    return f"{found.value:{form}} [{found.low:{form}}, {found.high:{form}}]"
