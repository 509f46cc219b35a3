"""What workers and replicas hold in common, on a Redis or Valkey."""
