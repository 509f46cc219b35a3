"""The demo's figures as tables, for people; plain text where the output is no terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from tierline.demo.folder import LOG
from tierline.demo.report import Report
from tierline.demo.workload import Prompt

BAR = 14
"""Characters of a bar that stands for everything."""


def show(console: Console, report: Report) -> None:
    """Every table."""
    _show_tiers(console, report)
    _show_tasks(console, report)
    _show_policies(console, report)
    _show_fallbacks(console, report)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for at, column in enumerate(columns):
        table.add_column(column, justify="left" if at == 0 else "right")
    return table


def _show_tiers(console: Console, report: Report) -> None:
    table = _table("What went where", "tier", "requests", "share of requests", "", "cost, USD", "share of cost", "")
    for row in report.tiers:
        bars = [f"[cyan]{_bar(row.share)}[/]", f"[yellow]{_bar(row.cost_share)}[/]"]
        table.add_row(row.tier, str(row.requests), f"{row.share:.1%}", bars[0], f"{row.cost:.4f}", f"{row.cost_share:.1%}", bars[1])
    for column in (3, 6):
        table.columns[column].justify = "left"
    console.print(table)


def _bar(share: float) -> str:
    return "█" * round(share * BAR)


def _show_tasks(console: Console, report: Report) -> None:
    table = _table("Task → model", "taken for the task", "requests", "answered by", "cost, USD", "right")
    table.columns[2].justify = "left"
    for row in report.tasks:
        models = ", ".join(f"{name} {count}" for name, count in row.models.items())
        table.add_row(row.task or "(none: by difficulty)", str(row.requests), models, f"{row.cost:.4f}", f"{row.right:.0%}")
    console.print(table)


def _show_policies(console: Console, report: Report) -> None:
    table = _table(f"The same {report.requests} requests, sent otherwise", "policy", "cost, USD", "of the best", "answered rightly")
    dearest = report.policies[0].cost
    for policy in report.policies:
        style = "bold green" if policy.name == "Tierline" else ""
        table.add_row(policy.name, f"{policy.cost:.4f}", f"{policy.cost / dearest:.0%}", f"{policy.right:.1%}", style=style)
    console.print(table)
    console.print("[dim]Rightly: by the scripted fleet's own truth, which the router never sees.[/]\n")


def _show_fallbacks(console: Console, report: Report) -> None:
    answered = report.requests - report.unanswered
    console.print(
        f"[bold]Failures[/]  {report.failed_calls} calls to providers failed; "
        f"{answered} of {report.requests} requests were answered all the same."
    )
    for what, count in list(report.fallbacks.items())[:6]:
        console.print(f"  {count:>3} × {what}")
    console.print()


def show_explained(console: Console, explained: Sequence[tuple[Prompt, Mapping[str, Any]]]) -> None:
    """Decisions as POST /v1/route tells them."""
    console.print("[bold]Three decisions, explained[/]  (POST /v1/route: nothing is called)\n")
    for prompt, told in explained:
        explanation = told["explanation"]
        said = prompt.words if len(prompt.words) <= 160 else prompt.words[:157] + "…"
        lines = [f"“{_escaped(said)}”", "", *(f"• {_escaped(line)}" for line in explanation["sentences"])]
        lines += [f"↯ {_escaped(line)}" for line in explanation["flips"]]
        title = f"{prompt.family} → {told['model']} ({told['tier']})"
        if console.is_terminal:
            console.print(Panel("\n".join(lines), title=title, title_align="left", box=box.ROUNDED))
        else:
            console.print(f"{title}\n  " + "\n  ".join(lines) + "\n", soft_wrap=True)


def _escaped(text: str) -> str:
    return text.replace("[", r"\[")


def show_next(console: Console, url: str, spec: Path, command: str) -> None:
    """What to try while the gateway is up; `command` is how Tierline was called."""
    body = '{"model": "auto", "messages": [{"role": "user", "content": "Where is my order 40037?"}]}'
    console.print(
        f"\n[bold]The gateway is up at {url}[/], by the spec {spec}. Ctrl-C stops it. From another terminal:\n",
        soft_wrap=True,
        highlight=False,
    )
    console.print(
        f"  curl -i {url}/v1/chat/completions -H 'content-type: application/json' -d '{body}'\n",
        soft_wrap=True,
        highlight=False,
        markup=False,
    )
    console.print(f"look at it in a browser: {url}/dashboard\n", soft_wrap=True, highlight=False)
    console.print("read what it has logged:\n")
    console.print(f"  {command} log stats --by model --log {spec.parent / LOG}\n", soft_wrap=True, highlight=False, markup=False)
    console.print("or ask it with the official SDK:\n")
    for line in (
        "from openai import OpenAI",
        f'client = OpenAI(base_url="{url}/v1", api_key="unused")',
        'print(client.chat.completions.create(model="auto", messages=[{"role": "user", "content": "hello"}]))',
    ):
        console.print(f"  {line}", soft_wrap=True, highlight=False, markup=False)
