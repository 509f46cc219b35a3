"""One attempt's time: what its provider has of it, and until when content must have come."""

from __future__ import annotations

import time

import msgspec
import pytest

from gateway.scene import Says, Scene
from tierline.gateway.trial import Sent, Trial
from tierline.types.access import Endpoint
from tierline.types.decision import Attempt


@pytest.mark.parametrize(("own", "left", "seconds"), [(5.0, None, 5.0), (5.0, 2.0, 2.0), (5.0, 9.0, 5.0), (5.0, 0.0, 0.001)])
def test_a_provider_has_its_own_time_out_or_what_the_request_has_left(own: float, left: float | None, seconds: float) -> None:
    lane = Scene({"mini": [Says("yes")]}).lanes["mini"]
    trial = Trial(
        Attempt(1, "mini", timeout=left),
        msgspec.structs.replace(lane, endpoint=Endpoint("scene", timeout=own)),
        Sent(b"{}"),
        None,
        100,
        reads=False,
        held=False,
    )
    assert trial.longest == (own if left is None else left)
    assert trial.begin() == pytest.approx(seconds, abs=0.05)
    assert trial.content_by == pytest.approx(time.perf_counter() + seconds, abs=0.05)
