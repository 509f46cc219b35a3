"""Which clients there are: what installs each, which check speaks through it, and which features it offers."""

from __future__ import annotations

from typing import Literal

import msgspec

FEATURES = ("chat", "stream", "tools", "structured")


class Client(msgspec.Struct, frozen=True):
    """One client, speaking one wire format.

    `packages` go into the environment of its own, which clients of the same `home` share; the first names the version. `check` is a
    script below `checks/`, in the client's own language. `features` are those that the client offers. `on_request` clients are large and
    run only when they are named. `prompt` is the context in tokens that the client needs for its own instructions.
    `calls` is the call that an upstream is told to make, where the client brings its own tools: name and arguments as JSON.
    `structured_by` says whether the client asks for a structure by a schema of the answer or by a tool that it offers."""

    name: str
    home: str
    kind: Literal["python", "node"]
    packages: tuple[str, ...]
    check: str
    speaks: str
    features: tuple[str, ...] = FEATURES
    on_request: bool = False
    prompt: int = 500
    calls: tuple[str, str] | None = None
    structured_by: Literal["structured", "tools"] = "structured"

    def needs(self, feature: str) -> str:
        """The feature that an upstream must have for a feature of the client."""
        return self.structured_by if feature == "structured" else feature


EXEC = ("exec_command", '{"cmd": "echo tierline > made-by-a-tool.txt"}')
BASH = ("Bash", '{"command": "echo tierline > made-by-a-tool.txt", "description": "Write a file"}')

CLIENTS = (
    Client("openai-python", "openai-python", "python", ("openai>=3,<4",), "openai_chat.py", "openai_chat"),
    Client("openai-python-responses", "openai-python", "python", ("openai>=3,<4",), "openai_responses.py", "openai_responses"),
    Client("anthropic-python", "anthropic-python", "python", ("anthropic>=2,<3",), "anthropic_messages.py", "anthropic_messages"),
    Client("google-genai-python", "google-genai-python", "python", ("google-genai>=3,<4",), "google_genai.py", "gemini"),
    Client("openai-node", "openai-node", "node", ("openai", "zod"), "openai_chat.mjs", "openai_chat"),
    Client("openai-node-responses", "openai-node", "node", ("openai", "zod"), "openai_responses.mjs", "openai_responses"),
    Client("anthropic-node", "anthropic-node", "node", ("@anthropic-ai/sdk", "zod"), "anthropic_messages.mjs", "anthropic_messages"),
    Client("google-genai-node", "google-genai-node", "node", ("@google/genai",), "google_genai.mjs", "gemini"),
    Client("langchain-openai", "langchain-openai", "python", ("langchain-openai>=1,<2",), "langchain_openai_chat.py", "openai_chat"),
    Client("pydantic-ai", "pydantic-ai", "python", ("pydantic-ai-slim[openai]>=2,<3",), "pydantic_ai_chat.py", "openai_chat"),
    Client(
        "pydantic-ai-anthropic",
        "pydantic-ai-anthropic",
        "python",
        ("pydantic-ai-slim[anthropic]", "anthropic<2"),
        "pydantic_ai_messages.py",
        "anthropic_messages",
        structured_by="tools",
    ),
    Client("instructor", "instructor", "python", ("instructor>=1,<2",), "instructor_chat.py", "openai_chat", ("tools", "structured")),
    Client("vercel-ai-openai", "vercel-ai", "node", ("ai", "@ai-sdk/openai", "@ai-sdk/anthropic", "zod"), "vercel_chat.mjs", "openai_chat"),
    Client(
        "vercel-ai-openai-responses",
        "vercel-ai",
        "node",
        ("ai", "@ai-sdk/openai", "@ai-sdk/anthropic", "zod"),
        "vercel_responses.mjs",
        "openai_responses",
    ),
    Client(
        "vercel-ai-anthropic",
        "vercel-ai",
        "node",
        ("ai", "@ai-sdk/openai", "@ai-sdk/anthropic", "zod"),
        "vercel_messages.mjs",
        "anthropic_messages",
        structured_by="tools",
    ),
    Client("llm", "llm", "python", ("llm>=0.36,<1",), "llm_chat.py", "openai_chat"),
    Client("aider", "aider", "python", ("aider-chat",), "aider.py", "openai_chat", ("chat",), on_request=True, prompt=2000),
    Client("codex", "codex", "node", ("@openai/codex",), "codex.py", "openai_responses", ("chat", "tools"), prompt=8000, calls=EXEC),
    Client(
        "claude-code",
        "claude-code",
        "node",
        ("@anthropic-ai/claude-code",),
        "claude_code.py",
        "anthropic_messages",
        ("chat", "stream", "tools"),
        prompt=8000,
        calls=BASH,
    ),
)


def named(names: list[str]) -> tuple[Client, ...]:
    """The clients of these names, or all that are not large where none is named; raises SystemExit on an unknown one."""
    known = {client.name: client for client in CLIENTS}
    if unknown := sorted(set(names) - set(known)):
        raise SystemExit(f"there is no client named {', '.join(unknown)}; there are {', '.join(known)}")
    return tuple(known[name] for name in names) or tuple(client for client in CLIENTS if not client.on_request)
