"""What came of a request, for its client and for the log."""

from __future__ import annotations

import msgspec

from tierline.gateway.tools_first import NOT_ASKED, Found
from tierline.types.decision import Decision
from tierline.types.errors import RequestError
from tierline.types.outcome import Answer, Result


class Answered(msgspec.Struct, frozen=True):
    """What came of a request. `error` is set where nothing (or, of a stream, not all) was answered; its status is what the client
    is told. `overhead` is seconds spent in Tierline itself; `explained` the decision in sentences, where the client wished for them.
    `found` is what came of the tools that were asked first, `told` the answer of the one that had it; `revealed` is the answer with the
    client's own values in it, where placeholders had stood for them."""

    decision: Decision
    result: Result
    error: RequestError | None = None
    overhead: float = 0.0
    explained: str = ""
    found: Found = NOT_ASKED
    told: Answer | None = None
    revealed: Answer | None = None

    @property
    def answer(self) -> Answer | None:
        """What answers the request, a model's or a tool's; None when nothing does."""
        if self.revealed is not None:
            return self.revealed
        return self.told if self.result.outcome is None else self.result.outcome.answer

    @property
    def cost(self) -> float:
        """USD over every attempt and every call beside them."""
        return self.result.cost + self.found.cost

    @property
    def tokens(self) -> int:
        """Tokens in and out of every attempt and every call beside them."""
        beside = [aside.usage for _, outcome in self.result.attempts for aside in outcome.asides] + [
            aside.usage for aside in self.found.asides
        ]
        return sum(usage.input + usage.output for usage in [*(outcome.usage for _, outcome in self.result.attempts), *beside])

    @property
    def status(self) -> int:
        """The HTTP status: 200, or the error's."""
        return 200 if self.error is None else self.error.status
