"""Live state of one process: what is in flight, how long answers take, how token estimates compare with the bill."""
