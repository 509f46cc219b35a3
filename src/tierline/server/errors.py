"""Errors that only the HTTP face knows."""

from __future__ import annotations

import logging
import os
import traceback

from tierline.types.errors import RequestError

_logger = logging.getLogger("tierline.server")


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
