"""The page of `make clients` says what a run found, and nothing else."""

from __future__ import annotations

from clients.page import UPSTREAMS_OWN, Row, render


def row(client: str = "openai-python", **cells: dict[str, str]) -> Row:
    return Row(client, "3.0", "mock", "1.0", "2026-11-22", cells)


def line(page: str, client: str) -> str:
    return next(line for line in page.splitlines() if line.startswith(f"| {client} "))


def test_a_cell_shows_each_feature_in_its_place() -> None:
    page = render([row(openai_chat={"chat": "ok", "stream": "TypeError: a", "tools": "- no tools", "structured": "ok"}, gemini={})])
    assert line(page, "openai-python").split(" | ")[2:4] == ["✓ ✗1 – ✓", "– – – –"]
    assert "- ✗1: stream: TypeError: a" in page


def test_the_same_failure_has_one_footnote() -> None:
    broken = {"chat": "Error: the same", "stream": "ok", "tools": "ok", "structured": "ok"}
    page = render([row(openai_chat=broken, gemini=broken)])
    assert page.count("Error: the same") == 1
    assert line(page, "openai-python").count("✗1") == 2


def test_a_footnote_says_when_the_gateway_is_not_the_cause() -> None:
    page = render([row(openai_chat={"chat": f"{UPSTREAMS_OWN}Error: a | b\nc <d>"})])
    assert f"chat: {UPSTREAMS_OWN}Error: a \\| b c &lt;d>" in page


def test_a_note_says_why_something_was_not_asked() -> None:
    page = render([row(openai_chat={"chat": "ok"}, gemini={"chat": "ok", "structured": "- no schema there"})])
    assert line(page, "openai-python").split(" | ")[3] == "✓ – – –"
    assert "- –: no schema there (structured; Gemini)" in page


def test_one_reason_is_one_note_whatever_it_touches() -> None:
    page = render([row(gemini={"chat": "- busy"}, openai_chat={"chat": "- busy", "tools": "- busy"})])
    assert "- –: busy (chat, tools)" in page
