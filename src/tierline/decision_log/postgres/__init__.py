"""The decision log in PostgreSQL: many replicas write it, each by way of a local file where its rows are safe first."""
