"""SigV4 signatures for Amazon Bedrock, by botocore."""

from __future__ import annotations

import math
import time
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials, RefreshableCredentials
from botocore.exceptions import NoCredentialsError
from botocore.session import Session

from tierline.config.sign_in import aws_scope
from tierline.providers.credentials.renewed import Grant, Renewed
from tierline.types.access import Endpoint
from tierline.types.errors import TierlineError

_LOOK_EVERY = 60.0
"""Seconds after which keys that expire are asked for again. botocore renews them ten to fifteen minutes before their end, but only
when it is asked, and then it blocks."""
_TRUSTED = 300.0
"""Seconds for which such keys are used without botocore's word."""


def aws_signature(endpoint: Endpoint, session: Session | None = None) -> AwsSignature:
    """Signs for the service and region of the endpoint with the keys of botocore's chain: environment, profile, single sign-on, the
    role of the container or machine. Raises TierlineError where no region is known."""
    scope = aws_scope(endpoint.base_url, endpoint.region)
    if scope is None:
        raise TierlineError(f"provider {endpoint.name}: auth: aws needs a region of Amazon's: add region: us-east-1, or whichever it is")
    return AwsSignature(*scope, Renewed("botocore", _Fetch(Session() if session is None else session)))


class AwsSignature:
    """Headers that hold for one call only: they sign its address, its body and the moment."""

    def __init__(self, service: str, region: str, keys: Renewed[ReadOnlyCredentials]) -> None:
        self._service = service
        self._region = region
        self._keys = keys

    async def headers(self, url: str, body: bytes) -> dict[str, str]:
        """The signature of a POST of `body` to `url`; raises ProviderFailure (`auth`)."""
        request = AWSRequest("POST", url, data=body)
        SigV4Auth(await self._keys.value(), self._service, self._region).add_auth(request)
        return {name.lower(): value for name, value in request.headers.items()}


class _Fetch:
    """Finds the keys' source once, and asks it for keys at every call."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._found: Any = None

    def __call__(self) -> Grant[ReadOnlyCredentials]:
        if self._found is None:
            self._found = self._session.get_credentials()
        if self._found is None:
            raise NoCredentialsError
        keys = self._found.get_frozen_credentials()
        if not isinstance(self._found, RefreshableCredentials):
            return Grant(keys, math.inf, math.inf)
        now = time.time()
        return Grant(keys, now + _LOOK_EVERY, now + _TRUSTED)
