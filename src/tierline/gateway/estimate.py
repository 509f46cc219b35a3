"""What an answer took, where its upstream told no usage."""

from __future__ import annotations

from tierline.types.outcome import Usage

CHARS_PER_TOKEN = 4


def estimated(input_tokens: int, output_chars: int) -> Usage:
    """The router's own count of the input, and four characters a token of the output; marked as estimated."""
    return Usage(input=input_tokens, output=-(-output_chars // CHARS_PER_TOKEN), estimated=True)
