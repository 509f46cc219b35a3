"""Codex CLI over Responses. It always streams; its own output tells only whole items."""

import json
from pathlib import Path

import command
import told

CONFIG = f"""
model = "{told.MODEL}"
model_provider = "gateway"
[model_providers.gateway]
name = "gateway"
base_url = "{told.GATEWAY}/v1"
env_key = "GATEWAY_KEY"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0
"""


def _items(prompt: str, work: Path, home: Path) -> list[dict[str, object]]:
    Path(home, "config.toml").write_text(CONFIG)
    codex = str(command.ENVIRONMENT / "node_modules" / ".bin" / "codex")
    asked = [codex, "exec", "--json", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", prompt]
    wrote = command.run(asked, work, {"HOME": str(home), "CODEX_HOME": str(home), "GATEWAY_KEY": told.KEY})
    events = [json.loads(line) for line in wrote.splitlines() if line.startswith("{")]
    assert any(event["type"] == "turn.completed" for event in events), f"no turn was completed: {events[-1]}"
    return [event["item"] for event in events if event["type"] == "item.completed"]


def chat() -> None:
    with command.folders() as (work, home):
        items = _items(told.HELLO, work, home)
    assert any(item["type"] == "agent_message" and item["text"] for item in items), f"no words: {items}"


def tools() -> None:
    with command.folders() as (work, home):
        items = _items("Run the command that writes a file.", work, home)
        made = Path(work, "made-by-a-tool.txt").is_file()
    kinds = [item["type"] for item in items]
    assert "command_execution" in kinds, f"no command was run: {items}"
    assert made, f"the command made no file: {items}"
    assert kinds[-1] == "agent_message", f"no words after the command: {items[-1]}"


told.tell(chat=chat, tools=tools)
