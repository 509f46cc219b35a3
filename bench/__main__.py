"""`python -m bench [NAME…]`: every benchmark, or the named ones, each in a process of its own; each prints its own table.

python -m bench                  all of them
python -m bench decide zeroeval  two of them
python -m bench scorer intents   parts of one: what is no benchmark's name goes to the one before it
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
NAMES = (
    "start", "decide", "extract", "log", "validators", "overhead", "translate", "zeroeval", "normalise", "agreement", "overload",
    "small_model", "evaluate", "scorer", "asking", "replay", "sweep", "ship", "shadow",
    "telemetry", "pacing", "sensitivity", "experiments", "labels", "replicas", "watch", "dashboard", "discover",
)  # fmt: skip
"""Modules of this package that run on their own."""
WITH_PARTS = ("scorer",)
"""Those that take names of their parts."""


def machine() -> str:
    """The shape of this machine, for the head of a report."""
    return (
        f"{os.cpu_count()} CPUs, {platform.machine()}, {platform.system()}, {platform.python_implementation()} {platform.python_version()}"
    )


def main(names: Sequence[str]) -> int:
    """Run them in order; a failing one does not stop the rest. Returns the exit code."""
    asked: list[list[str]] = [] if names else [[name] for name in NAMES]
    for name in names:
        if name in NAMES:
            asked.append([name])
        elif asked and asked[-1][0] in WITH_PARTS:
            asked[-1].append(name)
        else:
            print(f"no benchmark called {name}: choose from {', '.join(NAMES)}", file=sys.stderr)
            return 2
    print(f"{time.strftime('%Y-%m-%d')} · {machine()}", flush=True)
    failed = []
    for name, *parts in asked:
        print(f"\n── {name} " + "─" * (70 - len(name)), flush=True)
        if subprocess.run([sys.executable, "-m", f"bench.{name}", *parts], check=False, cwd=ROOT).returncode:
            failed.append(name)
    if failed:
        print(f"\nfailed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
