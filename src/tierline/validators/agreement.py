"""`agreement`: another model, asked the same, says the same."""

from __future__ import annotations

from collections.abc import Generator

from tierline.config.answer_checks import AgreementCheck
from tierline.config.loaded import Loaded
from tierline.config.validation import Check
from tierline.interfaces import Examination
from tierline.types.ask import Ask, Exchange, Told
from tierline.types.outcome import Finding
from tierline.validators.calls import NOTHING_SAID, says_nothing
from tierline.validators.ladder import last_models
from tierline.validators.normalise import normalised_all


class Agreement:
    """See `AgreementCheck`. Answers of the last model pass unasked: there is nobody to climb to. So do those of the other model itself."""

    asks = True

    def __init__(self, check: Check, loaded: Loaded) -> None:
        settings = check.read(AgreementCheck)
        self.name = check.name
        self._other = settings.agreement
        self._how = settings.normalise
        self._believed = last_models(check, loaded)

    def check(self, exchange: Exchange) -> Finding | Examination:
        """Asks the other model, unless the answer is believed as it is."""
        if says_nothing(exchange):
            return NOTHING_SAID
        if exchange.model in self._believed:
            return Finding(True, "the last model is believed")
        if exchange.model == self._other:
            return Finding(False, "it would agree with itself")
        return self._ask(exchange)

    def _ask(self, exchange: Exchange) -> Generator[Ask, Told, Finding]:
        told = yield Ask(self._other, same=True)
        if not told.ok:
            return Finding(False, "the other model gave no answer")
        mine, other = normalised_all((exchange.text, told.text), self._how)
        if mine is None or other is None:
            return Finding(False, f"nothing to compare by {self._how}", 0.0)
        if mine == other:
            return Finding(True, "the other model says the same", 1.0)
        return Finding(False, "the other model says something else", 0.0, feedback="Another model came to a different result. Check yours.")
