"""How the checks run a client that is a command: in an empty folder, with a home of its own and nothing of this environment."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ENVIRONMENT = Path(os.environ["TIERLINE_ENVIRONMENT"])


def run(command: list[str], folder: Path, environ: dict[str, str], within: float = 150.0) -> str:
    """What the command wrote; raises RuntimeError with its last words where it failed. `within` is in seconds."""
    said = subprocess.run(
        command,
        cwd=folder,
        env={"PATH": os.environ["PATH"], **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=within,
        check=False,
    )
    if said.returncode:
        words = (said.stderr.strip() + "\n" + said.stdout.strip()).strip().splitlines()
        raise RuntimeError(f"exit code {said.returncode}: {' '.join(words[-2:])}")
    return said.stdout


@contextmanager
def folders() -> Iterator[tuple[Path, Path]]:
    """An empty working folder and an empty home, beside the client and not below the system's temporary folder."""
    with tempfile.TemporaryDirectory(dir=ENVIRONMENT, prefix="run-") as base:
        work, home = Path(base, "work"), Path(base, "home")
        work.mkdir()
        home.mkdir()
        yield work, home
