"""Watching what the gateway does over days: what has drifted, who is told, and when it is over."""
