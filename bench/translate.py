"""What translation costs: CPU µs for each request, whole answer and streamed event, between every two dialects, beside passing through.

`python -m bench translate`, or `python -m bench.translate [ROUNDS]`. In process and without a network: the request's body is made for the
upstream, and the upstream's answer for the client. Every figure is the median over rounds; in brackets is the ratio to passing through in
the client's own dialect, in the same run. A stream is one of `EVENTS` deltas, fed event by event.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterable

import msgspec
from rich.console import Console
from rich.table import Table

from tierline.gateway.assemble import all_dialects
from tierline.gateway.renaming import renamed
from tierline.gateway.translate import Translation
from tierline.interfaces import Dialect
from tierline.types.catalog import Model
from tierline.types.completion import (
    Completion,
    CompletionChoice,
    Counted,
    Ended,
    Event,
    Finished,
    PartDelta,
    PartEnded,
    PartStarted,
    Started,
)
from tierline.types.conversation import Conversation, Sampling, Text, ToolCall, ToolResult, ToolSpec, Turn
from tierline.types.outcome import Usage
from tierline.types.request import Request

EVENTS = 200
REPEATS = 50
MODEL = Model("served", "fast", "up", "served-2026", max_output=8192)
SCHEMA = b'{"type":"object","properties":{"order":{"type":"string"},"express":{"type":"boolean"}},"required":["order"]}'
WORDS = "I ordered two tents last week and only one of them has come so far; could you find out where the other one is? " * 4
CONVERSATION = Conversation(
    by="",
    turns=(
        Turn("system", (Text("You are the assistant of a shop for outdoor gear. Keep to the facts. " * 6),)),
        Turn("user", (Text(WORDS),)),
        Turn("assistant", (Text("Let me look."), ToolCall("call_1", "look_up", '{"order":"4711"}'))),
        Turn("tool", (ToolResult("call_1", (Text('{"parcels": 2, "delivered": 1}'),), "look_up"),)),
        Turn("assistant", (Text(WORDS),)),
        Turn("user", (Text(WORDS),)),
    ),
    tools=(ToolSpec("look_up", "Finds an order.", SCHEMA), ToolSpec("refund", "Pays an order back.", SCHEMA)),
    sampling=Sampling(max_tokens=1000, temperature=0.2),
)
USAGE = Usage(input=640, output=EVENTS)
COMPLETION = Completion("", "id-1", "served-2026", (CompletionChoice((Text(WORDS),), "stop"),), USAGE, 1_790_000_000)


def events() -> list[Event]:
    deltas = [PartDelta(0, f" word{index}") for index in range(EVENTS)]
    head: list[Event] = [Started("id-1", "served-2026", 1_790_000_000, Usage(640)), PartStarted(0, Text(""))]
    return [*head, *deltas, PartEnded(0), Finished("stop"), Counted(USAGE), Ended()]


def asked(dialect: Dialect, *, stream: bool) -> Request:
    """The conversation as a client of that dialect sends it."""
    conversation = msgspec.structs.replace(CONVERSATION, by=dialect.name, stream=stream)
    request = dialect.parse(dialect.render_body(conversation, MODEL).body)
    return msgspec.structs.replace(request, id="req-1", model="auto", stream=stream)


def spoken(dialect: Dialect) -> bytes:
    """An upstream's whole answer in that dialect."""
    return dialect.render_completion(COMPLETION, msgspec.structs.replace(asked(dialect, stream=False), model="served-2026"))


def streamed(dialect: Dialect) -> list[bytes]:
    """An upstream's stream in that dialect, each piece one write."""
    encoder = dialect.encoder(msgspec.structs.replace(asked(dialect, stream=True), model="served-2026"))
    return [piece for event in events() if (piece := encoder.encode(event))]


def feed(reader: object, pieces: Iterable[bytes]) -> None:
    take = reader.feed  # type: ignore[attr-defined]
    for piece in pieces:
        take(piece)
    reader.finished()  # type: ignore[attr-defined]


def works(client: Dialect, target: Dialect) -> tuple[Callable[[], object], Callable[[], object], Callable[[], object]]:
    """Request, answer and stream from `client` to `target` and back."""
    request, streaming = asked(client, stream=False), asked(client, stream=True)
    body, pieces = spoken(target), streamed(target)
    if client is target:
        return (
            lambda: client.upstream_body(request, MODEL),
            lambda: renamed(client.read_answer(request, body)[0], request.model),
            lambda: feed(client.reader(streaming), pieces),
        )
    translation = Translation(client, streaming, strict=False)
    return (
        lambda: Translation(client, request, strict=False).body(target, MODEL),
        lambda: Translation(client, request, strict=False).answer(target, body, ()),
        lambda: feed(translation.reader(target), pieces),
    )


def cpu(work: Callable[[], object], repeats: int) -> float:
    """CPU µs of one call."""
    started = time.process_time_ns()
    for _ in range(repeats):
        work()
    return (time.process_time_ns() - started) / repeats / 1000


def main(rounds: int = 15) -> None:
    dialects = all_dialects()
    pairs = {(client, target): works(dialects[client], dialects[target]) for client in dialects for target in dialects}
    taken: dict[tuple[str, str], list[tuple[float, float, float]]] = {pair: [] for pair in pairs}
    for _ in range(rounds):
        for pair, (request, answer, stream) in pairs.items():
            taken[pair].append((cpu(request, REPEATS), cpu(answer, REPEATS), cpu(stream, 5) / EVENTS))
    figures = {pair: tuple(map(statistics.median, zip(*rows, strict=True))) for pair, rows in taken.items()}
    table = Table("client", "upstream", "request µs", "answer µs", "event µs", title="CPU of translation (ratio to passing through)")
    for (client, target), figure in figures.items():
        base = figures[client, client]
        cells = [f"{value:.1f} ({value / own:.1f}×)" for value, own in zip(figure, base, strict=True)]
        table.add_row(client, target, *cells, style="bold" if client == target else "")
    Console(width=120).print(table)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
