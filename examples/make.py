"""Makes what the worked examples hold beside their specs: python make.py [NAME ...]

    workload.jsonl   requests as clients would send them, with the second at which each arrives
    answers.csv      every model's answer to each of them: right or not, USD, seconds, tokens; `tierline evaluate` and `estimate --data` read it
    worksheet.csv    the worksheet that `tierline estimate` fills in from the two

The same files for the same words, seed and spec. `--truth` prints the pass rates of another day instead: what a team would have counted before.
"""

import argparse
import asyncio
import csv
import io
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from tierline.config.load import load
from tierline.config.loaded import Loaded
from tierline.demo.workload import Phrasebook
from tierline.evaluation.datasets import Reading, read
from tierline.evaluation.estimate.fill import worksheet_of
from tierline.evaluation.estimate.from_requests import from_requests
from tierline.evaluation.estimate.from_table import from_table
from tierline.evaluation.estimate.mixed import mixed
from tierline.evaluation.estimate.sheet import to_csv
from tierline.evaluation.routers.spec import SpecRouter
from tierline.evaluation.simulate.workload import of_file
from tierline.providers.script import Script, draw
from tierline.providers.scripted import ScriptedProvider
from tierline.routing.router import Router
from tierline.types.wire import Call

HERE = Path(__file__).parent
NAMES = ("support_triage", "retrieval_assistant", "batch_extraction", "expert_assistant")
COUNT = 240
RATE = 4.0
"""Requests a second."""

Line = dict[str, Any]


def workload(folder: Path, seed: int = 1, count: int = COUNT) -> list[Line]:
    """The requests of one day: tasks in their shares, shuffled. `kind` is what a person would call each; the router never sees it."""
    dice = random.Random(seed)  # noqa: S311  # words, not secrets
    book = msgspec.yaml.decode((folder / "phrases.yaml").read_bytes(), type=Phrasebook)
    prompts = [book.prompt(family, dice) for family in book.families for _ in range(round(count * family.share))]
    dice.shuffle(prompts)
    at, lines = 0.0, []
    for number, prompt in enumerate(prompts):
        at += dice.expovariate(RATE)
        lines.append({"id": f"{folder.name}-{number:03}", "at": round(at, 3), "kind": prompt.family, **prompt.body()})
    return lines


async def answers(loaded: Loaded, lines: list[Line]) -> list[Line]:
    """Every model of the fleet on every request, its failures and its waiting left out; the prompt stands in the first row of each."""
    rows = []
    scripts = {name: _flawless(endpoint.script) for name, endpoint in loaded.providers.items()}
    providers = {
        name: ScriptedProvider(msgspec.structs.replace(endpoint, script={**scripts[name], "latency": "none"}))
        for name, endpoint in loaded.providers.items()
    }
    for line in lines:
        text = line["messages"][-1]["content"]
        for place, model in enumerate(loaded.models.values()):
            script = Script.of(scripts[model.provider])
            body = {key: value for key, value in line.items() if key in ("messages", "response_format")} | {"model": model.upstream}
            call = Call(model, "chat", "/chat/completions", json.dumps(body).encode(), request_id=line["id"])
            usage = json.loads(await (await providers[model.provider].send(call)).body())["usage"]
            behaviour = script.behaviour(model.upstream)
            assert behaviour is not None
            sway = 1 + (2 * draw(script.seed, "jitter", model.upstream, line["id"]) - 1) * behaviour.jitter
            tokens_in, tokens_out = usage["prompt_tokens"], usage["completion_tokens"]
            rows.append({
                "query_id": line["id"], "task": line["kind"], "query": "" if place else text, "model": model.name,
                "score": int(script.is_able(model.upstream, text, line["id"])),
                "cost_usd": f"{model.price.cost(tokens_in, tokens_out):.8f}",
                "latency": f"{(behaviour.ttft * sway + tokens_out / behaviour.tokens_per_second):.3f}",
                "input_tokens": tokens_in, "output_tokens": tokens_out,
            })  # fmt: skip
    return rows


def files(folder: Path, into: Path) -> Iterator[tuple[str, str]]:
    """Name and text of each file; those that later ones are made from are written to `into` on the way."""
    loaded = load(folder / "tierline.yaml", need_secrets=False)
    lines = workload(folder)
    yield _written(into, "workload.jsonl", "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    yield _written(into, "answers.csv", _csv(asyncio.run(answers(loaded, lines))))
    router, table = Router(loaded), read([into / "answers.csv"], Reading(sparse=True)).table
    known = [
        from_table(table, SpecRouter(loaded).matched(table.models), "answers.csv"),
        from_requests(router, of_file(router, into / "workload.jsonl"), "workload.jsonl"),
    ]
    yield _written(into, "worksheet.csv", to_csv(worksheet_of(loaded, mixed(known))))


def truth(folder: Path) -> None:
    """Pass rates, tokens and seconds of another day, by task and model."""
    loaded = load(folder / "tierline.yaml", need_secrets=False)
    rows = asyncio.run(answers(loaded, workload(folder, seed=2, count=1000)))
    for task in dict.fromkeys(row["task"] for row in rows):
        for model in loaded.models:
            mine = [row for row in rows if row["task"] == task and row["model"] == model]
            mean = {
                name: sum(float(row[name]) for row in mine) / len(mine) for name in ("score", "input_tokens", "output_tokens", "latency")
            }
            print(f"{folder.name:20} {task:16} {model:8} " + "  ".join(f"{name} {value:.2f}" for name, value in mean.items()))


def _flawless(script: Any) -> dict[str, Any]:
    models = {name: {key: value for key, value in behaviour.items() if key != "fail"} for name, behaviour in script["models"].items()}
    return {**script, "models": models}


def _csv(rows: list[Line]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _written(into: Path, name: str, text: str) -> tuple[str, str]:
    (into / name).write_text(text, encoding="utf-8")
    return name, text


def main() -> None:
    """The named examples, or all of them."""
    options = argparse.ArgumentParser(description="Makes the workload, the answers and the worksheet of the worked examples.")
    options.add_argument("names", nargs="*", default=NAMES)
    options.add_argument("--truth", action="store_true", help="print pass rates of another day")
    asked = options.parse_args()
    for name in asked.names:
        if asked.truth:
            truth(HERE / name)
        else:
            for written, _ in files(HERE / name, HERE / name):
                print(HERE / name / written)


if __name__ == "__main__":
    main()
