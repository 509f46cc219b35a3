"""The words of logged requests and of the answers given, where a route keeps them (`log_text`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tierline import plugins
from tierline.decision_log.opening import open_reader
from tierline.decision_log.reader import LogReader
from tierline.interfaces import Dialect
from tierline.scoring.learned.asked import asked
from tierline.types.completion import Broken, Completion, CompletionChoice, PartDelta
from tierline.types.conversation import Refusal, Text
from tierline.types.errors import TierlineError
from tierline.types.request import Request


class _Kept(msgspec.Struct, frozen=True):
    request: msgspec.Raw
    answer: msgspec.Raw = msgspec.Raw(b"null")


_read = msgspec.json.Decoder(_Kept).decode


class Exchanged(msgspec.Struct, frozen=True):
    """A request whose words were kept, the words that are judged (`prompt`), and the answer given; None where it cannot be read."""

    request: Request
    prompt: str
    answer: Completion | None

    @property
    def words(self) -> str:
        """Of the answer's first choice; empty where there is none."""
        return "" if self.answer is None else words_of(self.answer)


class Words:
    """Reads the words of one log. Raises LogFailure."""

    def __init__(self, log: LogReader) -> None:
        self._log = log
        self._dialects: dict[str, Dialect] = {
            name: found() for name, found in plugins.find_all("dialects", plugins.names("dialects")).items()
        }

    def of(self, request_id: str) -> Exchanged | None:
        """What was asked and answered; None where it was not kept or cannot be read."""
        record, body = self._log.get(request_id), self._log.text(request_id)
        if record is None or body is None or record.features.dialect not in self._dialects:
            return None
        dialect = self._dialects[record.features.dialect]
        try:
            kept = _read(body)
            request = dialect.parse(bytes(kept.request))
        except (TierlineError, msgspec.MsgspecError):
            return None
        return Exchanged(msgspec.structs.replace(request, id=request_id), asked(request), self._answer(dialect, bytes(kept.answer)))

    def _answer(self, dialect: Dialect, body: bytes) -> Completion | None:
        """Whole, or the text of a stream's events; in the client's dialect, else in any other."""
        try:
            streamed = msgspec.json.decode(body)
        except msgspec.MsgspecError:
            return None
        for one in (dialect, *self._dialects.values()):
            try:
                found = _of_stream(one, streamed.encode()) if isinstance(streamed, str) else one.read_completion(body)
            except (TierlineError, msgspec.MsgspecError):
                continue
            if found is not None and words_of(found):
                return found
        return None


@contextmanager
def words(path: Path | str) -> Iterator[Words]:
    """The words of the log at `path`, while the block lasts."""
    log = open_reader(path)
    try:
        yield Words(log)
    finally:
        log.close()


def words_of(completion: Completion) -> str:
    """The words of the first choice."""
    parts = completion.choices[0].parts if completion.choices else ()
    return "".join([part.text for part in parts if isinstance(part, Text | Refusal)])


def _of_stream(dialect: Dialect, events: bytes) -> Completion | None:
    decoder = dialect.decoder()
    found = [*decoder.feed(events), *decoder.finished()]
    if any(isinstance(event, Broken) for event in found):
        return None
    said = "".join([event.text for event in found if isinstance(event, PartDelta) and event.choice == 0])
    return Completion(dialect.name, "", "", (CompletionChoice((Text(said),)),))
