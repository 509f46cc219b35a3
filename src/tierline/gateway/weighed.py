"""What is known of a request between deciding and calling."""

from __future__ import annotations

import msgspec

from tierline.state.purse import Purse
from tierline.types.decision import Decision
from tierline.types.features import Features
from tierline.types.request import Request
from tierline.types.scores import Scores
from tierline.types.view import View


class Weighed(msgspec.Struct, frozen=True):
    """A request that has been decided on: all that the decision was made from, and the decision. Nothing has been called yet. `purse` is
    what it spends by, None where no budget is to be kept."""

    request: Request
    features: Features
    scores: Scores
    view: View
    decision: Decision
    purse: Purse | None = None
