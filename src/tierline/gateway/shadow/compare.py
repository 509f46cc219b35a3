"""How a shadow's answer stands against the client's, as a judge sees it that does not know which is which."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable

from tierline.gateway.choose import INSTRUCTION, Normalise, agreed, opinion
from tierline.ledger.shadows import Judgement
from tierline.types.ask import Ask, Told
from tierline.types.completion import Completion
from tierline.types.decision import Combine
from tierline.types.request import Request

_ALIKE = Combine("agreement", "text")


def judge_id(model: str) -> str:
    """The name of a judge: its model and a digest of what it is told to do."""
    return f"{model}@{hashlib.sha256(chr(0).join(INSTRUCTION).encode()).hexdigest()[:12]}"


async def compared(
    judge: str, clients: Completion, shadows: Completion, request: Request, normalise: Normalise, ask: Callable[[Ask], Awaitable[Told]]
) -> Judgement:
    """`won` or `lost` where the judge says so whichever answer it is shown first; `disagreed` where it names the other one when their
    order is turned; `same` where both say (or call) the same, without asking it; `unread` where it does not say."""
    pair = (clients, shadows)
    if agreed(_ALIKE, pair, normalise) is not None:
        return "same"
    first = await opinion(judge, pair, (0, 1), request, ask)
    if first is None:
        return "unread"
    second = await opinion(judge, pair, (1, 0), request, ask)
    if second is None:
        return "unread"
    if first != second:
        return "disagreed"
    return "won" if first == 1 else "lost"
