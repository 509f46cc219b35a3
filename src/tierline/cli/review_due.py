"""`tierline review`: which tasks are to be looked at again, and why; and signing one off."""

from __future__ import annotations

import datetime
import getpass
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tierline.cli import review_incident
from tierline.cli.log_source import LOG, named, written
from tierline.cli.terminal import refusing, terminal
from tierline.config.load import load
from tierline.config.loaded import Loaded
from tierline.config.units import Duration
from tierline.decision_log.opening import open_reader
from tierline.evaluation.propose.edit import edited
from tierline.evaluation.replay.logged import labels_of
from tierline.evaluation.review.again import Again, estimated_again
from tierline.evaluation.review.due import ENOUGH, Due, Looked, all_due
from tierline.evaluation.review.facts import TaskFacts, now_of
from tierline.evaluation.review.looks import looked
from tierline.evaluation.wilson import wilson
from tierline.ledger.ledger import Ledger
from tierline.ledger.reader import LedgerReader

Config = Annotated[Path, typer.Option("--config", "-c", help="The spec whose tasks are looked at.")]
LogOption = Annotated[str, typer.Option("--log", help=f"{LOG}; as the spec says if left out.")]
Window = Annotated[str, typer.Option(help="How far back the log is read: 7d, 30d.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DEFAULT = Path("tierline.yaml")


def look(
    context: typer.Context,
    config: Config = DEFAULT,
    log: LogOption = "",
    window: Window = "30d",
    every: Annotated[str, typer.Option(help="How long a look holds before the calendar asks for another.")] = "90d",
    everything: Annotated[bool, typer.Option("--all", help="Show tasks that are not due too.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Exit 1 where a task is due, for a job that reminds.")] = False,
    incident: Annotated[str, typer.Option(help="Instead: what happened FROM..TO, e.g. 2026-11-20T09:00..2026-11-20T11:30.")] = "",
    as_json: AsJson = False,
) -> None:
    """Which tasks are to be looked at again, and why: the calendar, a price, a pass rate, a latency, the mix, a prompt, failures, an alert.

    Each is compared with what held when it was signed off. Examples: `tierline review`, `tierline review --check --every 60d`,
    `tierline review --incident 2026-11-20T09:00..2026-11-20T11:30`, `tierline review sign order_extraction --why "prices are known"`"""
    if context.invoked_subcommand is not None:
        return
    with refusing("review"):
        where = named(log, config)
        if incident:
            review_incident.show(terminal(), where, incident, as_json)
            return
        loaded = load(config, need_secrets=False)
        found, facts = _due(loaded, where, Duration.parse(window), Duration.parse(every))
        shown = [one for one in found if one.causes or everything]
        again = _again(loaded, where, Duration.parse(window)) if shown else {}
        if as_json:
            told = {one.task: facts[one.task] for one in shown}
            typer.echo(msgspec.json.encode({"tasks": shown, "facts": told, "estimated_again": again}).decode())
        else:
            _show(terminal(), loaded, shown, facts, again, len(found))
    if check and any(one.causes for one in found):
        raise typer.Exit(1)


def sign(
    task: Annotated[str, typer.Argument(help="The task that was looked at.")],
    why: Annotated[str, typer.Option(help="What you found, for those who look next.")],
    by: Annotated[str, typer.Option(help="Who signs; your user name if left out.")] = "",
    config: Config = DEFAULT,
    log: LogOption = "",
    window: Window = "30d",
    as_json: AsJson = False,
) -> None:
    """Sign a task off: `reviewed` in the spec is set to today, and what holds now is kept for the next look to compare with.

    Example: `tierline review sign order_extraction --why "mini's new price is in, the bar still holds"`"""
    with refusing("review"):
        loaded = load(config, need_secrets=False)
        if task not in loaded.spec.tasks:
            raise ValueError(f"there is no task {task!r} in {config}; there are {', '.join(loaded.spec.tasks) or 'none'}")
        if not why.strip():
            raise ValueError("say with --why what you found: it stands in the audit trail")
        where = named(log, config)
        with closing(open_reader(where)) as reader:
            facts = now_of(loaded, reader, labels_of(where), Duration.parse(window))[task]
        with closing(Ledger(written(log, config))) as ledger:
            signed = ledger.signoffs.add(task, by or getpass.getuser(), why, msgspec.to_builtins(facts))
        today = datetime.date.today()
        config.write_text(edited(config.read_text(encoding="utf-8"), ("tasks", task, "reviewed"), today), encoding="utf-8")
        typer.echo(
            msgspec.json.encode(signed).decode() if as_json else f"{task} is signed off by {signed.by}; {config} says reviewed: {today}"
        )


def _due(loaded: Loaded, where: str, window: float, every: float) -> tuple[list[Due], Mapping[str, TaskFacts]]:
    with closing(open_reader(where)) as reader:
        facts = now_of(loaded, reader, labels_of(where), window)
    with closing(LedgerReader(where)) as ledger:
        signed, standing = ledger.signoffs(), ledger.alerts()
        alerts = () if standing is None else standing.list("open")
    looks = {name: found for name in loaded.spec.tasks if (found := looked(loaded, name, signed.get(name))) is not None}
    return all_due(loaded.spec.tasks, facts, looks, alerts, datetime.date.today(), every), facts


def _again(loaded: Loaded, where: str, window: float) -> Mapping[str, Again]:
    with closing(open_reader(where)) as reader:
        return estimated_again(loaded, reader, labels_of(where), window)


def _show(
    console: Console, loaded: Loaded, found: list[Due], facts: Mapping[str, TaskFacts], again: Mapping[str, Again], tasks: int
) -> None:
    for due in found:
        seen = facts[due.task]
        head = Text.assemble((due.task, "bold"), f"  {due.requests:,} requests, {seen.share:.0%} of all, ${due.cost:,.2f}")
        console.print(head)
        console.print(f"  last looked at: {_last(due.looked)}" + (f"; owner {due.owner}" if due.owner else ""), markup=False)
        for cause in due.causes:
            sure = "" if cause.sure is None else f" ({cause.sure:.1%} sure)"
            console.print(f"  • {cause.kind}: {cause.what}{sure}", markup=False)
        if due.task in again:
            console.print(f"  {_sentence(again[due.task])}", markup=False)
        if any(model.asked for model in seen.models.values()):
            console.print(_models(loaded, due.task, seen))
    late = sum(bool(due.causes) for due in found)
    console.print(f"{late} of {tasks} tasks are due." if late else f"None of {tasks} tasks is due.", markup=False)
    if late:
        console.print('When you have looked: tierline review sign TASK --why "what you found"', markup=False)


def _sentence(again: Again) -> str:
    cost, good = again.cost, again.quality
    return (
        f"estimated again by what was measured: ${cost.value:.6f} a request [{cost.low:.6f}, {cost.high:.6f}] (the spec alone: "
        f"${again.declared_cost:.6f}), {good.value:.1%} good answers [{good.low:.1%}, {good.high:.1%}] (the spec alone: "
        f"{again.declared_quality:.1%}); the bar is met in {again.meets_bar:.0%} of the draws"
    )


def _last(last: Looked | None) -> str:
    if last is None:
        return "never"
    return f"{last.day}" + (f" by {last.by}: {last.why}" if last.by else "")


def _models(loaded: Loaded, task: str, seen: TaskFacts) -> Table:
    table = Table(box=None, padding=(0, 2))
    for name in ("model", "first calls", "passed", "95 %", "declared", "p95 s", "$/M in", "$/M out"):
        table.add_column(name, justify="left" if name == "model" else "right")
    declared = loaded.spec.tasks[task].quality
    for name, model in seen.models.items():
        enough = model.judged >= ENOUGH
        low, high = wilson(model.passed, model.judged) if enough else (0.0, 0.0)
        table.add_row(
            name, f"{model.asked:,}", f"{model.passed / model.judged:.1%}" if enough else "-", f"{low:.1%}–{high:.1%}" if enough else "-",
            f"{declared[name]:.1%}" if name in declared else "-", "-" if model.p95 is None else f"{model.p95:.2f}",
            f"{model.input:g}", f"{model.output:g}",
        )  # fmt: skip
    return table
