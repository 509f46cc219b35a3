"""The words of Tierline as values: what a request is, what is known about it, what was decided and what came of it.

Every type here is a frozen `msgspec.Struct`: cheap to make, safe to share, and serialisable as it stands.
Nothing in this package knows a clock, dice, the environment, logging or I/O.
"""
