"""A model as scorer: what it is asked about one request, and what is believed after its reply. Nothing is called here.

What a client wrote goes to the model as JSON strings, marked as material: it is not to be followed, and cannot end its own quotes.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tierline.config.loaded import Loaded
from tierline.config.spec import AskSpec
from tierline.config.task_question import CHANCES, DIFFICULTIES, MOST_REPLY, NONE, task_question
from tierline.scoring.learned.asked import asked
from tierline.types.ask import Ask
from tierline.types.features import Features
from tierline.types.request import Request, Text
from tierline.types.scores import Scores

_OF_SYSTEM = 4
"""A system prompt takes at most this part (a fourth) of what is shown."""
_GAP = " … "


class LlmScorer:
    """Knows nothing by itself, and says so for every chat: what it abstains on is asked of the model of `scorer.ask`. Pure."""

    name = "llm"

    def __init__(self, loaded: Loaded, abstain_below: float) -> None:
        del loaded, abstain_below

    def score(self, request: Request, features: Features) -> Scores:
        """Beliefs about one request: its complexity score alone."""
        del request
        return Scores(difficulty=features.complexity.score, abstained=features.operation != "embedding", by=self.name)

    def score_many(self, pairs: Sequence[tuple[Request, Features]]) -> Sequence[Scores]:
        """Beliefs about many requests, in the same order."""
        return [self.score(request, features) for request, features in pairs]


class Unusable(Exception):
    """A reply that is none; the message quotes nothing of it."""


class Opinion(msgspec.Struct, frozen=True):
    """What a model said of one request. `task` is empty where none fits; `chance` and `difficulty` are in [0, 1]."""

    task: str
    chance: float
    difficulty: float


class _Reply(msgspec.Struct):
    task: str
    sure: str
    difficulty: str


_read = msgspec.json.Decoder(_Reply).decode


class SmallModel:
    """The model that one route asks, and what it is asked. Pure."""

    def __init__(self, loaded: Loaded, ask: AskSpec, abstain_below: float) -> None:
        self.name = ask.model
        self._tasks = frozenset(loaded.spec.tasks)
        self._abstain_below = abstain_below
        self._question = task_question(loaded.spec.tasks, loaded.models[ask.model].price, ask)

    def ask(self, request: Request) -> Ask | None:
        """The question about one request; None where the user has said nothing in words."""
        shown = _shown(request, self._question.room)
        return Ask(self.name, shown, self._question.system, MOST_REPLY, self._question.schema) if shown else None

    def opinion(self, reply: str) -> Opinion:
        """What a reply says; raises Unusable."""
        begun, ended = reply.find("{"), reply.rfind("}")
        try:
            said = _read(reply[begun : ended + 1] if begun >= 0 else reply)
        except msgspec.DecodeError:
            raise Unusable("the model named no task") from None
        if said.sure not in CHANCES or said.difficulty not in DIFFICULTIES or (said.task not in self._tasks and said.task != NONE):
            raise Unusable("the model chose none of the words it was given")
        return Opinion("" if said.task == NONE else said.task, CHANCES[said.sure], DIFFICULTIES[said.difficulty])

    def believed(self, own: Scores, opinion: Opinion | None) -> Scores:
        """What is believed after asking: the task and difficulty that the model named, where it was sure enough; else what the scorer
        itself believes. What the scorer knows of single models stays."""
        if opinion is None or not opinion.task or opinion.chance < self._abstain_below:
            return msgspec.structs.replace(own, asked=self.name)
        return msgspec.structs.replace(
            own, task={opinion.task: opinion.chance}, difficulty=opinion.difficulty, abstained=False, asked=self.name
        )


def _shown(request: Request, room: int) -> str:
    """The request as JSON of about so many bytes: what the user asked last, and the beginning of the system prompt."""
    words = asked(request)
    if not words:
        return ""
    system = "\n".join([part.text for turn in request.messages if turn.role == "system" for part in turn.parts if type(part) is Text])
    system = _cut(system.strip(), room // _OF_SYSTEM)
    told = {"system": system} if system else {}
    shown = msgspec.json.encode({**told, "message": _cut(words, room - len(system.encode()))}, order=None)
    return shown.decode()


def _cut(text: str, most: int) -> str:
    """A text, or its beginning and its end, of about so many bytes; half a surrogate pair becomes a question mark."""
    text = _ends(text, most).encode("utf-8", "replace").decode()
    return _ends(text, len(text) * most // max(len(text.encode()), 1))


def _ends(text: str, most: int) -> str:
    """A text of at most so many characters: all of it, or three fourths from its beginning and one from its end."""
    if len(text) <= most:
        return text
    kept = max(most - len(_GAP.encode()), 0)
    return f"{text[: kept - kept // 4]}{_GAP}{text[len(text) - kept // 4 :]}"
