"""The trace of an example beside each bucket of a histogram, in the exposition of OpenMetrics.

Kept apart from the client library's own, whose files for several workers hold none: each worker shows those that it knows.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from time import time

from prometheus_client import Metric
from prometheus_client.samples import Exemplar
from prometheus_client.utils import INF, floatToGoString


class Examples:
    """The newest example of every bucket, by one label's value. There are at most as many as the histogram has buckets."""

    def __init__(self, histogram: str, label: str, bounds: Sequence[float]) -> None:
        self._histogram = histogram
        self._label = label
        self._bounds = (*bounds, INF)
        self._of: dict[tuple[str, str], Exemplar] = {}

    def note(self, labelled: str, value: float, trace: str) -> None:
        """A value that was seen in that trace."""
        bound = self._bounds[bisect_left(self._bounds, value)]
        self._of[labelled, floatToGoString(bound)] = Exemplar({"trace_id": trace}, value, time())  # type: ignore[no-untyped-call]

    def shown(self, families: Iterable[Metric]) -> Iterator[Metric]:
        """The same families, with the examples at their buckets."""
        for family in families:
            if family.name == self._histogram and self._of:
                family.samples = [
                    sample._replace(exemplar=self._of.get((sample.labels[self._label], sample.labels["le"])))
                    if sample.name.endswith("_bucket")
                    else sample
                    for sample in family.samples
                ]
            yield family
