"""An environment of its own for each client and each mock, below `.clients/`, made when it is first needed."""

from __future__ import annotations

import fcntl
import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Literal

FOLDER = Path(__file__).parents[1] / ".clients"


class NotInstalled(RuntimeError):
    """The packages of an environment could not be installed; the message holds the last line that the installer wrote."""


class Environment:
    """A virtual environment or an npm folder, with the version of its first package."""

    def __init__(self, name: str, kind: Literal["python", "node"], packages: tuple[str, ...]) -> None:
        self.folder = FOLDER / name
        self._kind, self._packages = kind, packages

    @property
    def python(self) -> Path:
        """The interpreter of a Python environment."""
        return self.folder / "bin" / "python"

    def tool(self, name: str) -> Path:
        """A command that its packages brought."""
        return self.folder / ("bin" if self._kind == "python" else "node_modules/.bin") / name

    @property
    def version(self) -> str:
        """The installed version of the first package."""
        package = re.split(r"[<>=@\[]", self._packages[0].removeprefix("@"))[0]
        if self._kind == "node":
            scope = "@" if self._packages[0].startswith("@") else ""
            found: str = json.loads((self.folder / "node_modules" / f"{scope}{package}" / "package.json").read_text())["version"]
            return found
        site = next((self.folder / "lib").glob("python3*/site-packages"))
        wanted = package.lower().replace("_", "-")
        for distribution in importlib.metadata.distributions(path=[str(site)]):
            if distribution.metadata["Name"].lower().replace("_", "-") == wanted:
                return distribution.version
        raise NotInstalled(f"{package} is not in {self.folder}")

    def ready(self) -> None:
        """Install what is wanted, unless just that has been installed before; one process at a time does it. Raises NotInstalled."""
        FOLDER.mkdir(exist_ok=True)
        with (FOLDER / f"{self.folder.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._install()

    def _install(self) -> None:
        stamp = self.folder / ".installed"
        if stamp.is_file() and stamp.read_text() == "\n".join(self._packages):
            return
        print(f"installing {', '.join(self._packages)} into {self.folder.name} ...", flush=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        try:
            if self._kind == "python":
                _run([sys.executable, "-m", "venv", str(self.folder)])
                _run([str(self.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *self._packages])
            else:
                (self.folder / "package.json").write_text('{"private": true, "type": "module"}\n')
                _run(["npm", "install", "--no-audit", "--no-fund", "--legacy-peer-deps", *self._packages], self.folder)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NotInstalled(str(error)) from error
        stamp.write_text("\n".join(self._packages))


def _run(command: list[str], folder: Path | None = None) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=900)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()[-1]
        raise NotInstalled(f"{command[0]} ended with {done.returncode}: {last}")
