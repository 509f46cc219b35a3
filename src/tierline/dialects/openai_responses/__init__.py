"""OpenAI's Responses API: items in and items out, with reasoning, built-in tools and typed streaming events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tierline.dialects.openai_chat.answer import models
from tierline.dialects.openai_responses import answer, completion, errors, expand, parse, render, upstream
from tierline.dialects.openai_responses.decode import ResponsesDecoder
from tierline.dialects.openai_responses.encode import ResponsesEncoder
from tierline.dialects.openai_responses.stream import ResponsesReader
from tierline.types.catalog import Model
from tierline.types.completion import Completion
from tierline.types.conversation import Conversation, Rendered
from tierline.types.errors import BadRequest, RequestError
from tierline.types.outcome import Answer, ErrorClass, Usage
from tierline.types.request import Kind, Request


class OpenAIResponses:
    """The dialect `openai_responses`. Bodies pass through with only the model changed; what routing needs is read beside it."""

    name = "openai_responses"

    def parse(self, body: bytes, kind: Kind = "chat") -> Request:
        """A client's body → a neutral request; raises BadRequest with the field at fault. This API has no embeddings."""
        if kind == "embeddings":
            raise BadRequest("embeddings: the Responses API has none; send them to /v1/embeddings")
        return parse.responses(body)

    def upstream_path(self, request: Request, model: Model) -> str:  # noqa: ARG002  # other dialects put the model in the path
        """`/responses`."""
        return "/responses"

    def upstream_body(self, request: Request, model: Model) -> bytes:
        """The client's own fields with `model` replaced, without Tierline's metadata and without what it sealed for other dialects."""
        return upstream.body(request, model)

    def read_answer(self, request: Request, body: bytes) -> tuple[Answer, Usage | None]:  # noqa: ARG002  # one kind of answer only
        """An upstream's whole body → answer and usage; raises ProviderFailure: malformed, or the class of an error sent with status 200."""
        return answer.responses(body)

    def read_error(self, status: int, body: bytes) -> tuple[ErrorClass, str]:
        """An upstream's error → its class and a short message without what it quotes."""
        return errors.read(status, body)

    def reader(self, request: Request) -> ResponsesReader:  # noqa: ARG002  # every stream is read alike
        """A fresh reader for one stream of this request."""
        return ResponsesReader()

    def render_error(self, error: RequestError) -> bytes:
        """`{"error": {message, type, param, code}}`."""
        return errors.render(error)

    def render_error_event(self, error: RequestError) -> bytes:
        """An `error` event; nothing follows it."""
        return errors.render_event(error)

    def render_models(self, models_: Sequence[Mapping[str, Any]]) -> bytes:
        """`{"object": "list", "data": [...]}`, each entry with its fields and `"object": "model"`."""
        return models(models_)

    def expand(self, request: Request) -> Conversation:
        """A request of this dialect, whole; raises BadRequest for a field that has no meaning."""
        return expand.conversation(request)

    def render_body(self, conversation: Conversation, model: Model) -> Rendered:
        """The body of this dialect for `model`, and the names of what it cannot carry."""
        return render.body(conversation, model)

    def read_completion(self, body: bytes) -> Completion:
        """A whole answer of an upstream; raises ProviderFailure(malformed), or the class of an error sent with status 200."""
        return completion.read(body)

    def render_completion(self, completion_: Completion, request: Request) -> bytes:
        """A whole answer as this dialect's client expects it; the model is named as the client named it."""
        return completion.render(completion_, request)

    def decoder(self) -> ResponsesDecoder:
        """A fresh decoder for one stream of an upstream."""
        return ResponsesDecoder()

    def encoder(self, request: Request) -> ResponsesEncoder:
        """A fresh encoder for one client's stream."""
        return ResponsesEncoder(request)
