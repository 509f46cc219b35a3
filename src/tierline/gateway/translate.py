"""One request on its way to models of other dialects than its client's, and their answers on the way back.

    client.expand → target.render_body ─► upstream ─► target.read_completion → client.render_completion
                                                   └► target.decoder → events → client.encoder

The request is expanded once, whatever the number of attempts. Of a stream nothing is held beyond the event that is not whole yet.
"""

from __future__ import annotations

import msgspec

from tierline.dialects.events import events_of
from tierline.dialects.held_state import refuse_held_state
from tierline.gateway.estimate import estimated
from tierline.interfaces import Dialect, StreamDecoder, StreamEncoder
from tierline.types.catalog import Model
from tierline.types.completion import (
    AnswerPart,
    Broken,
    Completion,
    Counted,
    Ended,
    Event,
    Finish,
    Finished,
    PartDelta,
    PartStarted,
    Started,
)
from tierline.types.conversation import Conversation, Foreign, Media, Refusal, Rendered, Text, Thinking, ToolCall
from tierline.types.errors import BadRequest, CannotTranslate, ProviderFailure
from tierline.types.outcome import NO_USAGE, Answer, Usage
from tierline.types.request import Request

PIECE = 60
"""Characters of words in one event of an answer that is streamed after it was whole."""

_ROUTED: dict[Finish, str] = {"stop_sequence": "stop", "pause": "stop", "refusal": "content_filter"}
"""Stop reasons that routing calls by another word (see `types.outcome.Answer`)."""


class Translation:
    """One request of `client`'s dialect, for models that speak others. `strict`: what cannot be carried is refused, not dropped.

    Clients count on a usage: where an upstream tells none, they get the estimate that the log gets, from `input_tokens`."""

    __slots__ = ("_client", "_conversation", "_input_tokens", "_request", "_strict")

    def __init__(self, client: Dialect, request: Request, *, strict: bool, input_tokens: int = 0) -> None:
        self._client = client
        self._input_tokens = input_tokens
        self._request = request
        self._strict = strict
        self._conversation: Conversation | None = None

    @property
    def request(self) -> Request:
        """The client's request."""
        return self._request

    @property
    def client(self) -> Dialect:
        """The dialect that the client speaks."""
        return self._client

    @property
    def conversation(self) -> Conversation:
        """The request, whole; raises BadRequest for a field that has no meaning."""
        if self._conversation is None:
            self._conversation = self._client.expand(self._request)
        return self._conversation

    def body(self, target: Dialect, model: Model, instead: Conversation | None = None) -> Rendered:
        """The body for `model`, of the request or of a conversation `instead` of it. Raises CannotTranslate: for embeddings, for what
        has no meaning between dialects (or is held by another upstream), and on a strict route for whatever would be lost."""
        if self._request.kind != "chat":
            raise CannotTranslate(f"{self._request.kind} are not translated from {self._client.name} to {target.name}")
        try:
            conversation = self.conversation if instead is None else instead
            refuse_held_state(conversation, target.name)
            rendered = target.render_body(conversation, model)
        except BadRequest as error:
            raise CannotTranslate(error.message, param=error.param) from None
        if self._strict and rendered.dropped:
            lost = ", ".join(rendered.dropped)
            raise CannotTranslate(
                f"the route is strict and {target.name} cannot carry {lost} → leave it out, or use a model that speaks {self._client.name}"
            )
        return rendered

    def completion(self, target: Dialect, body: bytes) -> Completion:
        """An upstream's whole body, read, with a usage estimated where it told none; raises ProviderFailure."""
        completion = target.read_completion(body)
        if completion.usage == NO_USAGE:
            completion = msgspec.structs.replace(completion, usage=estimated(self._input_tokens, len(words_of(completion))))
        return completion

    def answer(self, completion: Completion, dropped: tuple[str, ...] = ()) -> Answer:
        """An answer, whole, as the client gets it."""
        return Answer(
            dialect=self._client.name,
            body=self._client.render_completion(completion, self._request),
            text=words_of(completion),
            finish=finish_of(completion),
            served_model=completion.model,
            dropped=dropped,
        )

    def events(self, completion: Completion) -> bytes:
        """An answer, whole, as the stream that the client gets."""
        encoder = self._client.encoder(self._request)
        return b"".join([encoder.encode(event) for event in events_of(completion, PIECE)])

    def reader(self, target: Dialect) -> TranslatingReader:
        """A fresh reader for one stream of `target`'s."""
        return TranslatingReader(target.decoder(), self._client.encoder(self._request), self._input_tokens)


