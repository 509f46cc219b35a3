"""The loop that gets labels, end to end: traffic through a gateway, feedback over HTTP, shadows judged, a judge held to account, a scorer
trained on the log, and the gateway that serves by it.

`python -m bench labels`. Questions and answers are zeroeval's, recorded; everything goes to the cheap model, and most of it to the dear one
beside (`shadow`). What is made up is who speaks, and it is said how: end users accept or refuse four answers of five and are right in 85 %;
a team labels 300 answers; a judge over HTTP names the better of two answers in 92 % of those that differ, and tosses a coin over the
others; a second judge names what it sees first more often than not. Neither they nor the scorer see the questions of the last part."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from bench.zeroeval import FLEET, TASK_OF, TASKS, Answered, Question, ask_all, questions, table_path, write_table
from tierline.testing.serving import serving

CHEAP, DEAR = "mini", "sonnet"
TRAFFIC, KNOWN = 1_100, 400
USERS, TEAM = 0.8, 300
RIGHT = {"users": 0.85, "judge": 0.92}
SWAY = 0.6
"""How often the second judge names what it sees first, without looking."""


class Judges(ThreadingHTTPServer):
    """An upstream that compares: it knows how good each answer is, and is wrong as often as said."""

    daemon_threads = True

    def __init__(self, asked: Sequence[Question]) -> None:
        super().__init__(("127.0.0.1", 0), _Compare)
        self.scores = {q.answers[name].strip(): q.scores[name] for q in asked for name in (CHEAP, DEAR)}


class _Compare(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Judges

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        prompt = body["messages"][-1]["content"]
        first, second = (found.strip() for found in re.findall(r"<answer \d>\n(.*?)\n</answer \d>", prompt, re.DOTALL))
        best = self._best(body["model"], first, second)
        message = {"role": "assistant", "content": json.dumps({"best": best})}
        usage = {"prompt_tokens": len(prompt) // 4, "completion_tokens": 8, "total_tokens": len(prompt) // 4 + 8}
        told = {"id": "j", "object": "chat.completion", "created": 1, "model": body["model"], "usage": usage,
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}  # fmt: skip
        data = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _best(self, model: str, first: str, second: str) -> int:
        pair = "|".join(sorted((first, second)))
        dice = random.Random(f"{model}{pair}")
        better = self.server.scores[first] - self.server.scores[second]
        if better == 0:
            wins = sorted((first, second))[dice.random() < 0.5]
        else:
            right = dice.random() < RIGHT["judge"]
            wins = first if (better > 0) == right else second
        if model == "swayed" and random.Random(f"{first}{second}").random() < SWAY:
            return 1
        return 1 if wins == first else 2

    def log_message(self, *_: Any) -> None:
        """It says nothing."""


@contextmanager
def judging(asked: Sequence[Question]) -> Iterator[str]:
    """The judges' address."""
    server = Judges(asked)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def spec(folder: Path, judges: str, *, scorer: bool) -> Path:
    """Everything to the cheap model with shadows of the dear one; or, with `scorer`, as it finds."""
    models: dict[str, Any] = {
        name: {"provider": "recorded", "model": FLEET[name][0], "tier": FLEET[name][1], "context": 128_000,
               "price": {"input": FLEET[name][2], "output": FLEET[name][3]}}
        for name in (CHEAP, DEAR)
    }  # fmt: skip
    for judge in ("fair", "swayed"):
        models[judge] = {"provider": "judges", "tier": "judges", "price": {"input": 1, "output": 1}, "context": 128_000}
    route: dict[str, Any] = {"deadline": "30s", "log_text": "all"}
    if scorer:
        route["scorer"] = {"kind": "linear", "artifact": "scorer.tl"}
    else:
        route["rules"] = [{"when": "true", "use": [CHEAP], "why": "cheap until there is evidence"}]
        route["shadow"] = {"models": [DEAR], "share": 0.8, "judge": "fair", "max_cost_per_day": 100}
    path = folder / ("learned.yaml" if scorer else "tierline.yaml")
    path.write_text(
        yaml.safe_dump(
            {
                "version": 1,
                "providers": {
                    "recorded": {"kind": "recorded", "table": str(folder.resolve() / "answers.parquet")},
                    "judges": {"dialect": "openai_chat", "base_url": judges},
                },
                "models": models,
                "tiers": ["judges", "fast", "best"],
                "tasks": {name: {**task, "models": [CHEAP, DEAR]} for name, task in TASKS.items()},
                "routes": {"auto": route},
                "decision_log": {"path": "learned.db" if scorer else "tierline.db"},
            },
            sort_keys=False,
        )
    )
    return path


