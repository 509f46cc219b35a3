"""`lookup`: a table of questions and answers, held in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tierline.answerers.normalise import normalised
from tierline.answerers.question import question
from tierline.config.answer_table import read_table
from tierline.config.loaded import Loaded
from tierline.config.tools_first import LookupTool, settings
from tierline.types.ask import Hit
from tierline.types.errors import AnswererFailure
from tierline.types.features import Features
from tierline.types.request import Request


class Lookup:
    """Answers the questions of one table. Raises AnswererFailure where the table cannot be read."""

    def __init__(self, entry: Mapping[str, Any], loaded: Loaded) -> None:
        given: LookupTool = settings(LookupTool, entry)
        self.name = f"lookup:{given.lookup}"
        self._key = normalised if given.match == "normalised" else str.strip
        try:
            rows = list(read_table(loaded.path.parent / given.lookup, given.question, given.answer))
        except ValueError as error:
            raise AnswererFailure(f"{self.name}: {error}") from None
        self._answers = {self._key(asked): answer for _, asked, answer in rows}

    async def answer(self, request: Request, features: Features) -> Hit | None:  # noqa: ARG002  # the protocol's
        """The answer that stands beside the question, where the table has it."""
        asked = question(request)
        found = self._answers.get(self._key(asked)) if asked else None
        return None if found is None else Hit(found)

    async def close(self) -> None:
        """Nothing is open."""
