"""What the commands say people something on: the terminal, its progress bars, the time of day, and the one line of a refusal."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.segment import Segment

from tierline.types.errors import TierlineError

Advance = Callable[[int], None]
"""Called with the number of rows done since the last call."""

PLAIN_WIDTH = 140
"""Columns of tables that go to a file or a pipe."""


_TURNS = (0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_MOVES = (*range(0x0A), *range(0x0B, 0x20), *range(0x7F, 0xA0))
_ACTS = dict.fromkeys((*_MOVES, *_TURNS), "\N{REPLACEMENT CHARACTER}")
"""Characters that move a cursor, colour a terminal or turn the order of text."""


class Screen(Console):
    """A terminal on which the words of clients and operators stand and do nothing: what would act on it is shown as a mark."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """As the console renders, without what acts."""
        for segment in super().render(renderable, options):
            if segment.control or segment.text.isprintable():
                yield segment
            else:
                yield Segment(segment.text.translate(_ACTS), segment.style)


def terminal(*, errors: bool = False, width: int = PLAIN_WIDTH) -> Console:
    """The terminal, or plain text of a fixed width where there is none; `errors`: on the error stream."""
    found = Screen(stderr=errors)
    return found if found.is_terminal else Screen(stderr=errors, width=width)


@contextmanager
def progressing(console: Console, what: str, total: int | None) -> Iterator[Advance]:
    """A bar on a terminal, nothing elsewhere."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=total)
        yield lambda rows: progress.advance(task, rows)


@contextmanager
def refusing(command: str) -> Iterator[None]:
    """What is wrong with what the command was given is said on one line of the error stream, with exit code 2."""
    try:
        yield
    except BrokenPipeError:
        raise  # who reads the output has enough of it; nothing was wrong
    except (TierlineError, OSError, ValueError) as error:
        typer.echo(f"tierline {command}: {error}", err=True)
        raise typer.Exit(2) from None


def local_time(at: float) -> str:
    """Unix time as the clock on the wall: `2026-11-22 08:30:00`."""
    return datetime.datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")
