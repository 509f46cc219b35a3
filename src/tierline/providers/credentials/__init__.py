"""Signing in with the credentials of a cloud: headers that change from hour to hour, or from call to call.

    google   a token of application default credentials, or of a service-account file
    azure    a token of whatever azure-identity finds: environment, workload identity, managed identity, the command line
    aws      a SigV4 signature over each call, with the keys of botocore's own chain

Each cloud's official library does the work; it is imported only where a provider asks for it. Keys that never change are no
matter of this folder: `providers/http` sends them as fixed headers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from tierline.config.sign_in import LIBRARIES
from tierline.types.access import Endpoint
from tierline.types.errors import TierlineError


class Credentials(Protocol):
    """What signs the calls to one provider."""

    async def headers(self, url: str, body: bytes) -> Mapping[str, str]:
        """The headers, by lower-case name, that sign in a POST of `body` to `url`. Waits only while there is nothing valid at hand.

        Raises ProviderFailure (`auth`) when the cloud gives none."""


def credentials_of(endpoint: Endpoint) -> Credentials | None:
    """The credentials that the endpoint's `auth` asks for, None where its headers never change.

    Raises TierlineError where the cloud's library is not installed, or a file of credentials cannot be read."""
    make = _MAKERS.get(endpoint.auth)
    if make is None:
        return None
    try:
        return make(endpoint)
    except ImportError:
        library = LIBRARIES[endpoint.auth]
        raise TierlineError(
            f"provider {endpoint.name}: auth: {endpoint.auth} needs {library.package}, which is not installed: "
            f"pip install 'tierline[{library.extra}]'"
        ) from None


def _google(endpoint: Endpoint) -> Credentials:
    from tierline.providers.credentials.google import google_token  # noqa: PLC0415  # an optional extra

    return google_token(endpoint)


def _azure(endpoint: Endpoint) -> Credentials:
    from tierline.providers.credentials.azure import azure_token  # noqa: PLC0415  # an optional extra

    return azure_token(endpoint)


def _aws(endpoint: Endpoint) -> Credentials:
    from tierline.providers.credentials.aws import aws_signature  # noqa: PLC0415  # an optional extra

    return aws_signature(endpoint)


_MAKERS: Mapping[str, Callable[[Endpoint], Credentials]] = {"google": _google, "azure": _azure, "aws": _aws}
