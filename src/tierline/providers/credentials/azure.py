"""Tokens of Microsoft Entra for Azure's AI services, by azure-identity."""

from __future__ import annotations

import time

from azure.core.credentials import TokenCredential
from azure.identity import DefaultAzureCredential

from tierline.providers.credentials.renewed import Grant, Renewed, TokenHeaders, token_grant
from tierline.types.access import Endpoint

SCOPE = "https://cognitiveservices.azure.com/.default"


def azure_token(_: Endpoint, credential: TokenCredential | None = None) -> TokenHeaders:
    """Signs in with `credential`, by default with the first that azure-identity finds: environment, workload identity, managed
    identity, the command line's own."""
    source = DefaultAzureCredential() if credential is None else credential

    def fetch() -> Grant[dict[str, str]]:
        token = source.get_token(SCOPE)
        return token_grant({"authorization": f"Bearer {token.token}"}, time.time(), float(token.expires_on))

    return TokenHeaders(Renewed("azure-identity", fetch))
