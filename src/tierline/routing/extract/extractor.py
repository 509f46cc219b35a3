"""From a request to its features, in one pass."""

from __future__ import annotations

import fnmatch
import functools
import math
import re
from collections.abc import Sequence

import msgspec

from tierline.config.loaded import Loaded
from tierline.routing.extract.complexity import complexity
from tierline.routing.extract.expected import asked_length, output_tokens
from tierline.routing.extract.fingerprint import draw, fingerprint
from tierline.routing.extract.language import language
from tierline.routing.extract.lexicon import FAMILIES
from tierline.routing.extract.needs import needs
from tierline.routing.extract.operation import NO_RULES, operations, rules
from tierline.routing.extract.reading import Reading, is_pleasantry, read
from tierline.routing.extract.scan import OPERATION, SYSTEM_PROMPT, Found, Scanner, clip
from tierline.routing.extract.structure import questions, structure
from tierline.routing.extract.thread import in_tool_loop, session, tool_failures
from tierline.routing.extract.tokens import text_tokens, tools_tokens
from tierline.types.access import ANYONE, Key
from tierline.types.features import Complexity, Features, Operation
from tierline.types.request import Request
from tierline.types.sensitivity import PERSONAL
from tierline.types.stages import Stages, finish

SYSTEM_HEAD = 1_000
"""Characters at the head of a system prompt that say what the work is."""
REMEMBERED = 256
REMEMBERED_CHARS = 16_384
"""System prompts come back: what is known of the last 256 of at most 16,384 characters is kept, so each is read once."""

_BRIEF = list(FAMILIES).index("brief")
_NOTHING = (0,) * len(FAMILIES)


class _System(msgspec.Struct, frozen=True, gc=False):
    """What a system prompt tells, whatever the user says."""

    fingerprint: str = ""
    tokens: float = 0.0
    families: Sequence[int] = _NOTHING
    rules: tuple[float, ...] = NO_RULES
    tasks: tuple[str, ...] = ()


class Extractor:
    """Compiles a spec's signals and hints once; a call turns a request into its features. Pure: the same request gives the same features,
    and no request, however odd, raises."""

    def __init__(self, loaded: Loaded) -> None:
        self._scan = Scanner(loaded)
        tasks = loaded.spec.tasks.items()
        self._globs = [
            (name, re.compile(fnmatch.translate(task.match.system_prompt.strip()), re.IGNORECASE))
            for name, task in tasks
            if task.match is not None and task.match.system_prompt
        ]
        self._operations = [(name, task.match.operation) for name, task in tasks if task.match is not None and task.match.operation]
        self._sessions = any(route.session.sticky for route in loaded.spec.routes.values()) or any(
            budget.each == "session" for budget in loaded.spec.budgets.values()
        )
        self._experiments = bool(loaded.spec.experiments)
        self._remember = functools.lru_cache(REMEMBERED)(self._read_system)

    def __call__(self, request: Request, key: Key = ANYONE) -> Features:
        """The features of one request made with `key`."""
        return finish(self.stages(request, key))

    def stages(self, request: Request, key: Key = ANYONE) -> Stages[Features]:
        """The same, stage by stage."""
        reading = read(request)
        system = self._system(reading.system)
        yield
        found = self._scan(reading.asked, reading.before)
        yield
        encoded = reading.text.encode("utf-8", "surrogatepass")
        words = text_tokens(encoded, len(encoded) == len(reading.text))
        tokens = system.tokens + words + reading.overhead + (tools_tokens(request.tools) if request.tools else 0)
        tongue = language(reading.asked)
        yield
        operation, operations, expected, asked, code, hard = _judge(request, reading, system, found, tokens)
        yield
        looping = reading.results > 0 and in_tool_loop(request.messages)
        # by place, in the order of the fields: of so many names a call would make a dictionary first
        return Features(
            request.id,
            request.route,
            key.name,
            key.team,
            request.dialect,
            request.hints,
            operation,
            operations,
            math.ceil(tokens),
            expected,
            needs(request, reading.media),
            reading.turns,
            asked,
            code,
            tongue,
            hard,
            system.fingerprint,
            _sensitivity(request),
            found.signals,
            self._matches(found.tasks, system.tasks, operation),
            request.stream,
            draw(request.id),
            session(request, key.name, system.fingerprint) if self._keeps_session(request) else "",
            looping,
            tool_failures(request.messages) if looping else 0,
            reading.sealed,
            tuple(sorted(key.models)) if key.minted else (),
            key.task if key.minted else "",
            request.redacted,
        )

    def _keeps_session(self, request: Request) -> bool:
        """Whether anything asks which session it belongs to: a sticky route, a budget for each, or an experiment where the client
        names one."""
        return request.kind == "chat" and (self._sessions or (self._experiments and bool(request.hints.session)))

    def _system(self, prompt: str) -> _System:
        if not prompt:
            return _NO_SYSTEM
        return self._remember(prompt) if len(prompt) <= REMEMBERED_CHARS else self._read_system(prompt)

    def _read_system(self, prompt: str) -> _System:
        stripped = prompt.strip()
        families, opening = self._scan.families(prompt[:SYSTEM_HEAD])
        return _System(
            fingerprint(prompt),
            text_tokens(prompt.encode("utf-8", "surrogatepass"), prompt.isascii()),
            families,
            rules(families, opening),
            tuple(name for name, glob in self._globs if glob.match(stripped)),
        )

    def _matches(self, tasks: dict[str, int], by_prompt: tuple[str, ...], operation: str) -> dict[str, int]:
        for name in by_prompt:
            tasks[name] = tasks.get(name, 0) + SYSTEM_PROMPT
        for name, wanted in self._operations:
            if wanted == operation:
                tasks[name] = tasks.get(name, 0) + OPERATION
        return tasks


