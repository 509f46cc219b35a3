"""One walk over a request: which text is the system's, which are the user's own words, and what else there is to count."""

from __future__ import annotations

import msgspec

from tierline.routing.extract import tokens
from tierline.routing.extract.boilerplate import strip
from tierline.routing.extract.lexicon import PLEASANTRIES
from tierline.types.request import Media, Message, Refusal, Request, Sealed, Text, ToolCall, ToolResult

SHORT_CHARS = 48
SHORT_WORDS = 6
"""A last turn of at most so many characters and words is judged with the conversation before it."""


class Reading(msgspec.Struct, frozen=True):
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


class _Walk:
    """What has been seen on the way over the messages."""

    __slots__ = ("material", "media", "overhead", "results", "sealed", "system", "text", "turns")

    def __init__(self) -> None:
        self.system: list[str] = []
        self.text: list[str] = []
        self.turns: list[str] = []
        self.media: set[str] = set()
        self.overhead = 0.0
        self.material = 0
        self.results = 0
        self.sealed = False

    def message(self, message: Message) -> None:
        words: list[str] | None = [] if message.role == "user" else None
        into = self.system if message.role == "system" else self.text
        for part in message.parts:
            if type(part) is Text:
                into.append(part.text)
                if words is not None:
                    words.append(part.text)
            else:
                self._other(part)
        if words:
            own, blocks = strip(words[0] if len(words) == 1 else "\n".join(words))
            self.material += blocks
            if own and not own.isspace():
                self.turns.append(own)

    def _other(self, part: object) -> None:
        if isinstance(part, ToolResult):
            self.text.append(part.text)
            self.overhead += tokens.CALL_TOKENS
            self.results += 1
        elif isinstance(part, ToolCall):
            self.text += (part.name, part.arguments)
            self.overhead += tokens.CALL_TOKENS
        elif isinstance(part, Refusal):
            self.text.append(part.text)
        elif isinstance(part, Media):
            self.media.add(part.kind)
            self.overhead += tokens.MEDIA_TOKENS[part.kind]
        elif isinstance(part, Sealed):
            self.sealed = True


def read(request: Request) -> Reading:
    """The parts of a request, chat or embeddings."""
    walk = _Walk()
    for message in request.messages:
        walk.message(message)
    walk.overhead += tokens.MESSAGE_TOKENS * len(request.messages)
    if request.inputs:
        walk.text += request.inputs
        walk.turns += [text for text in request.inputs if text and not text.isspace()]
    asked, before = judged(walk.turns)
    return Reading(
        "\n".join(walk.system),
        asked,
        walk.turns[-1] if walk.turns else "",
        before,
        "\n".join(walk.text),
        walk.overhead,
        frozenset(walk.media) if walk.media else _NO_MEDIA,
        walk.material,
        walk.results,
        len(walk.turns),
        walk.sealed,
    )


_NO_MEDIA: frozenset[str] = frozenset()


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
