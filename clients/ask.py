"""One check of one client against one model of the gateway, in a process of the client's own environment."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

from clients.environments import FOLDER, Environment
from clients.roster import Client

CHECKS = Path(__file__).with_name("checks")
KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE")


def ask(client: Client, environment: Environment, gateway: str, model: str, features: list[str], interpreter: str) -> dict[str, str]:
    """What came of each feature: ok, or what went wrong.

    `gateway` is its URL without `/v1`; `interpreter` runs checks of clients that are commands, which need nothing of their own."""
    environ = {name: os.environ[name] for name in KEPT if name in os.environ}
    environ |= {"TIERLINE_GATEWAY": gateway, "TIERLINE_MODEL": model, "TIERLINE_FEATURES": ",".join(features)}
    environ["TIERLINE_ENVIRONMENT"] = str(environment.folder)
    environ["PYTHONDONTWRITEBYTECODE"] = "1"
    command = [_interpreter(client, environment, interpreter), str(_script(client, environment))]
    try:
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=600)
    except subprocess.TimeoutExpired:
        return dict.fromkeys(features, "the check took longer than 600 s")
    try:
        told = json.loads(done.stdout.strip().splitlines()[-1])
        return {feature: str(told[feature]).replace(str(FOLDER.parent), "") for feature in features}
    except (IndexError, ValueError, KeyError, TypeError):
        words = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()[-1]
        return dict.fromkeys(features, f"the check ended with exit code {done.returncode}: {words[:400]}")


def _interpreter(client: Client, environment: Environment, interpreter: str) -> str:
    if client.check.endswith(".mjs"):
        return "node"
    return str(environment.python) if client.kind == "python" else interpreter


def _script(client: Client, environment: Environment) -> Path:
    """The check; one in JavaScript is copied beside the packages, which node looks for from the script's own folder upwards."""
    if not client.check.endswith(".mjs"):
        return CHECKS / client.check
    for script in CHECKS.glob("*.mjs"):
        shutil.copy(script, environment.folder / script.name)
    return environment.folder / client.check
