"""Where the demo lives on disk: its spec, and the decision log beside it."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

LOG = "demo.db"


def write_demo(folder: Path) -> Path:
    """Writes the embedded spec to `folder`/tierline.yaml, removes the log of an earlier demo there, and returns the spec's path."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob(f"{LOG}*"):
        old.unlink()
    path = folder / "tierline.yaml"
    path.write_bytes(resources.files("tierline.demo").joinpath("fleet.yaml").read_bytes())
    return path
