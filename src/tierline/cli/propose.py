"""`tierline propose`: evidence → a candidate spec, what it changes and why, and its certificate."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tierline.cli.log import moment
from tierline.cli.log_source import LOG
from tierline.cli.terminal import refusing, terminal
from tierline.config.load import load
from tierline.config.loaded import Loaded
from tierline.config.scorer_file import read_scorer
from tierline.evaluation.datasets import Dataset, Reading, read
from tierline.evaluation.propose.beside import answered_beside
from tierline.evaluation.propose.candidate import candidate_text, diff_of
from tierline.evaluation.propose.certify import MARGIN, certificate
from tierline.evaluation.propose.changes import Change, changes_of
from tierline.evaluation.propose.edit import written
from tierline.evaluation.propose.measured import of_log, of_table, together
from tierline.evaluation.propose.thresholds import threshold_changes
from tierline.evaluation.routers.learned import TrainedRouter
from tierline.evaluation.routers.spec import SpecRouter
from tierline.postgres.connection import place_of
from tierline.types.certificate import Certificate, Measured


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(propose)


def propose(
    out: Annotated[Path, typer.Option("--out", "-o", help="Write the candidate here, and its certificate beside it.")],
    spec: Annotated[Path, typer.Option("--spec", "-s", help="The spec at work.")] = Path("tierline.yaml"),
    log: Annotated[str, typer.Option("--log", help=f"{LOG}, with its labels and feedback.")] = "",
    data: Annotated[list[Path] | None, typer.Option("--data", "-d", help="A file of measured answers; may be given again.")] = None,
    scorer: Annotated[Path | None, typer.Option(help="A trained scorer to route by (`tierline train`).")] = None,
    since: Annotated[str, typer.Option(help="Only the log's rows from this time on: 24h, 7d, 2026-11-22.")] = "",
    margin: Annotated[float, typer.Option(min=0.0, max=1.0, help="A loss of quality that counts as none, in points of [0, 1].")] = MARGIN,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Turn evidence into a candidate spec: half of it says what changes, the other half certifies what the change is worth.

    Exits 1 where nothing is to be changed, or where the certificate is refused; the candidate may then go into shadow, and no further.

    Example: `tierline propose --log tierline.db --data answers.parquet --spec tierline.yaml --out candidate.yaml`
    """
    with refusing("propose"):
        if not log and not data:
            raise ValueError("give evidence: --log, --data or both")
        made = time.time()
        start = moment(since, made) if since else 0.0
        before = load(spec, need_secrets=False)
        dataset = _read(before, data) if data else answered_beside(before, log) if log else None
        if dataset is not None and scorer is not None:
            dataset = TrainedRouter(scorer).held_out(dataset)
        cells = together(of_log(log, start) if log else {}, _cells(before, dataset))
        artifact, card = ("", "") if scorer is None else _scorer(spec, scorer)
        changes = changes_of(before, cells, artifact, card)
        text = spec.read_text(encoding="utf-8")
        if dataset is not None:
            so_far = load(spec, need_secrets=False, written=candidate_text(text, changes, made, ()).encode())
            changes += threshold_changes(so_far, dataset.table, margin)
        if not changes:
            typer.echo("nothing is proposed: no interval says that the spec is wrong", err=True)
            raise typer.Exit(1)
        sources = [path.name for path in (*([place_of(log)] if log else []), *(data or ()))]
        after = candidate_text(text, changes, made, sources)
        candidate = load(spec, need_secrets=False, written=after.encode())
        found = certificate(before, candidate, log or None, dataset, made, margin, start)
        out.write_text(after, encoding="utf-8")
        out.with_suffix(".certificate.json").write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
        _show(changes, found, diff_of(text, after, str(spec), str(out)), as_json)
    if not found.granted:
        raise typer.Exit(1)


def _read(before: Loaded, data: list[Path]) -> Dataset:
    router = SpecRouter(before)
    return read(data, Reading(text=True, choose=lambda models: list(dict.fromkeys(router.matched(models).values()))))


def _cells(before: Loaded, dataset: Dataset | None) -> dict[tuple[str, str], Any]:
    return {} if dataset is None else of_table(dataset.table, SpecRouter(before).matched(dataset.table.models))


def _scorer(spec: Path, scorer: Path) -> tuple[str, str]:
    """The scorer's path as the spec names it, and what its card says of where it is from."""
    card = read_scorer(scorer).header.card
    return os.path.relpath(
        scorer.resolve(), spec.resolve().parent
    ), f"trained {card.get('trained', 'at an unknown date')} on {card.get('data', 'unknown data')}"


def _show(changes: list[Change], found: Certificate, diff: str, as_json: bool) -> None:
    if as_json:
        told = [
            {"where": one.where, **{key: value for key, value in msgspec.to_builtins(one).items() if key != "place"}} for one in changes
        ]
        typer.echo(json.dumps({"changes": told, "certificate": msgspec.to_builtins(found), "diff": diff}))
        return
    console = terminal()
    table = Table(title=f"what changes from {found.before} to {found.candidate}")
    for column in ("what", "from", "to", "why", "evidence"):
        table.add_column(column)
    for one in changes:
        cells = (one.where, "-" if one.was is None else written(one.was), written(one.becomes), one.why, one.evidence)
        table.add_row(*map(escape, cells))
    console.print(table)
    console.print(diff, markup=False, highlight=False, soft_wrap=True)
    _certificate(console, found)


def _certificate(console: Console, found: Certificate) -> None:
    console.print(f"[bold]certificate {'granted' if found.granted else 'refused'}[/bold]: {found.why}")
    for what, figure, form in (
        ("quality a request", found.quality, "+.4f"),
        ("USD a request", found.cost, "+.6f"),
        ("advantage over a mix of the same cost", found.advantage, "+.4f"),
    ):
        console.print(f"  {what}: {escape(_figure(figure, form))}")
    if found.regret is not None:
        console.print(f"  regret: {found.regret:.4f} of quality a request")
    if found.savings is not None:
        console.print(f"  saved at the best single model's quality: {found.savings:.1%} of its cost")
    if found.worst:
        console.print(f"  worst slice: {found.worst}")
    if found.decided:
        coverage = "" if found.coverage is None else f"; the log can say what came of {found.coverage:.1%}"
        console.print(f"  on the log: {found.changed} of {found.decided} decisions change{coverage}")


def _figure(found: Measured, form: str) -> str:
    if found.value is None or found.low is None or found.high is None:
        return f"not known: {found.why}"
    return f"{found.value:{form}} [{found.low:{form}}, {found.high:{form}}] over {found.rows}"
