"""A scorer of one's own: it wraps a router that says how likely only the strong model is good enough."""

import json
import math
import re
from pathlib import Path

import msgspec
from tierline.types.scores import Scores


class LogisticRouter:
    """A router of somebody else: a logistic function of the words. Any object with this one method can stand in its place."""

    def __init__(self, weights: Path) -> None:
        told = json.loads(weights.read_text())
        self._bias, self._words = told["bias"], told["words"]

    def calculate_strong_win_rate(self, prompt: str) -> float:
        """How likely the strong model's answer is better, in [0, 1]."""
        total = self._bias + sum(self._words.get(word, 0.0) for word in re.findall(r"\w+", prompt.lower()))
        return 1.0 / (1.0 + math.exp(-max(min(total, 50.0), -50.0)))


class ThresholdScorer:
    """Takes the win rate for the difficulty; the threshold stays in the spec (`difficulty: {fast: 0.5}`), where `tierline sweep` can
    try others. Within `unsure` of a half it abstains, and what it abstains on goes up, or is asked of a small model."""

    name = "threshold"

    class Options(msgspec.Struct, forbid_unknown_fields=True):
        unsure: float = 0.0
        characters: int = 4000

    def __init__(self, loaded, abstain_below, artifact="weights.json", options=Options()):
        self._router = LogisticRouter(loaded.path.parent / artifact)
        self._options = options

    def score(self, request, features):
        users = [turn for turn in request.messages if turn.role == "user"]
        words = "\n".join(part.text for turn in users[-1:] for part in turn.parts if hasattr(part, "text"))
        rate = self._router.calculate_strong_win_rate(words[: self._options.characters])
        return Scores(difficulty=round(rate, 4), abstained=abs(rate - 0.5) < self._options.unsure, by=self.name)

    def score_many(self, pairs):
        return [self.score(*pair) for pair in pairs]
