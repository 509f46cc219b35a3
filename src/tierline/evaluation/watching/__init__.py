"""What the watches look at, out of a decision log and a ledger: for the server's chore, and for looking at a log offline."""
