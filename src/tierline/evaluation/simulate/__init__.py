"""A spec on a workload: the same router, the same `pursue`, the same live state, answered by models of outcomes over reckoned time."""
