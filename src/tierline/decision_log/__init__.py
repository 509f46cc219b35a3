"""The decision log: one small row for every request, enough to decide it again."""
