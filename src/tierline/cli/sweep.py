"""`tierline sweep`: many settings of the thresholds at once, and the one that holds on queries it was not chosen on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table as Shown

from tierline.cli import replay_view
from tierline.cli.progress import progressing
from tierline.config.load import load
from tierline.evaluation.datasets import Reading, read
from tierline.evaluation.routers.spec import SpecRouter
from tierline.evaluation.sweep.axes import Setting, axis, default_axes, grid
from tierline.evaluation.sweep.choose import thresholds_of
from tierline.evaluation.sweep.document import SweepDocument, front_of, points_of, singles_of
from tierline.evaluation.sweep.offered import offered
from tierline.evaluation.sweep.operating_point import TARGETS, OperatingPoint, operating_point, parts_of
from tierline.evaluation.sweep.sweep import sweep
from tierline.routing.router import Router
from tierline.types.errors import TierlineError

_SHOWN = 12


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("sweep")(sweep_command)


def sweep_command(
    data: Annotated[list[Path], typer.Option("--data", help="Measured answers, as for `tierline evaluate`.")],
    spec: Annotated[Path, typer.Option("--spec", "-s", help="The spec whose thresholds are moved.")] = Path("tierline.yaml"),
    vary: Annotated[
        list[str] | None,
        typer.Option("--vary", help="PATH=LOW:HIGH[:STEPS], several times for a grid; by default the ceilings of the first two tiers."),
    ] = None,
    target: Annotated[list[float] | None, typer.Option("--target", help="Share of the best single model's quality to keep.")] = None,
    seed: Annotated[int, typer.Option(help="Of the repeated splits.")] = 0,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the whole document here; `-` is standard output.")] = None,
) -> None:
    """Try every combination of thresholds on measured answers; show those that nobody beats, and an honest operating point.

    A threshold is chosen on one half of the queries and measured on the other: quality, savings, and how often its target is met.

    Example: `tierline sweep --data answers.parquet --spec tierline.yaml --vary routes.auto.difficulty.fast=0:1:21 --target 0.99`
    """
    console = replay_view.console(errors=str(json_out) == "-")
    try:
        router = Router(load(spec, need_secrets=False))
        found = _swept(console, router, data, vary or [], target or list(TARGETS), seed)
    except (TierlineError, OSError, ValueError) as error:
        typer.echo(f"tierline sweep: {error}", err=True)
        raise typer.Exit(2) from None
    if json_out is not None:
        text = msgspec.json.format(msgspec.json.encode(found), indent=2)
        if str(json_out) == "-":
            typer.echo(text.decode())
        else:
            json_out.write_bytes(text + b"\n")
    if str(json_out) != "-":
        _show(console, found)


def _swept(console: Console, router: Router, data: list[Path], vary: list[str], targets: list[float], seed: int) -> SweepDocument:
    axes = tuple(axis(text, router) for text in vary)
    table = read(data, Reading(text=True)).table
    asked, outcomes, queries = offered(router, table, SpecRouter(router.loaded).matched(table.models))
    axes = axes or default_axes(router, asked.difficulty)
    settings = [Setting({}, thresholds_of(router)), *grid(router, axes)]
    part, names = parts_of(queries), router.policy.fleet.names
    with progressing(console, f"{len(settings) - 1:,} settings", len(asked)) as progress:
        swept = sweep(asked, outcomes, settings, part, progress)
    now, *points = points_of(settings, swept, names)
    return SweepDocument(
        spec=str(router.loaded.path),
        fingerprint=router.policy.fingerprint,
        data=", ".join(map(str, data)),
        queries=len(asked),
        axes=axes,
        now=now,
        singles=singles_of(outcomes, names),
        front=front_of(points),
        honest=tuple(operating_point(asked, outcomes, settings, swept, part, names, share, seed) for share in targets),
        points=tuple(points),
    )


def _show(console: Console, found: SweepDocument) -> None:
    console.print(
        f"[bold]{len(found.points):,} settings of {found.spec} on {found.queries:,} queries of {found.data}[/bold]",
        highlight=False,
        soft_wrap=True,
    )
    console.print(_front(found))
    console.print(_honest(found.honest))
    for point in found.honest:
        if point.setting is not None:
            said = ", ".join(f"{path}={value:g}" for path, value in point.setting.items()) or "the spec as it stands"
            console.print(f"{point.target:.0%}: {said}", highlight=False)
        else:
            console.print(f"{point.target:.0%}: {point.why}", highlight=False)


def _front(found: SweepDocument) -> Shown:
    paths = [axis.path for axis in found.axes]
    table = Shown(
        *paths, "quality", "USD a query", title="Settings that nobody beats (on all queries: what is picked here flatters itself)"
    )
    table.title_justify = "left"
    step = max(1, -(-len(found.front) // _SHOWN))
    for point in found.front[::step]:
        table.add_row(*(f"{point.values[path]:g}" for path in paths), f"{point.quality:.4f}", f"{point.cost:.6f}")
    table.add_section()
    blank = [""] * (len(paths) - 1)
    table.add_row("the spec as it stands", *blank, f"{found.now.quality:.4f}", f"{found.now.cost:.6f}")
    for name, single in found.singles.items():
        table.add_row(f"always {name}", *blank, f"{single.quality:.4f}", f"{single.cost:.6f}")
    return table


def _honest(points: tuple[OperatingPoint, ...]) -> Shown:
    table = Shown(
        "keep", "of", "kept", "quality", "saved", "target met", "kept in 90 of 100 splits",
        title="Chosen on one half, measured on the other", title_justify="left",
    )  # fmt: skip
    for point in points:
        if point.setting is None or point.quality is None or point.saved is None:
            table.add_row(f"{point.target:.0%}", point.best_single, "–", "–", "–", "–", "–")
            continue
        span = "–" if point.kept_range is None else f"{point.kept_range[0]:.1%} to {point.kept_range[1]:.1%}"
        table.add_row(
            f"{point.target:.0%}",
            point.best_single,
            "–" if point.kept is None else f"{point.kept:.1%}",
            replay_view.interval(point.quality, ".4f"),
            replay_view.interval(point.saved, ".1%"),
            "–" if point.met is None else f"{point.met:.0%}",
            span,
        )
    return table
