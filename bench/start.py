"""From nothing to ready: how long the gateway takes to start, and what it holds when idle. `python -m bench start`."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tierline.demo.folder import write_demo
from tierline.testing.serving import serving


def resident(pid: int) -> float:
    """MB of resident memory of a process and of those it has started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096 / 1e6 + sum(resident(int(child)) for child in children)


def importing() -> float:
    """Milliseconds of `import tierline` in a fresh interpreter, the interpreter's own start taken off."""
    return 1000 * (_ran("import tierline") - _ran("pass"))


def _ran(code: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - began


def main(rounds: int = 7) -> None:
    """Measure and print medians."""
    ready, memory = [], []
    with tempfile.TemporaryDirectory() as temporary:
        spec = write_demo(Path(temporary))
        for _ in range(rounds):
            with serving(spec) as gateway:
                ready.append(gateway.started_in)
                memory.append(resident(gateway.pid))
    table = Table("what", "median", "worst", title=f"the demo's spec, {rounds} starts", title_justify="left")
    table.add_row("start to ready, s", f"{statistics.median(ready):.2f}", f"{max(ready):.2f}")
    table.add_row("resident when idle, MB", f"{statistics.median(memory):.0f}", f"{max(memory):.0f}")
    imports = [importing() for _ in range(rounds)]
    table.add_row("import tierline, ms", f"{statistics.median(imports):.0f}", f"{max(imports):.0f}")
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
