"""How labels, conflicts and a judge's verdict look in a terminal, and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import typer
from rich import box
from rich.console import Console
from rich.table import Table

from tierline.cli.labels_judge import Told, Verdict
from tierline.evaluation.judging.figures import Figure
from tierline.evaluation.labels.combine import Combined
from tierline.evaluation.labels.heard import Answer
from tierline.evaluation.labels.trust import Trust
from tierline.evaluation.labels.view import Overview
from tierline.ledger.judges import JudgeVerdict

SHOWN = 40
_HOW = {"not validated": "not validated: no trust", "refused": "failed its validation: no trust"}


def overview(console: Console, found: Overview, judges: Mapping[tuple[str, str], JudgeVerdict], *, as_json: bool) -> None:
    """Sources by task, then who agrees with whom, then what the judges may do."""
    if as_json:
        _json({"overview": found, "judges": list(judges.values())})
        return
    _voices(console, found)
    _pairs(console, found)
    for verdict in judges.values():
        where = f"on {verdict.task}" if verdict.task else "over all tasks"
        why = "" if verdict.valid else f": {'; '.join(verdict.report.get('misses', ()))}"
        said = "valid" if verdict.valid else "NOT valid: its labels may not gate or train anything"
        console.print(f"judge {verdict.judge} {where}: {said}{why}", markup=False, highlight=False, soft_wrap=True)
    console.print(
        f"{found.answers:,} answers, {found.labelled:,} with a trusted label, {found.conflicts:,} in conflict; "
        f"{found.shadows:,} by shadows, "
        f"{found.explored:,} chosen by chance, {found.after_failure:,} asked for after a weak answer",
        highlight=False,
    )


def conflicts(console: Console, listed: Sequence[tuple[Answer, Combined]], *, as_json: bool) -> None:
    """Each answer with what everybody said, the most trusted first."""
    if as_json:
        _json(
            [
                {"answer": answer, "combined": combined, "trust": [trust.value for _, _, trust in combined.voices]}
                for answer, combined in listed
            ]
        )
        return
    if not listed:
        console.print("no trusted sources disagree on any answer")
        return
    table = _table("request", "model", "task", "said, and trust", "together", "certainty")
    for answer, combined in listed:
        said = ", ".join(
            f"{voice} {score:g} ({_trust(trust)})" for voice, score, trust in sorted(combined.voices, key=lambda one: -one[2].value)
        )
        table.add_row(answer.request_id, answer.model, answer.task or "-", said, _number(combined.score), f"{combined.certainty:.2f}")
    console.print(table)


def judge(console: Console, told: Told, *, as_json: bool) -> None:
    """The verdict over everything, then by task."""
    if as_json:
        listed = [{**msgspec.to_builtins(verdict), "valid": verdict.valid} for verdict in told.verdicts]
        _json({"judge": told.judge, "way": told.way, "valid": told.valid, "run": told.run, "verdicts": listed})
        return
    run = told.run
    console.print(f"judge {told.judge}, {'in pairs, both orders' if told.way == 'pairs' else 'each answer alone'}", highlight=False)
    console.print(f"{run.asked} calls, {run.kept} kept from before, {run.spent:.4f} USD", highlight=False)
    if run.ended != "complete":
        why = "the budget is spent" if run.ended == "budget" else "stopped"
        console.print(f"{why} with {run.left} calls to go: nothing is said of the judge yet; the same command goes on", highlight=False)
        return
    table = _table("task", "labels", "agree", "kappa", "against itself", "length", "position", "unread", "")
    for verdict in told.verdicts:
        _row(table, verdict)
    console.print(table)
    for verdict in told.verdicts:
        if verdict.misses and (verdict.kept or verdict is told.verdicts[0]):
            said = f"{verdict.report.task or 'all tasks'}: {'; '.join(verdict.misses)}"
            console.print(said, markup=False, highlight=False, soft_wrap=True)
    console.print(
        "valid: its labels may gate and train" if told.valid else "NOT valid: its labels may not gate or train anything", highlight=False
    )


def _row(table: Table, verdict: Verdict) -> None:
    report = verdict.report
    agreement = report.agreement
    kappa = "–" if agreement.kappa is None else f"{agreement.kappa:.2f} [{agreement.low:.2f}, {agreement.high:.2f}]"
    table.add_row(
        report.task or "(all)",
        f"{report.labels} ({report.good}:{report.bad})",
        f"{agreement.share:.2f}",
        kappa,
        _figure(report.self_disagreement),
        _figure(report.length),
        _figure(report.position),
        f"{report.unread:.2f}",
        "valid" if verdict.valid else "not valid" if verdict.kept else "too few labels",
    )


def _voices(console: Console, found: Overview) -> None:
    table = _table("source", "task", "labels", "mean", "trust", "good / bad told right", "seen beside golden or review", "how")
    for row in found.voices[:SHOWN]:
        shares = f"{row.good:.2f} / {row.bad:.2f}"
        how = _HOW.get(row.how, row.how)
        table.add_row(row.voice, row.task or "-", f"{row.labels:,}", f"{row.mean:.2f}", f"{row.trust:.2f}", shares, f"{row.seen:,}", how)
    console.print(table)
    if len(found.voices) > SHOWN:
        console.print(f"and {len(found.voices) - SHOWN} more; --json has them all")


def _pairs(console: Console, found: Overview) -> None:
    if not found.pairs:
        return
    table = _table("source", "and", "both", "agree", "kappa")
    for pair in sorted(found.pairs, key=lambda one: -one.agreement.both)[:SHOWN]:
        told = pair.agreement
        kappa = "–" if told.kappa is None else f"{told.kappa:.2f} [{told.low:.2f}, {told.high:.2f}]"
        table.add_row(pair.one, pair.other, f"{told.both:,}", f"{told.share:.2f} [{told.share_low:.2f}, {told.share_high:.2f}]", kappa)
    console.print(table)


def _table(*heads: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    for head in heads:
        table.add_column(head)
    return table


def _figure(figure: Figure) -> str:
    if figure.value is None or figure.low is None or figure.high is None:
        return "–"
    return f"{figure.value:+.2f} [{figure.low:+.2f}, {figure.high:+.2f}]"


def _trust(trust: Trust) -> str:
    return _HOW.get(trust.how, f"{trust.value:.2f}")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _json(what: Any) -> None:
    typer.echo(msgspec.json.encode(what).decode())
