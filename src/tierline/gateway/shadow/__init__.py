"""Models that answer beside, unseen, once the client has its answer: what that is worth, at whose cost, and within which limits."""
