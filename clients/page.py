"""The page docs/compatibility.md, written from what a run found."""

from __future__ import annotations

import datetime
import textwrap
from collections.abc import Sequence
from pathlib import Path

import msgspec

from clients.roster import CLIENTS, FEATURES
from clients.upstreams import FORMATS

PAGE = Path(__file__).parents[1] / "docs" / "compatibility.md"
RESULTS = Path(__file__).with_name("results.json")
UPSTREAMS_OWN = "the client fails with this upstream without the gateway too: "
TITLES = {
    "openai_chat": "OpenAI Chat",
    "openai_responses": "OpenAI Responses",
    "anthropic_messages": "Anthropic Messages",
    "gemini": "Gemini",
}
HEAD = """# Which clients work with which upstreams

`make clients` writes this page; nobody else does. Each client runs in an environment of its own and changes only its base URL. The
gateway stands between it and an upstream that speaks one wire format. The upstreams are two independent mocks and a real llama.cpp
server; none of them is ours.

A cell holds four marks, in this order: **chat** (a whole answer with words in it), **stream** (several pieces that join to the whole
answer), **tools** (the tool is called with its arguments, its result goes back, words come), **structured** (an answer that the client
parses into its own type). instructor and the Anthropic models of pydantic-ai and the Vercel AI SDK ask for a structure by a tool;
instructor's *tools* is just that. Codex always streams but tells only whole items, and aider is asked with and without streaming but
tells only its whole answer: their *chat* stands for both.

✓ passed · – not offered by the client, or not by the upstream (notes below each table) · ✗ failed, with a footnote

A ✗ of a client that fails with the upstream alone, without the gateway, says so.

Run it: `make clients`, or `make clients ONLY="openai-python codex"` for some of them. aider is large and runs only when it is named.
A run of some clients keeps the rows of the others as they were; each row says its date.
"""


class Row(msgspec.Struct, frozen=True):
    """What a run found for one client and one upstream: by format and feature, ok, `- ` and why it was not asked, or what went wrong."""

    client: str
    version: str
    upstream: str
    upstream_version: str
    day: str
    cells: dict[str, dict[str, str]]


def today() -> str:
    """The day of a run, in UTC."""
    return datetime.datetime.now(datetime.UTC).date().isoformat()


def merged(rows: Sequence[Row]) -> list[Row]:
    """These rows and those that earlier runs kept for other pairs of client and upstream; all are kept."""
    old = msgspec.json.decode(RESULTS.read_bytes(), type=list[Row]) if RESULTS.is_file() else []
    by_pair = {(row.client, row.upstream): row for row in [*old, *rows]}
    RESULTS.write_bytes(msgspec.json.format(msgspec.json.encode(list(by_pair.values()))))
    return list(by_pair.values())


def render(rows: Sequence[Row]) -> str:
    """The whole page."""
    order = {client.name: place for place, client in enumerate(CLIENTS)}
    known = sorted((row for row in rows if row.client in order), key=lambda row: order[row.client])
    upstreams = dict.fromkeys(row.upstream for row in rows)
    return "\n".join([HEAD, *(_section(upstream, [row for row in known if row.upstream == upstream]) for upstream in upstreams)])


def _section(upstream: str, rows: Sequence[Row]) -> str:
    speaks = {client.name: client.speaks for client in CLIENTS}
    formats = [dialect for dialect in FORMATS if any(dialect in row.cells for row in rows)]
    wrong: dict[str, int] = {}
    lines = [f"## {upstream} {max(rows, key=lambda row: row.day).upstream_version}", ""]
    lines.append("| client | speaks | " + " | ".join(TITLES[dialect] for dialect in formats) + " | date |")
    lines.append("|---|---|" + "---|" * len(formats) + "---|")
    for row in rows:
        cells = [_cell(row.cells.get(dialect, {}), wrong) for dialect in formats]
        lines.append(f"| {row.client} {row.version} | {TITLES[speaks[row.client]]} | {' | '.join(cells)} | {row.day} |")
    lines += ["", *(f"- –: {note}" for note in _not_asked(rows, formats))]
    lines += [f"- ✗{number}: {_plain(note)}" for note, number in wrong.items()]
    return "\n".join(lines) + "\n"


def _not_asked(rows: Sequence[Row], formats: Sequence[str]) -> list[str]:
    """Why cells were not asked: each reason once, with its features, and its formats where they are not all."""
    cells = [(said, dialect, feature) for row in rows for dialect, cell in row.cells.items() for feature, said in cell.items()]
    notes = []
    for reason in sorted({said for said, _, _ in cells if said.startswith("- ")}):
        features = ", ".join(feature for feature in FEATURES if any(one[0] == reason and one[2] == feature for one in cells))
        touched = [dialect for dialect in formats if any(one[:2] == (reason, dialect) for one in cells)]
        where = "" if touched == list(formats) else "; " + ", ".join(TITLES[dialect] for dialect in touched)
        notes.append(f"{reason.removeprefix('- ')} ({features}{where})")
    return notes


def _cell(found: dict[str, str], wrong: dict[str, int]) -> str:
    marks = []
    for feature in FEATURES:
        said = found.get(feature, "- not offered")
        if said == "ok":
            marks.append("✓")
        elif said.startswith("- "):
            marks.append("–")
        else:
            marks.append(f"✗{wrong.setdefault(f'{feature}: {said}', len(wrong) + 1)}")
    return " ".join(marks)


def _plain(text: str) -> str:
    """A note on one line, short, with nothing in it that reads as markup."""
    return textwrap.shorten(text, 220, placeholder=" ...").replace("|", "\\|").replace("<", "&lt;")
