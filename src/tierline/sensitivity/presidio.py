"""The deeper detector: names, places and what else Microsoft Presidio finds with a model of language. Extra `pii-deep`.

Presidio reads with a spaCy model, which is installed apart (`python -m spacy download en_core_web_sm`) and named in
`TIERLINE_SPACY_MODEL` where it is another.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from tierline.config.loaded import Loaded
from tierline.types.errors import TierlineError
from tierline.types.sensitivity import Spotted

MODEL = "en_core_web_sm"
ENTITIES: Mapping[str, str] = {
    "PERSON": "person",
    "LOCATION": "location",
    "NRP": "nationality",
    "DATE_TIME": "date",
}
"""Presidio's kinds → ours. What the built-in patterns find is left to them; Presidio would look up the ends of addresses on the network."""

LEAST_SCORE = 0.5
"""Presidio's own certainty below which a find does not count."""


class Presidio:
    """Finds those kinds of `governance.detect` that Presidio knows."""

    name = "presidio"

    def __init__(self, loaded: Loaded) -> None:
        """Raises TierlineError where the extra or its model is not installed."""
        wanted = loaded.spec.governance.detect
        self._entities = [entity for entity, kind in ENTITIES.items() if kind in wanted]
        self.kinds = tuple(dict.fromkeys(ENTITIES[entity] for entity in self._entities))
        self._engine = _engine(os.environ.get("TIERLINE_SPACY_MODEL", MODEL))

    def find(self, text: str) -> list[Spotted]:
        """Everything of these kinds, as Presidio sees it in English."""
        if not self._entities:
            return []
        found = self._engine.analyze(text=text, language="en", entities=self._entities, score_threshold=LEAST_SCORE)
        return [Spotted(ENTITIES[one.entity_type], one.start, one.end) for one in found]


def _engine(model: str) -> Any:
    try:
        import spacy  # an optional extra  # noqa: PLC0415
        from presidio_analyzer import AnalyzerEngine  # noqa: PLC0415
        from presidio_analyzer.nlp_engine import NlpEngineProvider  # noqa: PLC0415
    except ImportError:
        raise TierlineError("the detector presidio is not installed → pip install 'tierline[pii-deep]'") from None
    if not spacy.util.is_package(model):  # Presidio would fetch it from the network
        raise TierlineError(f"the spaCy model {model!r} is not installed → python -m spacy download {model}")
    setting = {"nlp_engine_name": "spacy", "models": [{"lang_code": "en", "model_name": model}]}
    return AnalyzerEngine(nlp_engine=NlpEngineProvider(nlp_configuration=setting).create_engine(), supported_languages=["en"])
