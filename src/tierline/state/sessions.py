"""Which model answered a session last, and so holds its prompt cache: bounded, and forgotten after a silence. Time is an argument."""

from __future__ import annotations

from collections import OrderedDict

MOST = 20_000
"""Sessions kept; past it the one that was silent longest is forgotten."""


class Sessions:
    """Session digest → the model that answered last."""

    __slots__ = ("_known", "_most")

    def __init__(self, most: int = MOST) -> None:
        self._known: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._most = most

    def learn(self, now: float, session: str, model: str, ttl: float) -> None:
        """The model has answered; remember it for `ttl` seconds of silence."""
        self._known[session] = (model, now + ttl)
        self._known.move_to_end(session)
        if len(self._known) > self._most:
            self._known.popitem(last=False)

    def model(self, now: float, session: str) -> str:
        """The session's model; empty when it is not known (any more)."""
        model, until = self._known.get(session, ("", 0.0))
        if model and now >= until:
            del self._known[session]
            return ""
        return model

    def keep(self, models: set[str]) -> None:
        """Forget the sessions of all other models."""
        for session in [session for session, (model, _) in self._known.items() if model not in models]:
            del self._known[session]

    def __len__(self) -> int:
        return len(self._known)
