"""`python -m bench scorer [PART…]`: every row that the scorer is held to, with what was reached and the goal, or only the named parts.

python -m bench scorer                  all of them: about an hour on one core
python -m bench scorer intents speed    two of them
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Sequence

from rich.console import Console

from bench.scorer.lines import Line, show

PARTS = ("pairs", "ulab", "many", "cascade", "target", "calibration", "intents", "perturbed", "labels", "elsewhere", "speed")


def main(names: Sequence[str] = ()) -> int:
    """Run them in order and print one table at the end; a goal that is missed is said, and is no failure of the run."""
    if unknown := [name for name in names if name not in PARTS]:
        print(f"no part called {', '.join(unknown)}: choose from {', '.join(PARTS)}", file=sys.stderr)
        return 2
    console = Console(width=170)
    found: list[Line] = []
    for name in names or PARTS:
        began = time.perf_counter()
        lines = importlib.import_module(f"bench.scorer.{name}").lines(console)
        console.print(f"{name}: {time.perf_counter() - began:.0f} s", style="dim")
        found.extend(lines)
    show(console, found)
    return 0
