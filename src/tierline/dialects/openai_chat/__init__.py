"""OpenAI's chat completions and embeddings: the dialect that most clients and upstreams speak."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tierline.dialects.openai_chat import answer, completion, errors, expand, parse, render, upstream
from tierline.dialects.openai_chat.decode import ChatDecoder
from tierline.dialects.openai_chat.encode import ChatEncoder
from tierline.dialects.openai_chat.stream import ChatReader
from tierline.types.catalog import Model
from tierline.types.completion import Completion
from tierline.types.conversation import Conversation, Rendered
from tierline.types.errors import BadRequest, RequestError
from tierline.types.outcome import Answer, ErrorClass, Usage
from tierline.types.request import Kind, Request


class OpenAIChat:
    """The dialect `openai_chat`. Bodies pass through with only the model changed; what routing needs is read beside it."""

    name = "openai_chat"

    def parse(self, body: bytes, kind: Kind = "chat") -> Request:
        """A client's body → a neutral request; raises BadRequest with the field at fault.

        Token arrays as embedding input become placeholder text of about as many tokens: their words are not known here."""
        return parse.embeddings(body) if kind == "embeddings" else parse.chat(body)

    def upstream_path(self, request: Request, model: Model) -> str:  # noqa: ARG002  # other dialects put the model in the path
        """`/chat/completions` or `/embeddings`."""
        return "/embeddings" if request.kind == "embeddings" else "/chat/completions"

    def upstream_body(self, request: Request, model: Model) -> bytes:
        """The client's own fields with `model` replaced, `stream_options.include_usage` set, and Tierline's metadata removed."""
        return upstream.body(request, model)

    def read_answer(self, request: Request, body: bytes) -> tuple[Answer, Usage | None]:
        """An upstream's whole body → answer and usage; raises ProviderFailure: malformed, or the class of an error sent with status 200."""
        return answer.embeddings(body) if request.kind == "embeddings" else answer.chat(body)

    def read_error(self, status: int, body: bytes) -> tuple[ErrorClass, str]:
        """An upstream's error → its class and a short message without what it quotes."""
        return errors.read(status, body)

    def reader(self, request: Request) -> ChatReader:
        """A fresh reader for one stream of this request."""
        return ChatReader(keep_usage=upstream.client_wants_usage(request))

    def render_error(self, error: RequestError) -> bytes:
        """`{"error": {message, type, param, code}}`."""
        return errors.render(error)

    def render_error_event(self, error: RequestError) -> bytes:
        """The same envelope as one event; no `[DONE]` follows it."""
        return b"data: " + errors.render(error) + b"\n\n"

    def render_models(self, models: Sequence[Mapping[str, Any]]) -> bytes:
        """`{"object": "list", "data": [...]}`, each entry with its fields and `"object": "model"`."""
        return answer.models(models)

    def expand(self, request: Request) -> Conversation:
        """A chat request, whole; raises BadRequest, also for embeddings, which have no conversation."""
        if request.kind != "chat":
            raise BadRequest("embeddings go to providers of this dialect only; name another model", param="model")
        return expand.conversation(request)

    def render_body(self, conversation: Conversation, model: Model) -> Rendered:
        """The body for `model`, and the names of what this dialect cannot carry; raises BadRequest where another upstream holds a part of
        the conversation."""
        return render.body(conversation, model)

    def read_completion(self, body: bytes) -> Completion:
        """A whole answer; raises ProviderFailure: malformed, or the class of an error sent with status 200."""
        return completion.read(body)

    def render_completion(self, given: Completion, request: Request) -> bytes:
        """A whole answer as the client expects it: with functions instead of tools, and plain text for its custom tools."""
        return completion.render(given, request)

    def decoder(self) -> ChatDecoder:
        """A fresh decoder for one stream of an upstream."""
        return ChatDecoder()

    def encoder(self, request: Request) -> ChatEncoder:
        """A fresh encoder for one client's stream."""
        return ChatEncoder(request)
