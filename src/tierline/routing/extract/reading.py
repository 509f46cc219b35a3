"""One walk over a request: which text is the system's, which are the user's own words, and what else there is to count."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tierline.routing.extract import tokens
from tierline.routing.extract.boilerplate import strip
from tierline.routing.extract.lexicon import PLEASANTRIES
from tierline.types.request import Media, Part, Refusal, Request, Sealed, Text, ToolCall, ToolResult

SHORT_CHARS = 48
SHORT_WORDS = 6
"""A last turn of at most so many characters and words is judged with the conversation before it."""


class Reading(msgspec.Struct, frozen=True, gc=False):
    """The parts of a request. `asked` is what is judged: the last user turn, with the last one of substance before it where it is short;
    `before` are the other user turns, oldest first; `last` is the last user turn alone. All of these are the user's own words, without
    boilerplate.

    `text` holds all text but the system prompt, for counting; `overhead` the tokens of what is not text; `media` the kinds of media in use;
    `material` the blocks of documents handed over; `results` the tool results; `turns` the user's turns; `sealed`: an earlier answer's
    reasoning is signed or encrypted."""

    system: str
    asked: str
    last: str
    before: list[str]
    text: str
    overhead: float
    media: frozenset[str]
    material: int
    results: int
    turns: int
    sealed: bool = False


def read(request: Request) -> Reading:
    """The parts of a request, chat or embeddings."""
    system: list[str] = []
    text: list[str] = []
    turns: list[str] = []
    others: list[Part] = []
    material = 0
    for message in request.messages:
        parts = message.parts
        if len(parts) == 1 and type(part := parts[0]) is Text:  # nearly every message
            words = part.text
        else:
            others += [part for part in parts if type(part) is not Text]
            said = [part.text for part in parts if type(part) is Text]
            if not said:
                continue
            words = "\n".join(said)
        if message.role == "system":
            system.append(words)
            continue
        text.append(words)
        if message.role == "user":
            own, blocks = strip(words)
            material += blocks
            if own and not own.isspace():
                turns.append(own)
    if request.inputs:
        text += request.inputs
        turns += [given for given in request.inputs if given and not given.isspace()]
    overhead, media, results, sealed = _read_others(others, text) if others else _NO_OTHERS
    overhead += tokens.MESSAGE_TOKENS * len(request.messages)
    asked, before = judged(turns)
    last = turns[-1] if turns else ""
    return Reading("\n".join(system), asked, last, before, "\n".join(text), overhead, media, material, results, len(turns), sealed)


_NO_OTHERS: tuple[float, frozenset[str], int, bool] = (0.0, frozenset(), 0, False)


def _read_others(parts: Sequence[Part], text: list[str]) -> tuple[float, frozenset[str], int, bool]:
    """What is not plain words: overhead, kinds of media, tool results, and whether anything is sealed; the words in it are added to
    `text`."""
    overhead, media, results, sealed = 0.0, set(), 0, False
    for part in parts:
        if isinstance(part, ToolResult):
            text.append(part.text)
            overhead += tokens.CALL_TOKENS
            results += 1
        elif isinstance(part, ToolCall):
            text += (part.name, part.arguments)
            overhead += tokens.CALL_TOKENS
        elif isinstance(part, Refusal):
            text.append(part.text)
        elif isinstance(part, Media):
            media.add(part.kind)
            overhead += tokens.MEDIA_TOKENS[part.kind]
        elif isinstance(part, Sealed):
            sealed = True
    return overhead, frozenset(media), results, sealed


def judged(turns: list[str]) -> tuple[str, list[str]]:
    """The text that is judged, and the turns beside it. A short last turn ("yes", "go on", "and for 7?") stands on the last turn of
    substance before it; thanks and greetings stand alone."""
    if not turns:
        return "", []
    last = turns[-1]
    if len(turns) > 1 and is_short(last) and not is_pleasantry(last):
        for index in range(len(turns) - 2, -1, -1):
            if not is_short(turns[index]):
                return f"{turns[index]}\n{last}", turns[:index] + turns[index + 1 : -1]
    return last, turns[:-1]


def is_short(turn: str) -> bool:
    """Too short to be judged alone."""
    return len(turn) <= SHORT_CHARS and turn.count(" ") < SHORT_WORDS


def is_pleasantry(turn: str) -> bool:
    """Thanks, a greeting, a farewell: a turn that asks for nothing."""
    return len(turn) <= SHORT_CHARS and " ".join(turn.lower().replace(",", " ").split()).strip(" .!?。！？～~:)(،؟") in PLEASANTRIES
