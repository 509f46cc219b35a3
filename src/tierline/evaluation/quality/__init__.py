"""What a decision log proves of the routing that wrote it, and what it cannot."""
