"""Anthropic's Messages: what Claude's own clients and upstreams speak."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tierline.dialects.anthropic_messages import answer, errors, expand, parse, render, upstream
from tierline.dialects.anthropic_messages import completion as whole
from tierline.dialects.anthropic_messages.decode import MessagesDecoder
from tierline.dialects.anthropic_messages.encode import MessagesEncoder
from tierline.dialects.anthropic_messages.stream import MessagesReader
from tierline.dialects.anthropic_messages.wire import NAME
from tierline.types.catalog import Model
from tierline.types.completion import Completion
from tierline.types.conversation import Conversation, Rendered
from tierline.types.errors import BadRequest, RequestError
from tierline.types.outcome import Answer, ErrorClass, Usage
from tierline.types.request import Kind, Request


class AnthropicMessages:
    """The dialect `anthropic_messages`. Bodies pass through with only the model changed; what routing needs is read beside it.

    Upstreams want the header `anthropic-version` (2023-06-01), and the client's own `anthropic-beta`."""

    name = NAME

    def parse(self, body: bytes, kind: Kind = "chat") -> Request:
        """A client's body → a neutral request; raises BadRequest with the field at fault."""
        if kind != "chat":
            raise BadRequest(f"Anthropic's dialect has no {kind}")
        return parse.chat(body)

    def parse_count(self, body: bytes) -> Request:
        """The body of POST /v1/messages/count_tokens → a neutral request; raises BadRequest with the field at fault."""
        return parse.count(body)

    def upstream_path(self, request: Request, model: Model) -> str:  # noqa: ARG002  # other dialects put the model in the path
        """`/messages`."""
        return "/messages"

    def count_path(self, request: Request, model: Model) -> str:  # noqa: ARG002  # as above
        """`/messages/count_tokens`, where an upstream of this dialect counts the same body without sending it to a model."""
        return "/messages/count_tokens"

    def upstream_body(self, request: Request, model: Model) -> bytes:
        """The client's own fields with `model` replaced, and without Tierline's metadata and what Tierline itself made up."""
        return upstream.body(request, model)

    def read_answer(self, request: Request, body: bytes) -> tuple[Answer, Usage | None]:  # noqa: ARG002  # other dialects have more kinds
        """An upstream's whole body → answer and usage; raises ProviderFailure: malformed, or the class of an error sent with status 200."""
        return answer.chat(body)

    def read_count(self, body: bytes) -> int:
        """The tokens that an upstream counted; raises ProviderFailure(malformed)."""
        return answer.read_count(body)

    def read_error(self, status: int, body: bytes) -> tuple[ErrorClass, str]:
        """An upstream's error → its class and a short message without what it quotes."""
        return errors.read(status, body)

    def reader(self, request: Request) -> MessagesReader:  # noqa: ARG002  # other dialects look at what the client asked for
        """A fresh reader for one stream of this request."""
        return MessagesReader()

    def render_error(self, error: RequestError) -> bytes:
        """`{"type": "error", "error": {type, message}}`."""
        return errors.render(error)

    def render_error_event(self, error: RequestError) -> bytes:
        """The same envelope as an `error` event; nothing follows it."""
        return b"event: error\ndata: " + errors.render(error) + b"\n\n"

    def render_models(self, models: Sequence[Mapping[str, Any]]) -> bytes:
        """`{"data": [...], "has_more": false, "first_id", "last_id"}`."""
        return answer.models(models)

    def render_count(self, tokens: int) -> bytes:
        """`{"input_tokens": tokens}`."""
        return answer.count(tokens)

    def expand(self, request: Request) -> Conversation:
        """A request of this dialect, whole; raises BadRequest for a field that has no meaning."""
        return expand.conversation(request)

    def render_body(self, conversation: Conversation, model: Model) -> Rendered:
        """The body for `model`, in the order of turns that Anthropic demands, and the names of what it cannot carry."""
        return render.body(conversation, model)

    def read_completion(self, body: bytes) -> Completion:
        """A whole answer of an upstream; raises ProviderFailure(malformed), or the class of an error sent with status 200."""
        return whole.read(body)

    def render_completion(self, completion: Completion, request: Request) -> bytes:
        """A whole answer as a client expects it; the model is named as the client named it."""
        return whole.render(completion, request)

    def decoder(self) -> MessagesDecoder:
        """A fresh decoder for one stream of an upstream."""
        return MessagesDecoder()

    def encoder(self, request: Request) -> MessagesEncoder:
        """A fresh encoder for one client's stream."""
        return MessagesEncoder(request)
