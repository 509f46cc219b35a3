"""Tokens of Google Cloud, by google-auth."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from typing import Any

import google.auth
import requests
from google.auth.transport.requests import Request
from google.oauth2 import service_account

from tierline.providers.credentials.renewed import Grant, Renewed, TokenHeaders, token_grant
from tierline.types.access import Endpoint
from tierline.types.errors import TierlineError

SCOPE = "https://www.googleapis.com/auth/cloud-platform"


def google_token(endpoint: Endpoint) -> TokenHeaders:
    """Signs in with the endpoint's service-account file, else with application default credentials, which are looked for at the first
    call. Raises TierlineError where the file is none."""
    source = _of_file(endpoint) if endpoint.credentials else _of_the_machine
    return TokenHeaders(Renewed("google-auth", _Fetch(source)))


class _Fetch:
    """Finds the credentials once, and gets a token of them at every call."""

    def __init__(self, source: Callable[[], Any]) -> None:
        self._source = source
        self._found: Any = None

    def __call__(self) -> Grant[dict[str, str]]:
        if self._found is None:
            self._found = self._source()
        with requests.Session() as session:
            self._found.refresh(Request(session))
        headers: dict[str, str] = {}
        self._found.apply(headers)
        ends_at = self._found.expiry.replace(tzinfo=datetime.UTC).timestamp()
        return token_grant({name.lower(): value for name, value in headers.items()}, time.time(), ends_at)


def _of_file(endpoint: Endpoint) -> Callable[[], Any]:
    try:
        read = service_account.Credentials.from_service_account_file(endpoint.credentials, scopes=[SCOPE])  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no service-account file"
        raise TierlineError(
            f"provider {endpoint.name}: credentials: {endpoint.credentials}: {reason}; give the JSON key of a service account"
        ) from None
    return lambda: read


def _of_the_machine() -> Any:
    return google.auth.default(scopes=[SCOPE])[0]
