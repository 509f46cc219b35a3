"""Every panel's routes, in one table."""

from __future__ import annotations

from collections.abc import Callable

from tierline.server.panels import alerts, decisions, due, explanations, models, overview, pages, session, specs
from tierline.server.panels.ground import Ground
from tierline.server.route import Routes

PANELS: tuple[Callable[[Ground], Routes], ...] = (
    pages.routes,
    session.routes,
    overview.routes,
    decisions.routes,
    explanations.routes,
    alerts.routes,
    models.routes,
    due.routes,
    specs.routes,
)
"""What makes each panel's routes."""


def routes_of(ground: Ground) -> Routes:
    """The routes of every panel."""
    panels = [made(ground) for made in PANELS]
    exact = {at: route for panel in panels for at, route in panel.exact.items()}
    return Routes(exact, {at: route for panel in panels for at, route in panel.below.items()})