class TranslatingReader:
    """A `StreamReader` between two dialects: an upstream's bytes in, the client's events out, each as soon as it is whole.

    An upstream's error is told in `error` and never encoded here: before the first content another model answers instead."""

    __slots__ = (
        "_begun",
        "_decoder",
        "_encoder",
        "_input_tokens",
        "content",
        "done",
        "error",
        "finish",
        "output_chars",
        "served_model",
        "usage",
    )

    def __init__(self, decoder: StreamDecoder, encoder: StreamEncoder, input_tokens: int = 0) -> None:
        self._input_tokens = input_tokens
        self._decoder = decoder
        self._encoder = encoder
        self._begun = False
        self.content = False
        self.usage: Usage | None = None
        self.finish = ""
        self.done = False
        self.error: ProviderFailure | None = None
        self.served_model = ""
        self.output_chars = 0

    def feed(self, chunk: bytes) -> bytes:
        """Takes a piece of the upstream's bytes and returns the client's; nothing after an error or the end."""
        return b"" if self.done or self.error is not None else self._written(self._decoder.feed(chunk))

    def finished(self) -> bytes:
        """The upstream's end of file. Where only its end marker is missing, behind a stop reason, the client gets its own all the same."""
        if self.done or self.error is not None:
            return b""
        written = self._written(self._decoder.finished())
        if self.error is None:
            return written
        if not self._begun:
            self.error = ProviderFailure("malformed", "the upstream's answer is no event stream of its dialect")
        if not self.finish:
            return written
        self.error, self.done = None, True
        return self._ended()

    def _written(self, events: list[Event]) -> bytes:
        written = []
        for event in events:
            self._note(event)
            if self.error is not None:
                break
            if isinstance(event, Counted) and self.usage is None:
                continue
            written.append(self._ended() if isinstance(event, Ended) else self._encoder.encode(event))
        return b"".join(written)

    def _ended(self) -> bytes:
        """The client's own end, after a count where the upstream gave none."""
        if self.usage is not None:
            return self._encoder.encode(Ended())
        self.usage = estimated(self._input_tokens, self.output_chars)
        return self._encoder.encode(Counted(self.usage)) + self._encoder.encode(Ended())

    def _note(self, event: Event) -> None:
        match event:
            case PartDelta():
                self.output_chars += len(event.text)
                self.content = self.content or bool(event.text)
            case PartStarted():
                self.output_chars += len(_text_of(event.part))
                self.content = self.content or _says(event.part)
            case Finished() if event.choice == 0 or not self.finish:
                self.finish = _ROUTED.get(event.finish, event.finish)
            case Counted() if event.usage != NO_USAGE:
                self.usage = event.usage
            case Started():
                self._begun, self.served_model = True, event.model
            case Ended():
                self.done = True
            case Broken():
                self.error = ProviderFailure(event.kind, event.message)


def _says(part: AnswerPart) -> bool:
    """Whether a part that begins is content already: a call, a picture, or words that came with it."""
    return isinstance(part, ToolCall | Media | Foreign) or bool(_text_of(part)) or (isinstance(part, Thinking) and bool(part.sealed))


def _text_of(part: AnswerPart) -> str:
    match part:
        case Text() | Thinking() | Refusal():
            return part.text
        case ToolCall():
            return part.name
    return ""


def words_of(completion: Completion) -> str:
    """The words of the first choice, as routing reads them."""
    if not completion.choices:
        return ""
    return "".join([part.text for part in completion.choices[0].parts if isinstance(part, Text | Refusal)])


def finish_of(completion: Completion) -> str:
    """Why the first choice ended, in routing's words."""
    if not completion.choices:
        return "stop"
    finish = completion.choices[0].finish
    return _ROUTED.get(finish, finish)
