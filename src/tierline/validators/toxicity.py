"""`toxicity`: the answer is not offensive, as a small English model sees it."""

from __future__ import annotations

import re

from profanity_check import predict_prob

from tierline.config.answer_checks import ToxicityCheck
from tierline.config.loaded import Loaded
from tierline.config.validation import Check
from tierline.types.ask import Exchange
from tierline.types.outcome import Finding

_SENTENCE = re.compile(r"[^.!?\n]+[.!?]*")
_SENTENCES = 200
_LONGEST = 500
"""Characters of one sentence that are looked at."""


class Toxicity:
    """See `ToxicityCheck`. It knows English words of offence, not arguments: contempt in polite words passes."""

    asks = False

    def __init__(self, check: Check, loaded: Loaded) -> None:
        self.name = check.name
        self._limit = check.read(ToxicityCheck).toxicity

    def check(self, exchange: Exchange) -> Finding:
        """The most offensive sentence counts; only the first two hundred are looked at."""
        sentences = [match[0].strip()[:_LONGEST] for match in _SENTENCE.finditer(exchange.text)]
        sentences = [sentence for sentence in sentences if any(map(str.isalpha, sentence))][:_SENTENCES]
        worst = max(map(float, predict_prob(sentences)), default=0.0) if sentences else 0.0
        said = f"probability of offence {worst:.2f}, at most {self._limit:g}"
        if worst <= self._limit:
            return Finding(True, said, 1.0 - worst)
        return Finding(False, said, 1.0 - worst, feedback="The answer is offensive. Say it in decent words.")
