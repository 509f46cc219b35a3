"""Claude Code over Anthropic Messages."""

import json
from pathlib import Path

import command
import told

QUIET = {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1", "DISABLE_TELEMETRY": "1"}
MODELS = dict.fromkeys(("ANTHROPIC_SMALL_FAST_MODEL", "ANTHROPIC_DEFAULT_HAIKU_MODEL"), told.MODEL)


def _events(prompt: str, work: Path, home: Path, *more: str) -> list[dict[str, object]]:
    claude = str(command.ENVIRONMENT / "node_modules" / ".bin" / "claude")
    asked = [
        claude,
        "-p",
        prompt,
        "--model",
        told.MODEL,
        "--output-format",
        "stream-json",
        "--verbose",
        "--include-partial-messages",
        *more,
    ]
    environ = {"HOME": str(home), "ANTHROPIC_API_KEY": told.KEY, "ANTHROPIC_BASE_URL": told.GATEWAY, **QUIET, **MODELS}
    events = [json.loads(line) for line in command.run(asked, work, environ).splitlines() if line.startswith("{")]
    last = events[-1]
    assert last["type"] == "result" and not last["is_error"], f"it ended with {last.get('result') or last}"
    return events


def chat() -> None:
    with command.folders() as (work, home):
        assert _events(told.HELLO, work, home, "--tools", "")[-1]["result"], "an empty text"


def stream() -> None:
    with command.folders() as (work, home):
        events = _events(told.HELLO, work, home, "--tools", "")
    deltas = [event["event"].get("delta", {}) for event in events if event["type"] == "stream_event"]
    told.streamed([delta["text"] for delta in deltas if delta.get("type") == "text_delta"], events[-1]["result"])


def tools() -> None:
    with command.folders() as (work, home):
        events = _events("Run the command that writes a file.", work, home, "--tools", "Bash", "--allowedTools", "Bash", "--max-turns", "4")
        made = Path(work, "made-by-a-tool.txt").is_file()
    blocks = [block for event in events if event["type"] == "assistant" for block in event["message"]["content"]]
    calls = [block for block in blocks if block["type"] == "tool_use"]
    assert calls and calls[0]["name"] == "Bash" and calls[0]["input"]["command"], f"no command was run: {blocks}"
    assert made, f"the command made no file: {calls}"
    assert events[-1]["result"], "no words after the command"


told.tell(chat=chat, stream=stream, tools=tools)
