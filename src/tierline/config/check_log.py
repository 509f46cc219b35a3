"""Can the decision log be kept where the spec says?"""

from __future__ import annotations

from tierline.config.case import Case
from tierline.config.environment import has_placeholder

SCHEMES = ("postgresql://", "postgres://")


def examine_log(case: Case) -> None:
    """Reports a database that is none of those a log can be kept in."""
    log = case.spec.decision_log
    for name, url in (("url", log.url), ("read_url", log.read_url)):
        if url and not has_placeholder(url) and not url.startswith(SCHEMES):
            reason = "this is no address of a PostgreSQL database"
            case.problems.error(("decision_log", name), reason, "write postgresql://USER:PASSWORD@HOST:5432/DATABASE")
