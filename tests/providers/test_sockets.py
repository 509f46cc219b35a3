"""Sockets that are kept in the system's list between two transfers: nothing is missed, nothing is told for nothing."""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Callable, Iterator

import pycurl
import pytest

from tierline.providers.sockets import Listing, Selected, Sockets

KINDS = [pytest.param(select.epoll, id="epoll"), pytest.param(Selected, id="selector")]


@pytest.fixture(params=KINDS)
def listing(request: pytest.FixtureRequest) -> Iterator[Listing]:
    make: Callable[[], Listing] = request.param
    made = make()
    yield made
    made.close()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


Pair = tuple[socket.socket, socket.socket]


def quiet(listing: Listing) -> bool:
    return not select.select([listing.fileno()], [], [], 0)[0]


def test_a_socket_is_told_as_ready_for_what_it_is_watched_for(listing: Listing, pair: Pair) -> None:
    ours, theirs = pair
    sockets = Sockets(listing)
    sockets.watch(ours.fileno(), pycurl.POLL_IN)
    assert sockets.ready() == []
    theirs.send(b"x")
    assert sockets.ready() == [(ours.fileno(), pycurl.CSELECT_IN)]
    sockets.watch(ours.fileno(), pycurl.POLL_OUT)
    assert sockets.ready() == [(ours.fileno(), pycurl.CSELECT_OUT)]
    sockets.watch(ours.fileno(), pycurl.POLL_INOUT)
    assert sockets.ready() == [(ours.fileno(), pycurl.CSELECT_IN | pycurl.CSELECT_OUT)]


def test_a_socket_that_is_left_can_be_watched_again(listing: Listing, pair: Pair) -> None:
    ours, theirs = pair
    sockets = Sockets(listing)
    for _ in range(3):
        sockets.watch(ours.fileno(), pycurl.POLL_IN)
        theirs.send(b"x")
        assert sockets.ready() == [(ours.fileno(), pycurl.CSELECT_IN)]
        ours.recv(1)
        sockets.leave(ours.fileno())


@pytest.mark.parametrize("end", [socket.socket.close, lambda theirs: theirs.send(b"unasked")], ids=["closed", "bytes"])
def test_what_comes_to_a_left_socket_wakes_nobody_twice_and_is_there_when_it_is_watched_again(
    listing: Listing, pair: Pair, end: Callable[[socket.socket], object]
) -> None:
    ours, theirs = pair
    sockets = Sockets(listing)
    sockets.watch(ours.fileno(), pycurl.POLL_IN)
    sockets.leave(ours.fileno())
    end(theirs)
    assert sockets.ready() == []
    assert quiet(listing)
    sockets.watch(ours.fileno(), pycurl.POLL_IN)
    assert sockets.ready() == [(ours.fileno(), pycurl.CSELECT_IN)]


def test_another_socket_with_the_number_of_a_left_one_is_watched(listing: Listing, pair: Pair) -> None:
    ours, _ = pair
    number = ours.fileno()
    sockets = Sockets(listing)
    sockets.watch(number, pycurl.POLL_IN)
    sockets.leave(number)
    other, its_end = socket.socketpair()
    with other, its_end:
        os.dup2(other.fileno(), number)  # closes what had the number
        sockets.watch(number, pycurl.POLL_IN)
        its_end.send(b"x")
        assert sockets.ready() == [(number, pycurl.CSELECT_IN)]


def test_a_left_socket_that_is_closed_is_never_told_of(listing: Listing, pair: Pair) -> None:
    ours, theirs = pair
    sockets = Sockets(listing)
    sockets.watch(ours.fileno(), pycurl.POLL_IN)
    sockets.leave(ours.fileno())
    ours.close()
    theirs.close()
    assert sockets.ready() == []
    assert quiet(listing)
