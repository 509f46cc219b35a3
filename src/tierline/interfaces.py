"""Every protocol that a plug-in may implement, on one page.

A plug-in is a class that satisfies one of these, an entry point in the group named beside it, and the conformance check of
that name in `tierline.testing.checks`. The built-ins register in the same way (see `pyproject.toml`).

    tierline.scorers        Scorer          names task, difficulty and P(good enough) for each model
    tierline.dialects       Dialect         one wire format, both directions
    tierline.providers      Provider        reaches upstream models
    tierline.decision_logs  DecisionLog     keeps one row a request
    tierline.validators     Validator       says whether an answer is good enough
    tierline.shared         Shared          what workers and replicas hold in common: budgets, rate limits
    tierline.answerers      Answerer        answers in a model's place: a table, a database, a search
    tierline.detectors      Detector        finds personal data, secrets and whatever else must not leave
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from tierline.types.ask import Ask, Exchange, Hit, Told
from tierline.types.catalog import Model
from tierline.types.completion import Completion, Event
from tierline.types.conversation import Conversation, Rendered
from tierline.types.errors import ProviderFailure, RequestError
from tierline.types.features import Features
from tierline.types.outcome import Answer, ErrorClass, Finding, Usage
from tierline.types.record import Record
from tierline.types.request import Kind, Request
from tierline.types.scores import Scores
from tierline.types.sensitivity import Spotted
from tierline.types.shared import Claim, Grant, Heard, Logged
from tierline.types.wire import Call, Reply


@runtime_checkable
class Scorer(Protocol):
    """Believes things about requests. Pure and quick: no I/O, no clock, no dice; `score_many` equals `score` one by one.

    Its class is called with the loaded spec and `abstain_below`; with `artifact` where the spec names a file; and with `options` where it
    has a struct `Options`."""

    name: str

    def score(self, request: Request, features: Features) -> Scores:
        """Beliefs about one request; every probability in [0, 1]."""

    def score_many(self, pairs: Sequence[tuple[Request, Features]]) -> Sequence[Scores]:
        """Beliefs about many, in the same order."""


@runtime_checkable
class StreamReader(Protocol):
    """Reads one upstream stream as it passes, and hands on the bytes that the client is to get.

    It parses as little as it can: until `content` is true it looks at every event; afterwards only at those that carry usage,
    an error or the end. Its attributes are up to date after each `feed`."""

    content: bool
    """True from the first event that carries content (text, a tool call or a refusal): the stream is committed."""
    finish: str
    """The neutral stop reason, empty until it has come."""
    done: bool
    """True once the dialect's own end marker has passed."""
    error: ProviderFailure | None
    """An error event that came inside the stream."""
    served_model: str
    """The model id that the upstream says it served; empty until known."""
    output_chars: int
    """Characters of content bytes that passed, a ground for an estimate where no usage comes."""

    @property
    def usage(self) -> Usage | None:
        """The upstream's own count, once it has come."""

    def feed(self, chunk: bytes) -> bytes:
        """Takes a piece of the upstream's bytes (cut anywhere) and returns the bytes to send on, possibly none."""

    def finished(self) -> bytes:
        """Called once at the upstream's end of file: bytes still held back, if any."""


@runtime_checkable
class StreamDecoder(Protocol):
    """Reads an upstream's stream into neutral events."""

    def feed(self, chunk: bytes) -> list[Event]:
        """Takes a piece of the bytes (cut anywhere); the events that are complete. A malformed one gives Broken."""

    def finished(self) -> list[Event]:
        """Called once at the end of file: what is still to be said. Without the dialect's own end that is Broken (`cut`)."""


@runtime_checkable
class StreamEncoder(Protocol):
    """Writes neutral events as the client's stream."""

    def encode(self, event: Event) -> bytes:
        """The bytes of one event, possibly none. Ended gives the dialect's own end, Broken its error event and nothing after."""


@runtime_checkable
class Dialect(Protocol):
    """One wire format. All methods are pure."""

    name: str

    def parse(self, body: bytes, kind: Kind = "chat") -> Request:
        """A client's body → a neutral request with id, key and header hints still empty; raises BadRequest with the field at fault."""

    def upstream_path(self, request: Request, model: Model) -> str:
        """The path, below the provider's base URL, that such a request goes to."""

    def upstream_body(self, request: Request, model: Model) -> bytes:
        """The body to send to `model`: the client's own fields, with only the model (and what usage needs) changed."""

    def read_answer(self, request: Request, body: bytes) -> tuple[Answer, Usage | None]:
        """An upstream's whole body → answer and usage (None where it told none); raises ProviderFailure(malformed)."""

    def read_error(self, status: int, body: bytes) -> tuple[ErrorClass, str]:
        """An upstream's error → its class and a message fit for logs (no prompt text)."""

    def reader(self, request: Request) -> StreamReader:
        """A fresh reader for one stream of this request."""

    def render_error(self, error: RequestError) -> bytes:
        """An error as the JSON envelope of this dialect."""

    def render_error_event(self, error: RequestError) -> bytes:
        """An error inside a stream that has begun: the dialect's error event; the stream is closed after it."""

    def render_models(self, models: Sequence[Mapping[str, Any]]) -> bytes:
        """The body of GET /v1/models; each entry holds id, created and owned_by."""

    # between dialects: by way of the neutral form, and only when client and provider do not speak the same

    def expand(self, request: Request) -> Conversation:
        """A request of this dialect, whole; raises BadRequest for a field that has no meaning."""

    def render_body(self, conversation: Conversation, model: Model) -> Rendered:
        """The body of this dialect for `model`, and the names of what it cannot carry. Rendering what this dialect expanded gives an
        equal request again."""

    def read_completion(self, body: bytes) -> Completion:
        """A whole answer of an upstream; raises ProviderFailure(malformed), or the class of an error sent with status 200."""

    def render_completion(self, completion: Completion, request: Request) -> bytes:
        """A whole answer as this dialect's client expects it; the model is named as the client named it."""

    def decoder(self) -> StreamDecoder:
        """A fresh decoder for one stream of an upstream."""

    def encoder(self, request: Request) -> StreamEncoder:
        """A fresh encoder for one client's stream."""


