"""What is asked: logged requests grouped into at most twenty types, each with its share, its cost, and what routing it would save.

asked          one request, as far as grouping and reckoning need it
sample         the same requests of a seed, in whatever order they come
from_log       requests of a decision log, with their words where the log keeps them
from_requests  requests of a file, as the spec would decide them
traits         a request's features in words
terms          a text's n-grams
vectors        requests as points: traits, and words where they are kept
grouping       the points in groups, and how many groups
agreement      how alike two groupings are
naming         what sets a group apart
measure        a group's figures
saving         what it costs now against the cheapest model that clears the bar
suggest        an entry of `tasks:` for a group that has none
discover       all of it
"""
