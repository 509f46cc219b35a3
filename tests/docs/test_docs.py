"""Every fenced block of the README and of docs/ is run or checked, so that the documentation cannot rot.

yaml    a whole spec (it has `version:`) is checked as it stands; a fragment is laid over the demo's spec and checked then
python  runs in the folder of a running demo gateway
sh      every command runs in that folder; a block after `<!-- not run: reason -->` is checked by its names and options only
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from typer.testing import CliRunner

from tierline.cli.app import build
from tierline.config.load import check
from tierline.demo.drive import send_all
from tierline.demo.folder import write_demo
from tierline.demo.workload import generate
from tierline.testing.serving import serving

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
ADDRESS = "127.0.0.1:4100"
STRICT = 'set -euo pipefail; curl() { command curl --fail-with-body "$@"; }\n'
_FENCE = re.compile(r"(?:<!-- not run: (?P<why>[^>]+) -->\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    page: str
    line: int
    language: str
    text: str
    not_run: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(*languages: str) -> list[Block]:
    """In the order of the pages, so that a block may read what one before it has written."""
    return [block for page in PAGES for block in _blocks_of(page) if block.language in languages]


def _blocks_of(page: Path) -> Iterator[Block]:
    text = page.read_text()
    for match in _FENCE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield Block(str(page.relative_to(ROOT)), line, match["language"], match["text"], match["why"] or "")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder with the demo's spec as tierline.yaml, and the address of a gateway that serves it."""
    folder = tmp_path_factory.mktemp("docs")
    with serving(write_demo(folder)) as gateway:
        send_all(gateway.url, generate(40), 8, lambda _: None)
        yield folder, gateway.url.removeprefix("http://")


@pytest.mark.parametrize("block", blocks("yaml"), ids=str)
def test_every_yaml_block_is_a_valid_spec(block: Block, demo: tuple[Path, str], tmp_path: Path) -> None:
    folder, _ = demo
    written = yaml.safe_load(block.text)
    whole = written if "version" in written else _laid_over(yaml.safe_load((folder / "tierline.yaml").read_text()), written)
    path = tmp_path / "tierline.yaml"
    path.write_text(yaml.safe_dump(whole, sort_keys=False))
    assert [str(problem) for problem in check(path) if problem.severity == "error"] == []


def _laid_over(base: Any, top: Any) -> Any:
    if isinstance(base, Mapping) and isinstance(top, Mapping):
        return {key: _laid_over(base[key], top[key]) if key in base and key in top else {**base, **top}[key] for key in {**base, **top}}
    return top


@pytest.mark.parametrize("block", [b for b in blocks("sh", "python") if not b.not_run], ids=str)
def test_every_block_runs(block: Block, demo: tuple[Path, str]) -> None:
    folder, address = demo
    text = block.text.replace(ADDRESS, address)
    command = ["bash", "-c", STRICT + text] if block.language == "sh" else [sys.executable, "-W", "error", "-c", text]
    done = subprocess.run(command, check=False, cwd=folder, env=_environment(), capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("block", [b for b in blocks("sh") if b.not_run], ids=str)
def test_what_is_not_run_still_exists(block: Block) -> None:
    commands = [line for line in block.text.splitlines() if line and not line.startswith("#")]
    assert commands
    for command in commands:
        words = command.split("#")[0].split()
        if words[0] == "make":
            assert re.search(rf"^{re.escape(words[1])}:", (ROOT / "Makefile").read_text(), re.MULTILINE), command
        elif words[0] == "tierline":
            named = [word for word in words[1:3] if not word.startswith("-")]  # a command, and where it is a group one of its own
            help_text = CliRunner().invoke(build(named[:1]), [*named, "--help"], env={"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"})
            assert help_text.exit_code == 0, command
            for option in (word.split("=")[0] for word in words if word.startswith("--")):
                assert option in help_text.output, f"{command}: no option {option}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_within_the_repository_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
        if not re.match(r"[a-z]+://", target):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize(("index", "folder"), [("README.md", "docs/how-to"), ("docs/decisions/README.md", "docs/decisions")])
def test_every_page_is_found_from_its_index(index: str, folder: str) -> None:
    listed = (ROOT / index).read_text()
    pages = [page.name for page in (ROOT / folder).glob("*.md") if page.name != "README.md"]
    assert pages
    assert [name for name in pages if f"{name})" not in listed] == []


def _environment() -> dict[str, str]:
    """The commands of this environment first; wide and plain output, so that options are not cut in help texts."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}
