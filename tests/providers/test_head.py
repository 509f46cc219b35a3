"""The head of a call: the target as it may be written, the host as it is to be named, and nothing that a value could add."""

from __future__ import annotations

import pytest

from tierline.providers.head import Heads
from tierline.types.errors import ProviderFailure


def head(base_url: str = "http://up/v1", path: str = "/chat", own: dict[str, str] | None = None, **headers: str) -> list[str]:
    """The lines of a head."""
    return Heads(base_url, headers).of(path, own or {}, 2).decode().removesuffix("\r\n\r\n").split("\r\n")


@pytest.mark.parametrize(
    ("base_url", "host"),
    [
        ("http://up/v1", "up"),
        ("http://up:8080/v1", "up:8080"),
        ("http://up:80/v1", "up"),
        ("https://up:443/v1", "up"),
        ("https://up:80/v1", "up:80"),
        ("http://up:443/v1", "up:443"),
        ("http://up:/v1", "up"),
        ("http://[::1]:8080/v1", "[::1]:8080"),
        ("http://[::80]/v1", "[::80]"),
        ("https://[2001:db8::1]:443/v1", "[2001:db8::1]"),
        ("http://bücher.example:8080/v1", "xn--bcher-kva.example:8080"),
        ("http://me:secret@up:8080/v1", "up:8080"),
        (f"http://{'ü' * 64}.example/v1", "%C3%BC" * 64 + ".example"),
    ],
)
def test_the_host_is_named_as_the_upstream_knows_it(base_url: str, host: str) -> None:
    assert f"host: {host}" in head(base_url)


@pytest.mark.parametrize(
    ("base_url", "path", "target"),
    [
        ("http://up/v1", "/chat", "/v1/chat"),
        ("http://up/v1/", "/chat", "/v1/chat"),
        ("http://up", "/chat", "/chat"),
        ("http://up/v1", "/chat?api-version=1&x=a,b", "/v1/chat?api-version=1&x=a,b"),
        ("http://up/v1", "/models/org%2Fname:generate", "/v1/models/org%2Fname:generate"),
        ("http://up/v1", '/a b"<>\\^`{|}#c', "/v1/a%20b%22%3C%3E%5C%5E%60%7B%7C%7D%23c"),
        ("http://up/größe", "/é", "/gr%C3%B6%C3%9Fe/%C3%A9"),
        ("http://up/v1", "/x HTTP/1.1\r\nx-admin: 1\r\n\r\n\0", "/v1/x%20HTTP/1.1%0D%0Ax-admin:%201%0D%0A%0D%0A%00"),
    ],
)
def test_a_target_holds_what_may_be_written_in_one(base_url: str, path: str, target: str) -> None:
    assert head(base_url, path)[0] == f"POST {target} HTTP/1.1"


@pytest.mark.parametrize(
    ("who", "told"),
    [("me:secret", "Basic bWU6c2VjcmV0"), ("me", "Basic bWU6"), ("m%40e:s%3Ae", "Basic bUBlOnM6ZQ=="), ("a@b:c", "Basic YUBiOmM=")],
)
def test_who_stands_in_the_address_signs_in(who: str, told: str) -> None:
    assert f"authorization: {told}" in head(f"http://{who}@up/v1")


def test_a_secret_wins_over_who_stands_in_the_address() -> None:
    lines = head("http://me:secret@up/v1", authorization="Bearer s3cret")
    assert [line for line in lines if line.startswith("authorization")] == ["authorization: Bearer s3cret"]


def test_headers_of_a_call_win_over_those_of_every_call() -> None:
    lines = head(own={"x-one": "call", "x-two": "2"}, **{"x-one": "every", "x-three": "3"})
    assert sorted(lines[1:]) == ["content-length: 2", "host: up", "x-one: call", "x-three: 3", "x-two: 2"]


def test_the_same_path_has_the_same_head_again() -> None:
    heads = Heads("http://up/v1", {"x-one": "1"})
    assert heads.of("/chat", {"x-two": "2"}, 7) == heads.of("/chat", {"x-two": "2"}, 7)
    assert heads.of("/embeddings", {}, 7).startswith(b"POST /v1/embeddings HTTP/1.1\r\n")


@pytest.mark.parametrize("name", ["content-length", "transfer-encoding", "connection"])
def test_where_a_call_ends_is_for_nobody_else_to_say(name: str) -> None:
    assert sorted(head(own={name: "chunked"}, **{name: "7"})[1:]) == ["content-length: 2", "host: up"]


def test_an_empty_value_and_one_beyond_ascii_are_written_as_they_are() -> None:
    assert {"x-empty: ", "x-name: größe"} <= set(head(own={"x-empty": "", "x-name": "größe"}))


@pytest.mark.parametrize("wrong", ["a\nb", "a\rb", "a\r\nx-admin: 1", "a\0b"])
@pytest.mark.parametrize("whose", ["own", "every"])
@pytest.mark.parametrize("what", ["name", "value"])
def test_no_name_and_no_value_adds_a_line(wrong: str, whose: str, what: str) -> None:
    header = {wrong: "s3cret"} if what == "name" else {"x-key": f"s3cret{wrong}"}
    with pytest.raises(ProviderFailure) as failed:
        head(own=header) if whose == "own" else head(**header)
    assert "s3cret" not in failed.value.message


def test_two_wrongs_are_no_right() -> None:
    with pytest.raises(ProviderFailure):
        head(own={"a\n": "1", "b\r": "2"})
