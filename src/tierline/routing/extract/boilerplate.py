"""What stands in a user's turn but is not the user's words: blocks that agents inject, and documents handed over in tags.

Such blocks are cut out before complexity, operation, signals and questions are judged; their tokens still count.
"""

from __future__ import annotations

import re
from bisect import bisect_left


def _listed(text: str) -> tuple[str, ...]:
    """Names separated by white space."""
    return tuple(text.split())


HARNESS = _listed(
    """
    system-reminder system_reminder environment_context environment_details environment_info user_instructions instructions
    command-name command-message command-args command-contents local-command-stdout local-command-stderr local-command-caveat
    bash-input bash-stdout bash-stderr ide_opened_file ide_selection ide_diagnostics task-notification task_progress
    additional_data open_and_recently_viewed_files project_layout workspace_info workspacefolders editorcontext
    remindersinstructions reminderinstructions rules user_info git_status toolusestrategy permissions collaboration_mode
    skills_instructions apps_instructions slash-command hook-output user-prompt-submit-hook turn_aborted repo_map todo_list
    memories claudemd agents_md
    """
)
"""Tags by which coding agents mark what they add to a user's turn."""

MATERIAL = _listed(
    """
    document documents doc context contexts source sources file files file_content file_contents file-content attached_files
    attached_file attachment attachments current_file selected_code passage passages article transcript search_results
    search_result tool_result tool_response function_results function_result output log logs diff paste pasted_text
    retrieved_context knowledge_base webpage
    """
)
"""Tags around what a user hands over to work on."""

_TAG = re.compile(
    r"<(/?)(" + "|".join(re.escape(name) for name in sorted({*HARNESS, *MATERIAL}, key=len, reverse=True)) + r")(?:\s[^<>]{0,400})?>",
    re.IGNORECASE,
)
_MATERIAL = frozenset(MATERIAL)


def strip(text: str) -> tuple[str, int]:
    """The user's own words, and the number of blocks of material cut out of them. A tag that is never closed stays text. Linear in the
    text."""
    if "<" not in text or "</" not in text:  # one character is found much sooner than two
        return text, 0
    opened: list[tuple[int, str]] = []
    closed: dict[str, list[int]] = {}
    for tag in _TAG.finditer(text):
        name = tag[2].lower()
        if tag[1]:
            closed.setdefault(name, []).append(tag.end())
        else:
            opened.append((tag.start(), name))
    if not opened or not closed:
        return text, 0
    return _cut(text, opened, closed)


def _cut(text: str, opened: list[tuple[int, str]], closed: dict[str, list[int]]) -> tuple[str, int]:
    kept: list[str] = []
    position = blocks = 0
    for start, name in opened:
        if start < position:
            continue
        ends = closed.get(name, ())
        index = bisect_left(ends, start)
        if index < len(ends):
            kept.append(text[position:start])
            position = ends[index]
            blocks += name in _MATERIAL
    kept.append(text[position:])
    return "".join(kept).strip(), blocks
