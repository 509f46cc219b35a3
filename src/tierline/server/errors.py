"""Errors that only the HTTP face knows."""

from __future__ import annotations

import logging
import os
import traceback

from tierline.types.access import Key
from tierline.types.errors import LogFailure, RequestError, Unavailable

_logger = logging.getLogger("tierline.server")

RETRY_AFTER = 5.0
"""Seconds after which the ledger may be back."""


class NotFound(RequestError):
    """No such path."""

    status = 404
    code = "not_found"


class NoSuchDecision(RequestError):
    """No row with that id, or not one that the key may know of."""

    status = 404
    code = "decision_not_found"


class WrongMethod(RequestError):
    """The path is there, but not for this method; `allowed` are those it takes."""

    status = 405
    code = "method_not_allowed"

    def __init__(self, message: str, allowed: tuple[str, ...]) -> None:
        super().__init__(message)
        self.allowed = allowed


class BodyLate(RequestError):
    """The client took too long to send its body."""

    status = 408
    code = "request_timeout"


class InternalError(RequestError):
    """Something that should not happen; the log has it under the incident's number."""

    status = 500
    code = "internal_error"


def incident(error: Exception, path: str) -> InternalError:
    """Logged once: what kind of error and where, without its words, which may be the prompt's."""
    number = os.urandom(4).hex()
    where = "".join(traceback.format_list(traceback.extract_tb(error.__traceback__)))
    _logger.error("incident %s: %s on %s\n%s", number, type(error).__name__, ascii(path[:100])[1:-1], where)
    return InternalError(f"Tierline failed on this request; its log has the incident {number}")


def out_of_reach(failure: LogFailure, key: Key | None) -> Unavailable:
    """The ledger or the log cannot be read or written now. Operators are told why; whoever calls is not told of files and hosts."""
    _logger.error("a request needs the ledger or the log: %s", failure.message)
    why = f": {failure.message}" if key is not None and key.scopes & {"admin", "read"} else ""
    return Unavailable(f"the ledger or the decision log is out of reach, and nothing was changed; try again{why}", retry_after=RETRY_AFTER)
