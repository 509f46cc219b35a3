"""The words of Tierline as values: what a request is, what is known about it, what was decided and what came of it.

Every type here is a frozen `msgspec.Struct`: cheap to make, safe to share, and serialisable as it stands. Those that are made for every
request are hidden from the collector of cycles (`gc=False`): values that hold nothing but values cannot be part of one, and looking
through them cost a busy process a twenty-fifth of its time. A type that may come to hold an exception, a callable or anything else that can
refer back to it must not be hidden.
Nothing in this package knows a clock, dice, the environment, logging or I/O.
"""