_Work = tuple[Operation, tuple[str, ...], int, int, bool, Complexity]
"""The leading kind of work and all kinds, tokens of the answer, questions, whether code is there, and how hard it looks."""

_NO_SYSTEM = _System()
_EMBEDDING: _Work = ("embedding", ("embedding",), 0, 0, False, Complexity())


def _judge(request: Request, reading: Reading, system: _System, found: Found, tokens: float) -> _Work:
    """What is asked, how hard it looks and how long its answer will be."""
    if request.kind == "embeddings":
        return _EMBEDDING
    params, families = request.params, found.families
    structured = params.response_format != "text"
    text = clip(reading.asked)
    form = structure(text)
    asked = questions(clip(reading.last))
    operation, seen = operations(families, found.opening, system.rules, reading.material > 0, structured, form.formulas > 0, form.options)
    pleasantry = is_pleasantry(reading.last)
    brief = bool(families[_BRIEF] or system.families[_BRIEF])
    simple = operation in {"classification", "extraction"} or brief
    hard = _PLEASANT
    if not pleasantry:
        tools, context = len(request.tools) + reading.results, tokens - len(reading.asked) / 4
        hard = complexity(form, families, system.families, asked, reading.turns, tools, context, structured=structured, simple=simple)
    looping = reading.results > 0 and bool(request.tools)
    length = asked_length(found.lengths)
    expected = output_tokens(operation, hard.score, params, length, code=form.code, brief=brief, looping=looping, pleasantry=pleasantry)
    return operation, seen, expected, asked, form.code, hard


_PLEASANT = Complexity()


def _sensitivity(request: Request) -> tuple[str, ...]:
    """What the client declares and what was found; `pii` goes with every personal kind."""
    if not (request.hints.sensitivity or request.sensitivity):
        return ()
    declared = _listed(request.hints.sensitivity)
    personal = ("pii",) if any(kind in PERSONAL for kind in declared) else ()
    return tuple(dict.fromkeys((*declared, *personal, *request.sensitivity)))


def _listed(text: str) -> tuple[str, ...]:
    """Words separated by commas: `pii,email` → (pii, email)."""
    return tuple(word for part in text.split(",") if (word := part.strip().lower())) if text else ()
