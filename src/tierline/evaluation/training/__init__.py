"""Training the learned scorer on a table, and the guard that says where it may route."""
