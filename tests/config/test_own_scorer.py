"""A scorer of another package, by its entry point: found, given its options, held to the laws, and at work in a gateway."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from server.harness import serving

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "own_scorer"
HOW_TO = ROOT / "docs" / "how-to" / "write-a-scorer.md"

PACKAGE = """
from tierline.types.scores import Scores

class Plain:
    name = "plain"

    def __init__(self, loaded, abstain_below):
        self.abstain_below = abstain_below

    def score(self, request, features):
        return Scores(difficulty=self.abstain_below, by=self.name)

    def score_many(self, pairs):
        return [self.score(*pair) for pair in pairs]

class Broken(Plain):
    def __init__(self, loaded, abstain_below):
        raise KeyError("no such weight")
"""

LAWS = """
from tierline.config.load import load
from tierline.config.scorers import scorers_of
from tierline.testing import builders
from tierline.testing.checks import check_scorer
from tierline.types.request import Message, Request, Text

scorer = scorers_of(load({spec!r}))["auto"]
words = ("Prove it.", "Hello, thanks!", "Why?", "compare the contract")
requests = [Request("r", "openai_chat", "auto", (Message("user", (Text(text),)),)) for text in words]
check_scorer(scorer, [(request, builders.features()) for request in requests])
print(scorer.name, *[scorer.score(request, builders.features()).difficulty for request in requests])
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A path on which the example package, and one more, are installed with their metadata."""
    folder = tmp_path_factory.mktemp("installed")
    shutil.copy(EXAMPLE / "own_scorer.py", folder)
    (folder / "others.py").write_text(PACKAGE)
    entries = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]["entry-points"]["tierline.scorers"]
    named = {"own": entries, "others": {"plain": "others:Plain", "broken": "others:Broken", "gone": "nowhere:Gone"}}
    for package, points in named.items():
        metadata = folder / f"{package}-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text("\n".join(["[tierline.scorers]", *[f"{name} = {at}" for name, at in points.items()]]))
    return str(folder)


def run(installed: str, *arguments: str, code: int = 0) -> str:
    environment = {**os.environ, "PYTHONPATH": installed, "NO_COLOR": "1", "COLUMNS": "300"}
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def spec(folder: Path, scorer: str) -> Path:
    path = folder / "tierline.yaml"
    text = (EXAMPLE / "tierline.yaml").read_text()
    line = next(line for line in text.splitlines() if "scorer:" in line)
    path.write_text(text.replace(line, f"    scorer: {scorer}"))
    shutil.copy(EXAMPLE / "weights.json", folder)
    return path


def test_the_example_is_found_by_its_entry_point_and_keeps_the_laws(installed: str) -> None:
    assert "fine" in run(installed, "-m", "tierline", "check", str(EXAMPLE / "tierline.yaml"))
    told = run(installed, "-c", LAWS.format(spec=str(EXAMPLE / "tierline.yaml"))).split()
    assert told[0] == "threshold"
    hard, easy, why, contract = map(float, told[1:])
    assert easy < why < hard and contract > 0.5


def test_the_example_routes_in_a_gateway(installed: str, tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "own")
    with serving(tmp_path / "own" / "tierline.yaml", PYTHONPATH=installed) as gateway:
        asked = {words: gateway.chat(messages=[{"role": "user", "content": words}]) for words in ("Hello, thanks", "Please prove it")}
        assert [said.headers["x-tierline-model"] for said in asked.values()] == ["weak", "strong"]
        row = gateway.record(asked["Please prove it"].headers["x-tierline-decision"])
        assert (row.scores.by, row.scores.abstained) == ("threshold", False)


OPTIONS = {
    "{kind: threshold}": "",
    "{kind: threshold, options: {unsure: a lot}}": "scorer.options.unsure: expected a number, got 'a lot'",
    "{kind: threshold, options: {unsrue: 0.1}}": "scorer.options.unsrue: unknown key 'unsrue' → did you mean 'unsure'?",
    "{kind: threshold, artifact: nowhere.json}": "scorer.artifact: nowhere.json is no file",
    "{kind: thresold}": "scorer.kind: there is no scorer 'thresold' → did you mean 'threshold'?",
    "{kind: plain}": "",
    "{kind: plain, options: {a: 1}}": "scorer.options: the scorer 'plain' has no options",
    "{kind: gone}": "cannot be imported",
}


@pytest.fixture(scope="module")
def checked(installed: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What `check` says of a spec with each of these scorers."""
    specs = {scorer: str(spec(tmp_path_factory.mktemp("spec"), scorer)) for scorer in OPTIONS}
    program = (
        "import json\nfrom tierline.config.load import check\n"
        f"print(json.dumps({{name: ' '.join(map(str, check(path))) for name, path in {specs!r}.items()}}))"
    )
    found: dict[str, str] = json.loads(run(installed, "-c", program))
    return found


@pytest.mark.parametrize(("scorer", "said"), OPTIONS.items())
def test_its_options_are_held_against_what_it_takes(checked: dict[str, str], scorer: str, said: str) -> None:
    assert said in checked[scorer] if said else not checked[scorer]


def test_one_that_cannot_be_made_says_so_and_does_not_fall_over(installed: str, tmp_path: Path) -> None:
    program = (
        "from tierline.config.load import load\nfrom tierline.config.scorers import scorers_of\n"
        "from tierline.types.errors import TierlineError\n"
        f"try: scorers_of(load({str(spec(tmp_path, '{kind: broken}'))!r}))\nexcept TierlineError as error: print(error.message)"
    )
    assert "the scorer 'broken' cannot be made: KeyError: 'no such weight'" in run(installed, "-c", program)


def test_the_how_to_shows_the_example_as_it_is() -> None:
    page = HOW_TO.read_text()
    for name in ("own_scorer.py", "pyproject.toml"):
        assert (EXAMPLE / name).read_text().strip() in page or name == "pyproject.toml"
    entry = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]["entry-points"]["tierline.scorers"]
    assert f'threshold = "{entry["threshold"]}"' in page
    routes = (EXAMPLE / "tierline.yaml").read_text().partition("routes:\n")[2]
    assert routes.strip() in page
    assert json.dumps(json.loads((EXAMPLE / "weights.json").read_text())) in page