@runtime_checkable
class Provider(Protocol):
    """Reaches upstream models."""

    name: str

    async def send(self, call: Call) -> Reply:
        """Send one call; returns when status and headers are there. Raises ProviderFailure: connect, timeout."""

    async def close(self) -> None:
        """Let go of every connection."""


@runtime_checkable
class DecisionLog(Protocol):
    """Keeps one row a request. `put` never blocks on I/O; a row is acknowledged when `flushed` has returned after it."""

    @property
    def waiting(self) -> int:
        """Rows taken and not yet on disk."""

    @property
    def problem(self) -> str:
        """What keeps rows from the disk and how to mend it; empty while all is well."""

    @property
    def backlog(self) -> int:
        """Rows that are safe and have not yet come to where all replicas read them; 0 where there is no such place."""

    @property
    def behind(self) -> str:
        """What keeps them from there; empty while all is well."""

    def put(self, record: Record, text: bytes | None = None) -> None:
        """Take a row (and its prompt and answer, where the route keeps them); raises LogFailure when the queue is full."""

    async def flushed(self) -> None:
        """Returns when every row taken before this call is on disk."""

    def get(self, request_id: str) -> Record | None:
        """One row, or None."""

    def rows(self, since: float = 0.0, until: float | None = None, limit: int | None = None) -> Iterator[Record]:
        """Rows by time, oldest first."""

    def close(self) -> None:
        """Write what is waiting and let go of the file."""


Examination = Generator[Ask, Told, Finding]
"""A validator that needs a model: it yields what to ask, is sent what came of it, and returns what it finds."""


@runtime_checkable
class Validator(Protocol):
    """Says whether one answer is good enough. Pure: it calls nobody and keeps nothing between answers."""

    name: str
    """As decisions and the log call it: `<task>/<kind>`, or `<task>/<kind>.2` for the second of a kind."""

    @property
    def asks(self) -> bool:
        """Whether `check` may ask a model: such checks run after all others, and only while those have passed."""

    def check(self, exchange: Exchange) -> Finding | Examination:
        """What it finds, at once or after asking a model. Never raises for what stands in a request or an answer."""


@runtime_checkable
class Answerer(Protocol):
    """Answers in a model's place where it can. It may do I/O of its own."""

    name: str
    """As the log calls it, e.g. `lookup:faq.csv`."""

    async def answer(self, request: Request, features: Features) -> Hit | None:
        """A hit, or None: it does not know. Raises AnswererFailure when it could not look; the request then goes on to the models."""

    async def close(self) -> None:
        """Let go of connections and files."""


@runtime_checkable
class Remembers(Protocol):
    """An answerer that learns from what models answered: a cache."""

    def keep(self, request: Request, answer: Completion) -> None:
        """Take an answer that was accepted and is whole."""


@runtime_checkable
class Detector(Protocol):
    """Finds what is sensitive in a text. Pure, and in time that grows with its length; it is made with the loaded spec."""

    name: str
    """As logs and errors call it."""
    kinds: Sequence[str]
    """Everything it may find: all of it counts as found when it fails."""

    def find(self, text: str) -> Sequence[Spotted]:
        """Everything of its kinds, in any order, overlaps included. Texts of one request come joined by lines with a NUL character; a
        find that spans one is cut there. May raise: what it looked at then counts as sensitive."""


@runtime_checkable
class Shared(Protocol):
    """What workers and replicas hold in common. One process alone holds it in its own memory; several share an engine.

    Every method raises SharedStateGone when the engine cannot be reached: the caller goes on with what it holds. Whatever had been sent
    may then be sent again: a use is counted once."""

    member: str
    """This process's name among the others: seven hex digits. The ids of its requests carry it (`gateway/ids`)."""

    async def claim(self, claims: Sequence[Claim]) -> Sequence[Grant]:
        """Settle several counters in one round trip; the grants are in the order of the claims."""

    async def credit(self, logged: Sequence[Logged]) -> None:
        """Count what the log knows of processes that have said less."""

    async def exchange(self, standing: bytes, news: bytes) -> Heard:
        """Say how this process stands (in place of what it said before; the others forget it when it is not said again for a while) and
        what else it has to tell, and hear the others."""

    async def close(self) -> None:
        """Give back every lease and let go of connections."""
