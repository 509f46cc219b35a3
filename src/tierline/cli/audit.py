"""`tierline audit`: who changed what and when, and whether the trail is as it was written."""

from __future__ import annotations

import json
import time
from contextlib import closing
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from tierline.cli.log import moment
from tierline.cli.log_source import LOG, ledger_of
from tierline.cli.terminal import local_time, refusing, terminal
from tierline.ledger.audit import Broken, Entry, Head, Link, verify
from tierline.ledger.reader import LedgerReader

Config = Annotated[Path, typer.Option("--config", "-c", help="Take the log's path from this spec.")]
Log = Annotated[str, typer.Option("--log", help=f"{LOG}, instead of the spec's; the trail is in it too.")]
File = Annotated[Path | None, typer.Option("--file", help="Read a trail that `--ndjson` has exported instead.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(audit)


def audit(
    check: Annotated[bool, typer.Option("--verify", help="Check the whole chain; exit code 1 where it was tampered with.")] = False,
    head: Annotated[
        str, typer.Option(metavar="SEQ:HASH", help="With --verify: a head that was noted earlier; it must still be there.")
    ] = "",
    since: Annotated[str, typer.Option(help="Only entries from this time on: 7d, 2026-11-22.")] = "",
    limit: Annotated[int, typer.Option("-n", min=1, help="How many of the newest entries.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    ndjson: Annotated[bool, typer.Option("--ndjson", help="Export every entry with its hashes, oldest first, one a line.")] = False,
    file: File = None,
    config: Config = Path("tierline.yaml"),
    log: Log = "",
) -> None:
    """Who changed which spec, key or pin, when. Each entry carries the hash of the one before it; nothing here writes.

    That the newest entries were cut off shows only against a head that was kept elsewhere: note the one that `--verify` prints.

    Examples: `tierline audit --since 7d`, `tierline audit --verify`, `tierline audit --ndjson > trail.ndjson`"""
    with refusing("audit"):
        links = _exported(file) if file is not None else _kept(log, config)
        if check:
            raise typer.Exit(_verified(links, _head(head), part=file is not None, as_json=as_json))
        start = moment(since, time.time()) if since else 0.0
        shown = [link for link in links if link.entry.at >= start]
        if ndjson:
            for link in shown:
                typer.echo(msgspec.json.encode(link).decode())
            return
        last = links[-1].head if links else Head(0, "0" * 64)
        newest = [link.entry for link in reversed(shown)][:limit]
        if as_json:
            typer.echo(msgspec.json.encode({"head": last, "entries": newest}).decode())
        else:
            _show(newest, last)


def _kept(log: str, config: Path) -> list[Link]:
    with closing(LedgerReader(log or ledger_of(config))) as ledger:
        return list(ledger.audit())


def _exported(file: Path) -> list[Link]:
    decode = msgspec.json.Decoder(Link).decode
    try:
        return [decode(line) for line in file.read_bytes().splitlines() if line]
    except msgspec.MsgspecError as error:
        raise ValueError(f"{file} is no exported trail: {error}") from None


def _head(text: str) -> Head | None:
    if not text:
        return None
    seq, _, digest = text.partition(":")
    if not seq.isdecimal() or len(digest) != 64:
        raise ValueError("--head is the number and the hash that --verify printed, as 17:9f2c…")
    return Head(int(seq), digest)


def _verified(links: list[Link], head: Head | None, *, part: bool, as_json: bool) -> int:
    broken, last = verify(links, head, part=part), links[-1].head if links else Head(0, "0" * 64)
    if as_json:
        typer.echo(json.dumps({"ok": broken is None, "entries": len(links), "head": _text(last), "broken": msgspec.to_builtins(broken)}))
    elif broken is None:
        begin = f" from entry {links[0].entry.seq} on" if links and links[0].entry.seq > 1 else ""
        typer.echo(f"{len(links)} entries{begin}, each as it was written; head {_text(last)}")
    else:
        typer.echo(_said(broken, links))
    return 0 if broken is None else 1


def _said(broken: Broken, links: list[Link]) -> str:
    found = next((link.entry for link in links if link.entry.seq == broken.seq), None)
    what = "" if found is None else f" ({local_time(found.at)}, {found.who}: {found.action} {found.subject})"
    return f"the trail was tampered with at entry {broken.seq}{what}: {broken.reason}"


def _text(head: Head) -> str:
    return f"{head.seq}:{head.hash}"


def _show(entries: list[Entry], head: Head) -> None:
    table = Table()
    for name in ("entry", "time", "who", "action", "what", "detail"):
        table.add_column(name, no_wrap=name in ("time", "action"))
    for entry in entries:
        detail = json.dumps(entry.detail) if entry.detail else ""
        table.add_row(str(entry.seq), local_time(entry.at), entry.who or "(nobody)", entry.action, entry.subject, detail)
    if entries:
        terminal().print(table)
    typer.echo(f"head {_text(head)}")
