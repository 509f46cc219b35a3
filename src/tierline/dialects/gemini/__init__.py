"""Google's Gemini: generateContent, its streams, and embeddings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tierline.dialects.gemini import answer, count, errors, expand, parse, render, upstream
from tierline.dialects.gemini import completion as whole
from tierline.dialects.gemini.array import ArrayWriter
from tierline.dialects.gemini.decode import GeminiDecoder
from tierline.dialects.gemini.encode import GeminiEncoder
from tierline.dialects.gemini.stream import GeminiReader
from tierline.dialects.gemini.wire import NAME
from tierline.types.catalog import Model
from tierline.types.completion import Completion
from tierline.types.conversation import Conversation, Rendered
from tierline.types.errors import RequestError
from tierline.types.outcome import Answer, ErrorClass, Usage
from tierline.types.request import Kind, Request


class Gemini:
    """The dialect `gemini`. Bodies pass through as they are; what routing needs is read beside them.

    A Gemini client names the model, the method and the form of a stream in the path: `parse` gets the body alone, and leaves
    `Request.model` empty and `Request.stream` false. The server sets both from the path (`…/models/{model}:streamGenerateContent`), and
    sends a stream without `alt=sse` through `array_writer`. A provider's base URL carries the version (`…/v1beta`)."""

    name = NAME

    def parse(self, body: bytes, kind: Kind = "chat") -> Request:
        """A client's body → a neutral request; raises BadRequest with the field at fault. `model` is empty unless the body names one."""
        return parse.embeddings(body) if kind == "embeddings" else parse.chat(body)

    def parse_count(self, body: bytes) -> Request:
        """The body of countTokens → a neutral request; raises BadRequest with the field at fault."""
        return count.request(body)

    def upstream_path(self, request: Request, model: Model) -> str:
        """`/models/{upstream}:generateContent`, `:streamGenerateContent?alt=sse`, `:embedContent` or `:batchEmbedContents`."""
        return upstream.path(request, model)

    def count_path(self, request: Request, model: Model) -> str:  # noqa: ARG002  # the same for every request
        """`/models/{upstream}:countTokens`."""
        return f"/{upstream.resource(model)}:countTokens"

    def count_body(self, request: Request, model: Model) -> bytes:
        """The body that an upstream of this dialect counts; a count's request is wrapped unless it holds contents alone."""
        return count.body(request, model)

    def upstream_body(self, request: Request, model: Model) -> bytes:
        """The client's own fields, without Tierline's labels and what Tierline itself made up; `model` is replaced where it is named."""
        return upstream.body(request, model)

    def read_answer(self, request: Request, body: bytes) -> tuple[Answer, Usage | None]:
        """An upstream's whole body → answer and usage; raises ProviderFailure: malformed, or the class of an error sent with status 200."""
        return answer.embeddings(body) if request.kind == "embeddings" else answer.chat(body)

    def read_error(self, status: int, body: bytes) -> tuple[ErrorClass, str]:
        """An upstream's error → its class and a short message without what it quotes."""
        return errors.read(status, body)

    def reader(self, request: Request) -> GeminiReader:  # noqa: ARG002  # every stream is read alike
        """A fresh reader for one stream of this request."""
        return GeminiReader()

    def render_error(self, error: RequestError) -> bytes:
        """`{"error": {code, message, status, details}}`."""
        return errors.render(error)

    def render_error_event(self, error: RequestError) -> bytes:
        """The same envelope as one event; nothing follows it."""
        return b"data: " + errors.render(error) + b"\r\n\r\n"

    def render_models(self, models: Sequence[Mapping[str, Any]]) -> bytes:
        """`{"models": [{name, version, displayName, supportedGenerationMethods}]}`."""
        return answer.models(models)

    def read_count(self, body: bytes) -> int:
        """The tokens that an upstream counted; raises ProviderFailure(malformed)."""
        return count.read(body)

    def render_count(self, tokens: int) -> bytes:
        """`{"totalTokens": tokens}`."""
        return count.render(tokens)

    def expand(self, request: Request) -> Conversation:
        """A request of this dialect, whole; raises BadRequest for a field that has no meaning."""
        return expand.conversation(request)

    def render_body(self, conversation: Conversation, model: Model) -> Rendered:
        """The body for `model`, as its generation takes it, and the names of what it cannot carry."""
        return render.body(conversation, model)

    def read_completion(self, body: bytes) -> Completion:
        """A whole answer of an upstream; raises ProviderFailure(malformed), or the class of an error sent with status 200."""
        return whole.read(body)

    def render_completion(self, completion: Completion, request: Request) -> bytes:
        """A whole answer as a client expects it; the model is named as the client named it."""
        return whole.render(completion, request)

    def decoder(self) -> GeminiDecoder:
        """A fresh decoder for one stream of an upstream, as events or as an array."""
        return GeminiDecoder()

    def encoder(self, request: Request) -> GeminiEncoder:
        """A fresh encoder for one client's stream, as events."""
        return GeminiEncoder(request)

    def array_writer(self) -> ArrayWriter:
        """A fresh writer that makes one JSON array of this dialect's events, for a client that streams without `alt=sse`."""
        return ArrayWriter()
