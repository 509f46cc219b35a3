"""Bodies that come packed: whole and in pieces, broken off, broken, and packed so tight that nobody means it."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.raw_upstream import Connection, Run, call, listening
from tierline.providers.http import HttpProvider
from tierline.providers.unpacking import MOST, unpacking
from tierline.types.errors import ProviderFailure

TEXT = b'{"choices":[{"text":"' + bytes(range(32, 127)) * 50 + b'"}]}'


def bare(text: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(text) + packer.flush()


PACKED = {"gzip": gzip.compress(TEXT), "x-gzip": gzip.compress(TEXT), "deflate": zlib.compress(TEXT), " GZip ": gzip.compress(TEXT)}


async def got(encoding: str, packed: bytes, *, stream: bool) -> bytes:
    """What a call gives whose answer comes packed, in pieces of seven bytes where it is a stream."""

    async def answers(connection: Connection) -> None:
        await connection.request()
        if not stream:
            await connection.answer(packed, headers=f"content-encoding: {encoding}\r\n")
            return
        await connection.begin_stream(f"content-encoding: {encoding}\r\n")
        for at in range(0, len(packed), 7):
            await connection.piece(packed[at : at + 7])
        await connection.end_stream()

    async with listening(answers) as upstream:
        provider = HttpProvider(upstream.endpoint())
        try:
            reply = await provider.send(call(stream=stream))
            if not stream:
                return await reply.body()
            text = b""
            while (piece := await reply.chunk()) is not None:
                assert piece
                text += piece
            return text
        finally:
            await provider.close()


async def fails(encoding: str, packed: bytes, *, stream: bool) -> str:
    with pytest.raises(ProviderFailure) as failed:
        await got(encoding, packed, stream=stream)
    return failed.value.kind


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("encoding", "packed"), [*PACKED.items(), ("deflate", bare(TEXT)), ("identity", TEXT), ("", TEXT)], ids=lambda value: str(value)[:8]
)
def test_what_is_packed_comes_unpacked(run: Run, encoding: str, packed: bytes, stream: bool) -> None:
    async def test() -> None:
        assert await got(encoding, packed, stream=stream) == TEXT

    run(test())


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_what_is_said_to_be_packed_and_is_empty_is_empty(run: Run, encoding: str, stream: bool) -> None:
    async def test() -> None:
        assert await got(encoding, b"", stream=stream) == b""

    run(test())


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_what_is_packed_and_broken_off_is_cut(run: Run, encoding: str, stream: bool) -> None:
    async def test() -> None:
        assert await fails(encoding, PACKED[encoding][:-3], stream=stream) == "cut"

    run(test())


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", b"no gzip at all"),
        ("gzip", PACKED["gzip"][:-8] + b"\0" * 8),
        ("gzip", PACKED["gzip"] + b"more"),
        ("gzip", PACKED["gzip"] * 2),
        ("deflate", b"\xff" * 20),
        ("br", b"\x1b"),
        ("gzip, gzip", gzip.compress(PACKED["gzip"])),
    ],
    ids=["garbage", "another sum", "more behind", "twice", "no deflate", "unknown", "packed twice"],
)
def test_what_cannot_be_unpacked_is_malformed_and_its_connection_closed(run: Run, encoding: str, packed: bytes, stream: bool) -> None:
    async def test() -> None:
        assert await fails(encoding, packed, stream=stream) == "malformed"

    run(test())


def test_the_upstream_of_an_answer_that_cannot_be_taken_is_left_at_once(run: Run) -> None:
    async def test() -> None:
        async def goes_on(connection: Connection) -> None:
            await connection.request()
            await connection.begin_stream("content-encoding: zstd\r\n")
            await connection.gone()
            left.append(True)

        left: list[bool] = []
        async with listening(goes_on) as upstream:
            provider = HttpProvider(upstream.endpoint())
            with pytest.raises(ProviderFailure) as failed:
                await provider.send(call(stream=True))
            assert failed.value.kind == "malformed"
            assert "zstd" in failed.value.message
            await upstream.all_gone()
            assert left == [True]
            await provider.close()

    run(test())


@pytest.mark.parametrize("piece", [1 << 18, 1000])
def test_a_bomb_is_refused_before_it_has_gone_off(piece: int) -> None:
    bomb = gzip.compress(b"\0" * (8 * MOST))
    way = unpacking("gzip")
    assert way is not None
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="more than"):
            for at in range(0, len(bomb), piece):
                way.take(bomb[at : at + piece])
        assert tracemalloc.get_traced_memory()[1] < 4 * MOST
    finally:
        tracemalloc.stop()


@given(st.binary(max_size=2000), st.sampled_from([gzip.compress, zlib.compress, bare]), st.lists(st.integers(1, 50)))
def test_any_text_comes_back_whatever_its_pieces(text: bytes, pack: object, lengths: list[int]) -> None:
    packed = pack(text)  # type: ignore[operator]
    way = unpacking("gzip" if pack is gzip.compress else "deflate")
    assert way is not None
    found = b""
    for length in lengths:
        if packed:
            found, packed = found + way.take(packed[:length]), packed[length:]
            assert way.whole == (not packed)
    if packed:
        found += way.take(packed)
    assert (found, way.whole) == (text, True)
