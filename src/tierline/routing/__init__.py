"""The brain: pure functions from features, scores and view to a decision, and from a decision to its rounds."""
