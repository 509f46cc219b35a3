"""How the tables came to be: one alembic revision a file, never changed once released."""