def tierline(folder: Path, *words: str) -> str:
    """One command, as a person types it; what it prints."""
    print("$ tierline " + " ".join(words), flush=True)
    command = [sys.executable, "-m", "tierline", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # our own command
    print(done.stdout + done.stderr, flush=True)
    if done.returncode > 1:
        raise SystemExit(f"tierline {words[0]} ended with {done.returncode}")
    return done.stdout


def feedback(url: str, answered: Sequence[Answered]) -> int:
    """Most users say whether they take the answer, and are right as often as said."""
    said = 0
    for one in answered:
        dice = random.Random(f"user {one.question.id}")
        if dice.random() < USERS:
            right = one.question.scores[one.model] >= 0.5
            accept = right if dice.random() < RIGHT["users"] else not right
            body = json.dumps({"decision": one.decision, "accept": accept, "kind": "user"}).encode()
            with urllib.request.urlopen(f"{url}/v1/feedback", body) as told:  # our own gateway on loopback
                said += told.status == 200
    return said


def write_lines(path: Path, rows: Sequence[object]) -> None:
    """JSON, a line each."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def known(path: Path, asked: Sequence[Question]) -> None:
    """Answers of both models to questions of their own, with their scores: what `tierline collect --grade reference` writes."""
    write_lines(
        path,
        [
            {"query": q.text, "task": TASK_OF[q.dataset], "model": name, "response": q.answers[name], "score": q.scores[name]}
            for q in asked
            for name in (CHEAP, DEAR)
        ],
    )


def held_out(console: Console, path: Path, asked: Sequence[Question]) -> None:
    """The last questions through the gateway that serves by the scorer, beside each model alone and a mix of the same cost."""
    with serving(path) as gateway:
        answered = asyncio.run(ask_all(gateway.url, asked, 8))
    quality = statistics.fmean(a.question.scores[a.model] for a in answered)
    cost = statistics.fmean(a.cost for a in answered)
    alone = {
        name: (statistics.fmean(q.scores[name] for q in asked), statistics.fmean(q.costs[name] for q in asked)) for name in (CHEAP, DEAR)
    }
    share = (cost - alone[CHEAP][1]) / (alone[DEAR][1] - alone[CHEAP][1])
    mix = alone[CHEAP][0] + share * (alone[DEAR][0] - alone[CHEAP][0])
    console.print(f"{len(asked)} questions that nobody had seen, through the gateway with {path.name}:")
    for name, (good, usd) in alone.items():
        console.print(f"  {name} alone: quality {good:.4f}, {1000 * usd:.3f} USD a thousand")
    to_dear = sum(a.model == DEAR for a in answered) / len(answered)
    console.print(
        f"  by the scorer: quality {quality:.4f}, {1000 * cost:.3f} USD a thousand, {to_dear:.0%} to {DEAR}; mix of its cost {mix:.4f}"
    )


def main() -> None:
    """Everything, one after another."""
    console = Console(width=150, highlight=False)
    source = table_path()
    if source is None:
        raise SystemExit("zeroeval.parquet is not there: set TIERLINE_DATA to the folder that holds it")
    every = questions(source)
    traffic, others, last = every[:TRAFFIC], every[TRAFFIC : TRAFFIC + KNOWN], every[TRAFFIC + KNOWN :]
    with tempfile.TemporaryDirectory() as temporary, judging(every) as judges:
        folder = Path(temporary)
        write_table(folder / "answers.parquet", every, source)
        path = spec(folder, judges, scorer=False)
        with serving(path) as gateway:
            answered = asyncio.run(ask_all(gateway.url, traffic, 2))
            said = feedback(gateway.url, answered)
        console.print(f"{len(answered)} requests, {said} pieces of feedback over HTTP")
        team = sorted(answered, key=lambda one: hashlib.sha256(f"team {one.question.id}".encode()).digest())[:TEAM]
        rows = [{"request_id": one.decision, "score": one.question.scores[one.model]} for one in team]
        write_lines(folder / "golden.jsonl", rows)
        known(folder / "known.jsonl", others)
        tierline(folder, "labels", "import", "golden.jsonl", "--log", "tierline.db")
        tierline(folder, "labels", "--log", "tierline.db")
        tierline(folder, "train", "--log", "tierline.db", "--out", "before.tl")
        held = ("--data", "known.jsonl", "--way", "pairs", "--most", "1000", "--budget", "5")
        judge = ("labels", "judge", "--spec", "tierline.yaml", "--log", "tierline.db", *held)
        tierline(folder, *judge, "--judge", "swayed")
        tierline(folder, *judge, "--judge", "fair")
        tierline(folder, "labels", "--log", "tierline.db")
        tierline(folder, "train", "--log", "tierline.db", "--out", "scorer.tl")
        tierline(folder, "train", "--card", "scorer.tl")
        held_out(console, spec(folder, judges, scorer=True), last)


if __name__ == "__main__":
    main()
