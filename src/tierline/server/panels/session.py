"""Who looks at the dashboard, and the names that its filters offer."""

from __future__ import annotations

from tierline import __version__
from tierline.server.exchange import Exchange
from tierline.server.panels.ground import Ground
from tierline.server.route import Route, Routes


class Session:
    """Handlers for keys with the scope `read`."""

    async def show(self, exchange: Exchange) -> None:
        """GET /admin/session: the key's name, whether it may change something and ask models, and the names in the spec at work."""
        loaded = exchange.gateway.loaded
        routes = loaded.spec.routes
        exchange.json(
            {
                "name": exchange.key.name,
                "admin": "admin" in exchange.key.scopes,
                "call": "call" in exchange.key.scopes,
                "version": __version__,
                "policy": loaded.fingerprint,
                "routes": [*([] if "auto" in routes else ["auto"]), *routes],
                "tasks": [*loaded.spec.tasks],
                "tiers": [*loaded.spec.tiers],
                "models": [{"name": model.name, "tier": model.tier} for model in loaded.models.values()],
                "keys": [*loaded.spec.keys],
            }
        )


def routes(_: Ground) -> Routes:
    """The one address."""
    return Routes({("GET", "/admin/session"): Route(Session().show, "read")})
