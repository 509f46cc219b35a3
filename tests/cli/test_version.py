"""The version command."""

from __future__ import annotations

import subprocess
import sys


def test_version_names_the_package() -> None:
    done = subprocess.run([sys.executable, "-m", "tierline", "version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("tierline ")
