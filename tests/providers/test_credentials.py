"""Calls that are signed in with the credentials of a cloud: the official libraries against token endpoints on this machine."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import sys
import threading
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from azure.core.credentials import AccessToken
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as AwsKeys
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from providers.raw_upstream import Connection, Handler, Received, call, listening
from tierline.config.sign_in import LIBRARIES
from tierline.providers.credentials import credentials_of
from tierline.providers.credentials.azure import azure_token
from tierline.providers.http import HttpProvider
from tierline.types.access import Endpoint
from tierline.types.errors import ProviderFailure, TierlineError
from tierline.types.wire import Call

OK = b'{"choices":[]}'
ROBOT = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, 30))


def noting(got: list[Received], body: bytes = OK, status: str = "200 OK") -> Handler:
    """An upstream that keeps what it gets and says the same to everyone."""

    async def handle(connection: Connection) -> None:
        while True:
            got.append(await connection.request())
            await connection.answer(body, status=status, headers="content-type: application/json\r\n")

    return handle


async def sent(provider: HttpProvider, *calls: Call) -> None:
    for one in calls:
        reply = await provider.send(one)
        assert await reply.body() == OK
    await provider.close()


@pytest.fixture
def no_cloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An environment in which no cloud's library finds anything, on this machine or by asking the network."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return monkeypatch


def robot_file(folder: Path, token_uri: str) -> str:
    """The JSON key of a service account whose tokens are given at `token_uri`."""
    pem = ROBOT.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / "robot.json"
    data = {"type": "service_account", "project_id": "acme", "private_key_id": "k1", "private_key": pem.decode()}
    file.write_text(json.dumps({**data, "client_email": "robot@acme.iam.gserviceaccount.com", "token_uri": token_uri}))
    return str(file)


def claims(assertion: str) -> dict[str, Any]:
    """What a signed assertion says; raises InvalidSignature where another key than the robot's has signed it."""
    signed, _, signature = assertion.rpartition(".")
    ROBOT.public_key().verify(_unpacked(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    told: dict[str, Any] = json.loads(_unpacked(signed.partition(".")[2]))
    return told


def _unpacked(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.mark.parametrize("by", ["the file of the spec", "application default credentials"])
def test_google_gives_one_token_for_many_calls(by: str, no_cloud: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[Received] = []
    got: list[Received] = []
    token = b'{"access_token":"ya29.the-token","expires_in":3600,"token_type":"Bearer"}'

    async def test() -> None:
        async with listening(noting(asked, token)) as cloud, listening(noting(got)) as upstream:
            file = robot_file(tmp_path, f"http://127.0.0.1:{cloud.port}/token")
            no_cloud.setenv("GOOGLE_APPLICATION_CREDENTIALS", file)
            endpoint = upstream.endpoint(auth="google", credentials=file if by == "the file of the spec" else "")
            await sent(HttpProvider(endpoint), call(), call(), call())

    run(test())
    assert [received.headers["authorization"] for received in got] == ["Bearer ya29.the-token"] * 3
    (request,) = asked
    form = parse_qs(request.body.decode())
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    told = claims(form["assertion"][0])
    assert told["iss"] == "robot@acme.iam.gserviceaccount.com"
    assert told["scope"] == "https://www.googleapis.com/auth/cloud-platform"


def test_a_cloud_that_refuses_is_a_failure_of_the_attempt_that_tells_no_secret(no_cloud: pytest.MonkeyPatch, tmp_path: Path) -> None:
    refusal = b'{"error":"invalid_grant","error_description":"robot@acme is unknown"}'
    got: list[Received] = []

    async def test() -> None:
        async with listening(noting([], refusal, "400 Bad Request")) as cloud, listening(noting(got)) as upstream:
            file = robot_file(tmp_path, f"http://127.0.0.1:{cloud.port}/token")
            provider = HttpProvider(upstream.endpoint(auth="google", credentials=file))
            with pytest.raises(ProviderFailure) as failed:
                await provider.send(call())
            assert (failed.value.kind, failed.value.message) == ("auth", "google-auth gave no credentials: RefreshError")
            await provider.close()

    run(test())
    assert got == []


@pytest.mark.parametrize(
    ("content", "reason"), [(None, "No such file"), ("{}", "no service-account file"), ("}", "no service-account file")]
)
def test_a_file_that_is_no_service_account_is_named_at_the_start(content: str | None, reason: str, tmp_path: Path) -> None:
    file = tmp_path / "robot.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(TierlineError) as raised:
        HttpProvider(Endpoint("vertex", auth="google", base_url="https://x", credentials=str(file)))
    assert str(file) in raised.value.message
    assert reason in raised.value.message


def signature_holds(received: Received, secret: str, region: str, port: int) -> bool:
    """Whether a request bears the signature that botocore gives for what it says."""
    scheme, _, told = received.headers["authorization"].partition(" ")
    fields = dict(part.strip().split("=", 1) for part in told.split(","))
    key, _, scope = fields["Credential"].partition("/")
    names = fields["SignedHeaders"].split(";")
    signed = {name: received.headers[name] for name in names if name != "host"}
    url = f"http://{received.headers['host']}{received.line.split()[1]}"
    request = AWSRequest("POST", url, data=received.body, headers=signed)
    request.context["timestamp"] = received.headers["x-amz-date"]
    judge = SigV4Auth(AwsKeys(key, secret), "bedrock", region)
    expected = judge.signature(judge.string_to_sign(request, judge.canonical_request(request)), request)
    date = received.headers["x-amz-date"][:8]
    whole = scheme == "AWS4-HMAC-SHA256" and {"host", "x-amz-date"} <= set(names) and received.headers["host"] == f"127.0.0.1:{port}"
    return whole and scope == f"{date}/{region}/bedrock/aws4_request" and expected == fields["Signature"]


def test_aws_signs_each_call_for_its_address_and_body(no_cloud: pytest.MonkeyPatch) -> None:
    got: list[Received] = []

    async def test() -> None:
        async with listening(noting(got)) as upstream:
            no_cloud.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
            no_cloud.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
            provider = HttpProvider(upstream.endpoint(auth="aws", region="eu-central-1"))
            await sent(provider, call(), call(b'{"model":"another"}', path="/models/a:0/chat"), call("é ü".encode()))
            assert [signature_holds(received, SECRET, "eu-central-1", upstream.port) for received in got] == [True] * 3
            assert not signature_holds(got[0], "another secret", "eu-central-1", upstream.port)
            assert not signature_holds(got[0], SECRET, "us-east-1", upstream.port)
            got[0].body += b" "
            assert not signature_holds(got[0], SECRET, "eu-central-1", upstream.port)

    run(test())
    assert SECRET not in str(got)


def test_keys_that_expire_come_from_the_container_once_and_their_token_is_sent_along(no_cloud: pytest.MonkeyPatch) -> None:
    asked: list[Received] = []
    got: list[Received] = []
    ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    keys = {"AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": SECRET, "Token": "the-session", "Expiration": ends}

    async def test() -> None:
        async with listening(noting(asked, json.dumps(keys).encode())) as container, listening(noting(got)) as upstream:
            no_cloud.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"http://127.0.0.1:{container.port}/keys")
            await sent(HttpProvider(upstream.endpoint(auth="aws", region="us-east-1")), call(), call())
            assert all(signature_holds(received, SECRET, "us-east-1", upstream.port) for received in got)

    run(test())
    assert [received.headers["x-amz-security-token"] for received in got] == ["the-session"] * 2
    assert "x-amz-security-token" in got[0].headers["authorization"]
    assert len(asked) == 1


def test_a_machine_without_keys_of_amazon_fails_the_attempt(no_cloud: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        provider = HttpProvider(Endpoint("bedrock", auth="aws", base_url="http://127.0.0.1:9/v1", region="us-east-1"))
        with pytest.raises(ProviderFailure, match="botocore gave no credentials: NoCredentialsError"):
            await provider.send(call())
        await provider.close()

    run(test())


def test_a_signature_for_no_region_is_refused_at_the_start() -> None:
    with pytest.raises(TierlineError, match="provider bedrock: auth: aws needs a region"):
        HttpProvider(Endpoint("bedrock", auth="aws", base_url="https://gateway.example/v1"))


class OwnCredential:
    """A credential of Azure's kind that gives numbered tokens, once its gate is open."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.asked: list[tuple[str, ...]] = []

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        assert self.gate.wait(10)
        self.asked.append(scopes)
        return AccessToken(f"entra-{len(self.asked)}", int(time.time()) + 3600)


def test_azure_gives_a_token_for_its_ai_services() -> None:
    got: list[Received] = []
    credential = OwnCredential()
    credential.gate.set()

    async def test() -> None:
        async with listening(noting(got)) as upstream:
            endpoint = upstream.endpoint(auth="azure")
            await sent(HttpProvider(endpoint, azure_token(endpoint, credential)), call(), call())

    run(test())
    assert [received.headers["authorization"] for received in got] == ["Bearer entra-1"] * 2
    assert credential.asked == [("https://cognitiveservices.azure.com/.default",)]


def test_azure_finds_the_identity_of_the_machine_by_itself(no_cloud: pytest.MonkeyPatch) -> None:
    asked: list[Received] = []
    got: list[Received] = []
    token = {"access_token": "of-the-machine", "expires_on": str(int(time.time()) + 7200), "resource": "x", "token_type": "Bearer"}

    async def test() -> None:
        async with listening(noting(asked, json.dumps(token).encode())) as machine, listening(noting(got)) as upstream:
            no_cloud.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{machine.port}/token")
            no_cloud.setenv("IDENTITY_HEADER", "of-this-machine")
            await sent(HttpProvider(upstream.endpoint(auth="azure")), call())

    run(test())
    assert got[0].headers["authorization"] == "Bearer of-the-machine"
    assert "resource=https" in asked[0].line


def test_waiting_for_a_token_counts_as_waiting_for_the_upstream() -> None:
    credential = OwnCredential()

    async def test() -> None:
        endpoint = Endpoint("azure", auth="azure", base_url="http://127.0.0.1:9/v1")
        provider = HttpProvider(endpoint, azure_token(endpoint, credential))
        with pytest.raises(ProviderFailure) as failed:
            await provider.send(call(timeout=0.05))
        credential.gate.set()
        assert failed.value.kind == "timeout"
        await provider.close()

    run(test())


@pytest.mark.parametrize("auth", ["bearer", "none", "x-api-key", "api-key"])
def test_what_never_changes_needs_no_credentials_of_a_cloud(auth: str) -> None:
    assert credentials_of(Endpoint("p", auth=auth, secret="s3cret")) is None


@pytest.mark.parametrize(("auth", "module"), [("google", "google.auth"), ("azure", "azure.identity"), ("aws", "botocore.auth")])
def test_a_library_that_is_not_installed_is_asked_for_by_its_extra(auth: str, module: str) -> None:
    program = f"""
import sys
from tierline.providers.http import HttpProvider
from tierline.types.access import Endpoint
HttpProvider(Endpoint("p", secret="s3cret"))
assert not {{"google.auth", "azure.identity", "botocore"}} & set(sys.modules), "a fixed key must load no cloud's library"
sys.modules["{module}"] = None
try:
    HttpProvider(Endpoint("cloud", auth="{auth}", base_url="https://x", region="us-east-1"))
except Exception as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    library = LIBRARIES[auth]
    assert done.stdout.strip() == (
        f"provider cloud: auth: {auth} needs {library.package}, which is not installed: pip install 'tierline[{library.extra}]'"
    )
