"""The one PostgreSQL database that decision log and ledger share: how it is reached, and how its tables came to be."""
