"""aider over Chat Completions, without streaming and with it; the history that it keeps holds the answer."""

import command
import told


def _ask(mode: str) -> None:
    with command.folders() as (work, home):
        asked = [str(command.ENVIRONMENT / "bin" / "aider"), "--model", f"openai/{told.MODEL}", "--message", told.HELLO, "--yes-always"]
        history = work / "history.md"
        asked += ["--chat-history-file", str(history), "--input-history-file", str(work / "input")]
        asked += ["--no-git", "--no-check-update", "--analytics-disable", "--no-show-model-warnings", "--no-pretty", mode]
        environ = {"HOME": str(home), "OPENAI_API_BASE": f"{told.GATEWAY}/v1", "OPENAI_API_KEY": told.KEY}
        command.run(asked, work, environ)
        kept = history.read_text()
    _, _, after = kept.partition(f"#### {told.HELLO}")
    words = [line for line in after.splitlines() if line.strip() and not line.startswith(">")]
    assert words, f"no answer in the history: {after.strip()[:200]}"


def chat() -> None:
    _ask("--no-stream")
    _ask("--stream")


told.tell(chat=chat)
